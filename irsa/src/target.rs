//! TARGET as kubectl writes it: `pod/x`, `pod x`, `x`, `deploy/x`, `sa/x` …

use thiserror::Error;

/// A kind that can be diagnosed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `pod`, `po`.
    Pod,
    /// `deployment`, `deploy`.
    Deployment,
    /// `statefulset`, `sts`.
    StatefulSet,
    /// `daemonset`, `ds`.
    DaemonSet,
    /// `replicaset`, `rs`.
    ReplicaSet,
    /// `job`.
    Job,
    /// `cronjob`, `cj`.
    CronJob,
    /// `serviceaccount`, `sa`.
    ServiceAccount,
}

/// Every kind with the words that kubectl takes for it; the first is the one that is shown.
const WORDS: [(Kind, &[&str]); 8] = [
    (Kind::Pod, &["pod", "pods", "po"]),
    (Kind::Deployment, &["deployment", "deployments", "deploy", "deployment.apps", "deployments.apps"]),
    (Kind::StatefulSet, &["statefulset", "statefulsets", "sts", "statefulset.apps", "statefulsets.apps"]),
    (Kind::DaemonSet, &["daemonset", "daemonsets", "ds", "daemonset.apps", "daemonsets.apps"]),
    (Kind::ReplicaSet, &["replicaset", "replicasets", "rs", "replicaset.apps", "replicasets.apps"]),
    (Kind::Job, &["job", "jobs", "job.batch", "jobs.batch"]),
    (Kind::CronJob, &["cronjob", "cronjobs", "cj", "cronjob.batch", "cronjobs.batch"]),
    (Kind::ServiceAccount, &["serviceaccount", "serviceaccounts", "sa"]),
];

impl Kind {
    /// The kind that kubectl means by a word: `deploy`, `deployments.apps`.
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(kind, _)| *kind)
    }

    /// The word that is shown: `deployment`.
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(kind, _)| *kind == self).map_or("pod", |(_, words)| words[0])
    }

    /// `Deployment`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Pod => "Pod",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::ServiceAccount => "ServiceAccount",
        }
    }
}

/// One thing to diagnose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

/// TARGET that cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TargetError {
    /// Nothing was named.
    #[error(
        "name what to diagnose: pod/NAME, deploy/NAME, sts/NAME, ds/NAME, rs/NAME, job/NAME, cronjob/NAME or sa/NAME"
    )]
    None,
    /// A kind that has no pods of its own, or is not read.
    #[error("cannot diagnose \"{kind}\": {}", instead(.kind, .name.as_deref()))]
    Kind {
        /// The word for it.
        kind: String,
        /// The name of the object, if one was given.
        name: Option<String>,
    },
    /// `pod/`.
    #[error("\"{0}\" names no object: expected {0}NAME")]
    NoName(String),
    /// Not a name that Kubernetes allows.
    #[error("\"{0}\" is not a valid name: Kubernetes names are lower-case letters, digits, '-' and '.'")]
    Name(String),
}

/// Reads all TARGETs of a command line, in kubectl's forms. `pod x y` names two pods; `pod/x deploy/y` mixes kinds.
pub fn parse(words: &[String]) -> Result<Vec<Target>, TargetError> {
    let (first, rest) = words.split_first().ok_or(TargetError::None)?;
    if !first.contains('/')
        && !rest.is_empty()
        && rest.iter().all(|word| !word.contains('/'))
        && let Some(kind) = Kind::of_word(first)
    {
        return rest.iter().map(|name| target(kind, name)).collect();
    }
    if !first.contains('/')
        && !rest.is_empty()
        && rest.iter().all(|word| !word.contains('/'))
        && Other::of_word(first).is_some()
    {
        return Err(TargetError::Kind { kind: first.clone(), name: rest.first().cloned() });
    }
    words
        .iter()
        .map(|word| match word.split_once('/') {
            Some((kind, name)) => {
                let known = Kind::of_word(kind).ok_or_else(|| TargetError::Kind {
                    kind: kind.to_owned(),
                    name: Some(name.to_owned()).filter(|name| !name.is_empty()),
                })?;
                if name.is_empty() { Err(TargetError::NoName(word.clone())) } else { target(known, name) }
            }
            None => target(Kind::Pod, word),
        })
        .collect()
}

/// Kinds that people may try and that are not diagnosed, so that `svc x` is not taken for two pods.
const OTHERS: [(Other, &[&str]); 4] = [
    (Other::Service, &["service", "services", "svc"]),
    (Other::Rollout, &["rollout", "rollouts", "ro", "rollout.argoproj.io", "rollouts.argoproj.io"]),
    (Other::Namespace, &["namespace", "namespaces", "ns"]),
    (Other::Another, &["node", "nodes", "no", "ing", "ingress", "cm", "configmap", "secret", "role"]),
];

/// What such a word means.
#[derive(Clone, Copy)]
enum Other {
    Service,
    /// Argo's.
    Rollout,
    Namespace,
    Another,
}

impl Other {
    fn of_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        OTHERS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(other, _)| *other)
    }
}

/// True if a word names a kind, whether or not it can be diagnosed.
pub fn is_kind(word: &str) -> bool {
    Kind::of_word(word).is_some() || Other::of_word(word).is_some()
}

/// What to name in the place of an object that has no pods of its own.
fn instead(kind: &str, name: Option<&str>) -> String {
    let name = name.filter(|name| is_name(name)).unwrap_or("NAME");
    match Other::of_word(kind) {
        Some(Other::Service) => format!(
            "a Service has no identity, the pods behind it have:\n  kubectl irsa debug $(kubectl get endpointslices -l \
             kubernetes.io/service-name={name} -o jsonpath='{{range .items[*].endpoints[*]}}pod/{{.targetRef.name}} {{end}}')"
        ),
        Some(Other::Rollout) => format!(
            "Argo's Rollouts are not read, their pods are:\n  kubectl irsa debug $(kubectl get pods -o name | grep '^pod/{name}-')"
        ),
        Some(Other::Namespace) => {
            format!(
                "for the service accounts of a namespace that have a role:\n  kubectl irsa debug -n {name}"
            )
        }
        Some(Other::Another) | None => String::from(
            "expected pod, deployment, statefulset, daemonset, replicaset, job, cronjob or serviceaccount",
        ),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
}

fn target(kind: Kind, name: &str) -> Result<Target, TargetError> {
    if is_name(name) {
        Ok(Target { kind, name: name.to_owned() })
    } else {
        Err(TargetError::Name(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<(Kind, String)>, TargetError> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words).map(|targets| targets.into_iter().map(|t| (t.kind, t.name)).collect())
    }

    #[test]
    fn kubectls_forms() {
        let pod = |name: &str| (Kind::Pod, name.to_owned());
        assert_eq!(read("pod/x").unwrap(), [pod("x")]);
        assert_eq!(read("pod x").unwrap(), [pod("x")]);
        assert_eq!(read("po x y").unwrap(), [pod("x"), pod("y")]);
        assert_eq!(read("x").unwrap(), [pod("x")]);
        assert_eq!(read("pod").unwrap(), [pod("pod")]);
        assert_eq!(
            read("deploy/x sa/y").unwrap(),
            [(Kind::Deployment, "x".into()), (Kind::ServiceAccount, "y".into())]
        );
        assert_eq!(read("Deployments.apps/x").unwrap(), [(Kind::Deployment, "x".into())]);
        for (word, kind) in [
            ("sts", Kind::StatefulSet),
            ("ds", Kind::DaemonSet),
            ("rs", Kind::ReplicaSet),
            ("job", Kind::Job),
            ("cj", Kind::CronJob),
        ] {
            assert_eq!(read(&format!("{word}/x")).unwrap(), [(kind, "x".into())]);
        }
    }

    #[test]
    fn what_is_not_diagnosed_leads_to_what_is() {
        for (line, says) in [
            ("svc/web", "kubernetes.io/service-name=web "),
            ("rollout/web", "grep '^pod/web-'"),
            ("ns/shop", "kubectl irsa debug -n shop"),
            ("ns/$(id)", "kubectl irsa debug -n NAME"),
            ("node/ip-10-0-0-1", "expected pod, deployment"),
            ("foo/x", "expected pod, deployment"),
        ] {
            let said = read(line).unwrap_err().to_string();
            assert!(said.contains(says), "{line}: {said}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(read(""), Err(TargetError::None));
        let kind = |kind: &str| Err(TargetError::Kind { kind: kind.into(), name: Some("x".into()) });
        assert_eq!(read("svc/x"), kind("svc"));
        assert_eq!(read("svc x"), kind("svc"));
        assert_eq!(read("pod/"), Err(TargetError::NoName("pod/".into())));
        assert_eq!(read("pod/X_y"), Err(TargetError::Name("X_y".into())));
        assert_eq!(read("pod/a/b"), Err(TargetError::Name("a/b".into())));
    }
}

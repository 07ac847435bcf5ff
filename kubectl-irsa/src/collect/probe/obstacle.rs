//! Why the probe does not start, or does not report. None of these is a fault of the pod.

use http::StatusCode;
use thiserror::Error;

use super::pod::RawPod;
use crate::collect::Late;
use crate::collect::cluster::NoAnswer;
use crate::collect::foreign::foreign;
use irsa::documents::report::ReportError;
use irsa::facts::kubernetes::{ProbeEnd, Waiting};
use irsa::facts::probed::ProbeFacts;
use irsa::facts::{Fact, Grant, Why};

/// The annotation of a pod that comes from a file on the node.
const MIRROR: &str = "/metadata/annotations/kubernetes.io~1config.mirror";
/// How the server begins a webhook's refusal, whichever code the webhook chose; 400 if it chose none, as Kyverno does
/// (pkg/admission/plugin/webhook/errors, `ToStatusErr`).
const WEBHOOK: &str = "admission webhook \"";

/// Why the probe gave no report, in one sentence.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Obstacle {
    /// RBAC refuses.
    #[error("{words}")]
    Denied {
        /// What is not allowed.
        verb: &'static str,
        /// On what.
        resource: &'static str,
        /// The server's words.
        words: String,
    },
    /// The cluster has no such subresource.
    #[error("the cluster does not support ephemeral containers")]
    NoEphemeralContainers,
    /// PodSecurity refuses any change of this pod.
    #[error(
        "the pod itself violates PodSecurity \"{level}\", which its namespace now requires, so nothing can be added to it: \
         {words}"
    )]
    PodViolates {
        /// `restricted:latest`.
        level: String,
        /// The server's words.
        words: String,
    },
    /// PodSecurity refuses the probe's own container.
    #[error("PodSecurity \"{level}\" rejects the probe, which must run as the target does: {words}")]
    PodSecurity {
        /// `restricted:latest`.
        level: String,
        /// The server's words.
        words: String,
    },
    /// A quota is used up.
    #[error("a quota is used up: {0}")]
    Quota(String),
    /// Something else refuses: an admission policy or webhook.
    #[error("the cluster rejects the probe: {0}")]
    Refused(String),
    /// The server does not answer as expected.
    #[error("the API server did not accept the request: {0}")]
    NoAnswer(String),
    /// The server does not answer in time.
    #[error("the API server: {0}")]
    Late(Late),
    /// The pod waits for a node.
    #[error("the pod is not on a node yet, so nothing can start in it")]
    Unscheduled,
    /// The pod has ended.
    #[error("the pod has ended ({}): nothing can start in it", .0.join(": "))]
    Finished(Vec<String>),
    /// The pod is going, or gone.
    #[error("the pod was deleted, or is being deleted")]
    Deleted,
    /// The pod is created by its node.
    #[error("it is a static pod: the kubelet creates it from a file, and the API server cannot change it")]
    Static,
    /// The probe is for Linux.
    #[error("it runs on Windows, and the probe is for Linux only")]
    Windows,
    /// The container is not in the pod.
    #[error("the pod no longer has a container \"{0}\"")]
    NoContainer(String),
    /// The image cannot be pulled.
    #[error("the probe's image cannot be pulled: {0}; use --probe-image to name one that the node can pull")]
    ImagePull(String),
    /// The kubelet does not make the container.
    #[error("the probe's container cannot be made: {0}")]
    CannotStart(String),
    /// Its target is not running.
    #[error("the target container is not running: {0}")]
    TargetNotRunning(String),
    /// It was killed, most often because its target ended.
    #[error(
        "the probe was killed before it could report: the target container was restarted, or the node ran out of memory"
    )]
    Killed,
    /// It was killed for its memory.
    #[error("the probe was killed because the pod ran out of memory")]
    OutOfMemory,
    /// Nothing within the time.
    #[error("the probe did not report within {seconds} s: {last}")]
    NotInTime {
        /// How long was waited.
        seconds: u64,
        /// What was seen last.
        last: String,
    },
    /// The user did not wait for it.
    #[error("{}", Why::Interrupted)]
    Interrupted,
    /// There is no time left to start it.
    #[error("no time was left to start the probe; allow more with --timeout")]
    NoTime,
    /// Its report cannot be read.
    #[error("{error}{}", log_words(.log))]
    NoReport {
        /// What is wrong with it.
        error: ReportError,
        /// Why the whole report could not be read in its log, either.
        log: Option<Box<Obstacle>>,
    },
}

fn log_words(log: &Option<Box<Obstacle>>) -> String {
    log.as_ref().map_or_else(String::new, |log| format!("; its log cannot be read: {log}"))
}

impl Obstacle {
    /// What the pod's state forbids before anything is tried.
    pub fn before(pod: &RawPod) -> Option<Self> {
        let phase = pod.text("/status/phase");
        let windows = pod.text("/spec/os/name") == "windows"
            || pod.text("/spec/nodeSelector/kubernetes.io~1os") == "windows";
        if windows {
            Some(Self::Windows)
        } else if pod.has(MIRROR) {
            Some(Self::Static)
        } else if pod.has("/metadata/deletionTimestamp") {
            Some(Self::Deleted)
        } else {
            match phase {
                // On a node it starts, even while the pod's own containers wait.
                "Pending" if pod.text("/spec/nodeName").is_empty() => Some(Self::Unscheduled),
                "Succeeded" | "Failed" => Some(Self::Finished(vec![phase.to_owned()])),
                _ => None,
            }
        }
    }

    /// What the server's refusal of a request means.
    pub fn of_answer(verb: &'static str, resource: &'static str, error: &NoAnswer) -> Self {
        let (code, message, about_object) = match error {
            NoAnswer::Status { code, message, about_object } => (*code, on_one_line(message), *about_object),
            NoAnswer::Late(Late::Interrupted) => return Self::Interrupted,
            NoAnswer::Late(late) => return Self::Late(*late),
            NoAnswer::Unreachable(words) | NoAnswer::Unreadable(words) => {
                return Self::NoAnswer(words.clone());
            }
        };
        if message.starts_with(WEBHOOK) {
            return Self::Refused(message);
        }
        match code {
            // RBAC's own message; admission never says who may not do what.
            StatusCode::FORBIDDEN if message.contains(&format!("cannot {verb} resource")) => {
                Self::Denied { verb, resource, words: message }
            }
            StatusCode::FORBIDDEN if message.contains("exceeded quota") => Self::Quota(message),
            StatusCode::FORBIDDEN => Self::Refused(message),
            StatusCode::NOT_FOUND if about_object => Self::Deleted,
            StatusCode::NOT_FOUND if resource == "pods/ephemeralcontainers" => Self::NoEphemeralContainers,
            // The server may repeat what it was sent, and that may hold a proxy's password.
            StatusCode::BAD_REQUEST => Self::NoAnswer(String::from("400 Bad Request")),
            StatusCode::UNPROCESSABLE_ENTITY => Self::Refused(message),
            code => Self::NoAnswer(format!("{code}: {message}")),
        }
    }

    /// The same for the request that adds a container to the pod: PodSecurity looks at all of it, and names every container
    /// that violates the level. `there` are those that the pod has already.
    pub fn of_addition<'p>(
        verb: &'static str,
        resource: &'static str,
        mut there: impl Iterator<Item = &'p str>,
        error: &NoAnswer,
    ) -> Self {
        let obstacle = Self::of_answer(verb, resource, error);
        let Self::Refused(words) = &obstacle else { return obstacle };
        let Some((_, violation)) = words.split_once("violates PodSecurity \"") else { return obstacle };
        let level = violation.split('"').next().unwrap_or_default().to_owned();
        let words = words.clone();
        if there.any(|name| violation.contains(&format!("\"{name}\""))) {
            Self::PodViolates { level, words }
        } else {
            Self::PodSecurity { level, words }
        }
    }

    /// What a container is waiting for, if it will wait forever.
    pub fn of_waiting(waiting: &Waiting) -> Option<Self> {
        let words: &str = if waiting.message.is_empty() { &waiting.reason } else { &waiting.message };
        let words = on_one_line(words);
        // The kubelet retries these within seconds.
        if words.contains("QPS exceeded") || words.contains("failed to sync") {
            return None;
        }
        match waiting.reason.as_str() {
            "ErrImagePull"
            | "ImagePullBackOff"
            | "ErrImageNeverPull"
            | "InvalidImageName"
            | "ImageInspectError"
            | "RegistryUnavailable" => Some(Self::ImagePull(words)),
            "CreateContainerError" | "RunContainerError" if words.contains("invalid target container") => {
                Some(Self::TargetNotRunning(words))
            }
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                Some(Self::CannotStart(words))
            }
            _ => None,
        }
    }

    /// What an end without a report means; `None` if it is not known.
    pub fn of_end(end: &ProbeEnd) -> Option<Self> {
        match (end.reason.as_str(), end.exit_code) {
            ("StartError" | "ContainerCannotRun", _) => Some(Self::CannotStart(on_one_line(&end.message))),
            ("OOMKilled", _) => Some(Self::OutOfMemory),
            (_, 137) if end.message.is_empty() => Some(Self::Killed),
            _ => None,
        }
    }

    /// The permission that would remove it.
    fn grant(&self, namespace: &str) -> Option<Grant> {
        match self {
            Self::Denied { verb, resource, .. } => Some(Grant::rbac(verb, *resource, Some(namespace))),
            Self::NoReport { log: Some(log), .. } => log.grant(namespace),
            _ => None,
        }
    }

    /// True if it does not stand in the way of a pod of the probe's own.
    fn is_of_the_pod(&self) -> bool {
        match self {
            Self::NoEphemeralContainers
            | Self::PodViolates { .. }
            | Self::Refused(_)
            | Self::Unscheduled
            | Self::Finished(_)
            | Self::Deleted => true,
            Self::Denied { resource, .. } => *resource == "pods/ephemeralcontainers",
            _ => false,
        }
    }

    /// The same for a probe that was to run in the pod itself: what a pod of its own avoids says so.
    pub fn of_a_pod(self, namespace: &str) -> Fact<ProbeFacts> {
        let avoidable = self.is_of_the_pod();
        match self.into_fact(namespace) {
            Fact::Unknown(mut unknown) if avoidable => {
                if let Why::Denied(words) | Why::Failed(words) = &mut unknown.why {
                    words.push_str("; --via pod runs the probe in a pod of its own");
                }
                Fact::Unknown(unknown)
            }
            other => other,
        }
    }

    /// The inside of the pod as a fact that is not known.
    pub fn into_fact(self, namespace: &str) -> Fact<ProbeFacts> {
        let grant = self.grant(namespace);
        let why = match self {
            Self::Denied { words, .. } => Why::Denied(words),
            other => Why::Failed(other.to_string()),
        };
        Fact::unknown_because(ProbeFacts::WHAT, why, grant)
    }
}

/// True if the pod's node is a Fargate micro-VM.
pub fn on_fargate(pod: &RawPod) -> bool {
    pod.text("/spec/nodeName").starts_with("fargate-")
        || pod.has("/metadata/labels/eks.amazonaws.com~1fargate-profile")
}

/// Words of the server's on one line, which some lay out on several.
fn on_one_line(words: &str) -> String {
    foreign(&words.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use irsa::text::foreign::Quoted;
    use serde_json::json;

    fn refused(code: u16, message: &str, about_object: bool) -> Obstacle {
        let code = StatusCode::from_u16(code).unwrap();
        let error = NoAnswer::Status { code, message: message.into(), about_object };
        let there = ["app", "irsa-probe-00000"].into_iter();
        Obstacle::of_addition("patch", "pods/ephemeralcontainers", there, &error)
    }

    #[test]
    fn a_missing_permission_is_named() {
        let obstacle = refused(
            403,
            "pods \"x\" is forbidden: User \"oncall\" cannot patch resource \"pods/ephemeralcontainers\" in API group \"\" \
             in the namespace \"shop\"",
            true,
        );
        let Fact::Unknown(unknown) = obstacle.into_fact("shop") else { panic!("nothing was seen") };
        assert!(matches!(unknown.why, Why::Denied(_)));
        assert_eq!(unknown.grant.unwrap().to_string(), "patch pods/ephemeralcontainers -n shop");
    }

    #[test]
    fn what_a_pod_of_its_own_avoids_says_so() {
        let said = |obstacle: Obstacle| match obstacle.of_a_pod("shop") {
            Fact::Unknown(unknown) => {
                unknown.why.to_string().ends_with("--via pod runs the probe in a pod of its own")
            }
            _ => panic!("nothing was seen"),
        };
        assert!(said(Obstacle::Unscheduled) && said(Obstacle::Refused("policy".into())));
        assert!(!said(Obstacle::ImagePull("no such host".into())) && !said(Obstacle::Windows));
    }

    #[test]
    fn who_violates_the_level_is_told_apart() {
        let words = |container: &str| {
            format!(
                "pods \"tight\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false \
                 (container \"{container}\" must set securityContext.allowPrivilegeEscalation=false)"
            )
        };
        let own = refused(403, &words("irsa-probe-a1b2c"), true);
        assert!(matches!(own, Obstacle::PodSecurity { level, .. } if level == "restricted:latest"));
        let pods = refused(403, &words("app\", \"irsa-probe-a1b2c"), true);
        assert!(matches!(pods, Obstacle::PodViolates { level, .. } if level == "restricted:latest"));
    }

    #[test]
    fn refusals_are_told_apart() {
        assert_eq!(refused(404, "not found", false), Obstacle::NoEphemeralContainers);
        assert_eq!(refused(404, "pods \"x\" not found", true), Obstacle::Deleted);
        assert!(matches!(refused(403, "exceeded quota: small", true), Obstacle::Quota(_)));
        assert!(matches!(refused(422, "ValidatingAdmissionPolicy 'p' denied", true), Obstacle::Refused(_)));
        for code in [400, 403, 500] {
            let webhook = "admission webhook \"validate.kyverno.svc-fail\" denied the request: \n\nno-debugging:\n  not here\n";
            let words =
                "admission webhook \"validate.kyverno.svc-fail\" denied the request: no-debugging: not here";
            assert_eq!(refused(code, webhook, false), Obstacle::Refused(words.into()));
        }
        let repeated = refused(400, "cannot unmarshal {\"value\":\"http://me:secret@proxy\"}", true);
        assert!(!repeated.to_string().contains("secret"));
        assert!(refused(422, &"é".repeat(5000), true).to_string().chars().count() < 1100);
    }

    #[test]
    fn the_pod_may_forbid_it_beforehand() {
        let before = |pod| Obstacle::before(&RawPod::new(pod));
        assert_eq!(before(json!({"status": {"phase": "Running"}})), None);
        assert_eq!(before(json!({"status": {"phase": "Pending"}})), Some(Obstacle::Unscheduled));
        assert_eq!(before(json!({"spec": {"nodeName": "a"}, "status": {"phase": "Pending"}})), None);
        assert_eq!(
            before(json!({"status": {"phase": "Failed"}})).unwrap().to_string(),
            "the pod has ended (Failed): nothing can start in it"
        );
        let deleting = json!({"metadata": {"deletionTimestamp": "2026-11-22T07:00:00Z"}});
        assert_eq!(before(deleting), Some(Obstacle::Deleted));
        let mirror = json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "abc"}}});
        assert_eq!(before(mirror), Some(Obstacle::Static));
        let windows = json!({"spec": {"nodeSelector": {"kubernetes.io/os": "windows"}}});
        assert_eq!(before(windows), Some(Obstacle::Windows));
    }

    #[test]
    fn what_it_waits_for_may_never_come() {
        let waiting = |reason: &str, message: &str| {
            Obstacle::of_waiting(&Waiting { reason: reason.into(), message: Quoted::from(message).into() })
        };
        assert_eq!(waiting("ContainerCreating", ""), None);
        assert_eq!(waiting("ErrImagePull", "pull QPS exceeded"), None);
        assert_eq!(waiting("ErrImagePull", ""), Some(Obstacle::ImagePull("ErrImagePull".into())));
        let stopped =
            "failed to generate spec opts: invalid target container: container \"4\" is not running";
        assert_eq!(
            waiting("CreateContainerError", stopped),
            Some(Obstacle::TargetNotRunning(stopped.into()))
        );
        assert!(matches!(waiting("CreateContainerConfigError", "x"), Some(Obstacle::CannotStart(_))));
    }

    #[test]
    fn an_end_without_a_report_has_a_reason() {
        let end = |reason: &str, exit_code, message: &str| {
            Obstacle::of_end(&ProbeEnd {
                reason: reason.into(),
                exit_code,
                message: message.into(),
                finished_at: None.into(),
            })
        };
        assert_eq!(end("Error", 137, ""), Some(Obstacle::Killed));
        assert_eq!(end("OOMKilled", 137, ""), Some(Obstacle::OutOfMemory));
        assert_eq!(
            end("StartError", 128, "exec format error"),
            Some(Obstacle::CannotStart("exec format error".into()))
        );
        assert_eq!(end("Completed", 0, "{}"), None);
    }
}

//! Change sets: random names, accounts, issuers and layouts, and faults at known lines.
//!
//! A value that is wrong carries a mark, `⟦id⟧`, until its file is written out: the line on which the mark stands is where the fault
//! must be reported.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// A change set.
pub struct ChangeSet {
    /// Names and texts.
    pub files: Vec<(String, String)>,
    /// What must be reported: id, file and line.
    pub planted: BTreeSet<(String, String, usize)>,
    /// The names of the faults.
    pub faults: Vec<&'static str>,
}

/// A fault that can be planted.
pub struct Fault {
    pub name: &'static str,
    /// What is reported of it.
    pub ids: &'static [&'static str],
    by: Mechanism,
    plant: fn(&mut App, &mut Random, Form),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mechanism {
    Irsa,
    PodIdentity,
    /// A thing of its own beside the applications.
    Aside,
}

/// How roles are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Terraform,
    Yaml,
    Json,
}

/// A small generator (xorshift): the same numbers everywhere.
pub struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap() % end
    }
    fn any<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// One workload with its service account and its role.
struct App {
    by: Mechanism,
    namespace: String,
    name: String,
    role: String,
    path: String,
    account: String,
    partition: &'static str,
    issuer: String,
    /// As annotated.
    role_arn: String,
    annotations: Map<String, Value>,
    template_annotations: Map<String, Value>,
    labels: Map<String, Value>,
    env: Vec<Value>,
    mounts: Vec<Value>,
    volumes: Vec<Value>,
    pod_namespace: Option<String>,
    pod_spec: Map<String, Value>,
    statement: Map<String, Value>,
    more_statements: Vec<Value>,
    /// The claims that the statement requires: operator, key, value.
    conditions: Vec<(String, String, Value)>,
    /// Documents beside it.
    beside: Vec<Value>,
    /// The role's ARN in an association.
    associated: Option<String>,
    /// Marks the policy as a whole.
    of_policy: &'static str,
    provider: Option<Value>,
}

const REGIONS: [&str; 4] = ["eu-west-1", "us-east-2", "ap-southeast-5", "us-gov-east-1"];
const WORDS: [&str; 8] = ["ledger", "harbor", "quartz", "meadow", "falcon", "cobalt", "ember", "walnut"];
const TOKEN: &str = "/var/run/secrets/eks.amazonaws.com/serviceaccount";

macro_rules! faults {
    ($($name:literal [$($id:literal),+] $by:ident |$app:ident, $random:ident, $form:ident| $plant:block)*) => {
        /// Every fault.
        pub const FAULTS: &[Fault] = &[$(Fault {
            name: $name,
            ids: &[$($id),+],
            by: Mechanism::$by,
            plant: |$app: &mut App, $random: &mut Random, $form: Form| { let _ = (&$random, &$form); $plant },
        }),*];
    };
}

faults! {
    "misspelt key" ["annotation-key-typo"] Irsa |app, random, form| {
        let key = random.any(&["role_arn", "rolearn", "role-arm", "role.arn"]);
        app.annotations.remove("eks.amazonaws.com/role-arn");
        app.annotations.insert(format!("eks.amazonaws.com/{key}"), marked("annotation-key-typo", &app.role_arn));
    }
    "misspelt audience key" ["annotation-key-typo"] Irsa |app, random, form| {
        let key = random.any(&["audiance", "Audience", "token-expiraton", "sts-regional-endpoint"]);
        app.annotations.insert(format!("eks.amazonaws.com/{key}"), marked("annotation-key-typo", "x"));
    }
    "misspelt key of the pod" ["annotation-key-typo"] Irsa |app, random, form| {
        app.template_annotations.insert("eks.amazonaws.com/skip-container".into(), marked("annotation-key-typo", "proxy"));
    }
    "malformed ARN" ["role-arn-malformed"] Irsa |app, random, form| {
        let App { partition, account, role, .. } = &*app;
        let wrong = [
            format!("'arn:{partition}:iam::{account}:role/{role}'"),
            format!("arn:{partition}:iam::{account}:{role}"),
            format!("arn:{partition}:iam::{account}:role/{role} "),
            format!("arn:{partition}:iam::{}:role/{role}", &account[1..]),
            format!("arn:{partition}:iam::{account}:instance-profile/{role}"),
            format!("arn:{partition}:sts::{account}:assumed-role/{role}/session"),
            format!("eks.amazonaws.com/role-arn=arn:{partition}:iam::{account}:role/{role}"),
            format!("arn:{partition}:iam::<account>:role/{role}"),
            role.clone(),
        ];
        app.annotate(marked("role-arn-malformed", &wrong[random.below(wrong.len())]));
    }
    "on the template" ["annotation-on-wrong-object"] Irsa |app, random, form| {
        let role = app.annotations.remove("eks.amazonaws.com/role-arn").unwrap();
        let key = String::from("eks.amazonaws.com/role-arn");
        app.template_annotations.insert(key, marked("annotation-on-wrong-object", role.as_str().unwrap()));
    }
    "on the namespace" ["annotation-on-wrong-object"] Aside |app, random, form| {
        app.beside.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": format!("{}-x", app.namespace),
            "annotations": {"eks.amazonaws.com/role-arn": marked("annotation-on-wrong-object", &app.role_arn)}}}));
    }
    "pod elsewhere" ["sa-wrong-namespace"] Irsa |app, random, form| {
        app.pod_namespace = Some(format!("{}-elsewhere", app.namespace));
        app.pod_spec.insert("serviceAccountName".into(), marked("sa-wrong-namespace", &app.name));
    }
    "other service account" ["pod-uses-other-sa"] Irsa |app, random, form| {
        app.pod_spec.insert("serviceAccountName".into(), marked("pod-uses-other-sa", "plain"));
        app.beside.push(json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "plain", "namespace": app.namespace}}));
    }
    "skip label" ["skip-label"] Irsa |app, random, form| {
        let value = random.any(&["true", "false", ""]);
        app.labels.insert("eks.amazonaws.com/skip-pod-identity-webhook".into(), marked("skip-label", value));
    }
    "skip containers" ["skip-containers"] Irsa |app, random, form| {
        app.template_annotations.insert("eks.amazonaws.com/skip-containers".into(), marked("skip-containers", "app"));
    }
    "static keys" ["static-env-keys"] Irsa |app, random, form| {
        app.env.push(json!({"name": "AWS_ACCESS_KEY_ID", "value": marked("static-env-keys", "AKIAIOSFODNN7EXAMPLE")}));
        app.env.push(json!({"name": "AWS_SECRET_ACCESS_KEY", "value": "x"}));
    }
    "half preset" ["env-preset-partial"] Irsa |app, random, form| {
        app.env.push(json!({"name": "AWS_ROLE_ARN", "value": marked("env-preset-partial", &app.role_arn)}));
    }
    "stale preset" ["env-preset-stale-role"] Irsa |app, random, form| {
        let other = format!("{}-old", app.role_arn);
        app.env.push(json!({"name": "AWS_ROLE_ARN", "value": marked("env-preset-stale-role", &other)}));
        app.env.push(json!({"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": format!("{TOKEN}/token")}));
    }
    "preset without mount" ["env-preset-complete-no-mount"] Irsa |app, random, form| {
        app.env.push(json!({"name": "AWS_ROLE_ARN", "value": app.role_arn}));
        let file = marked("env-preset-complete-no-mount", &format!("{TOKEN}/token"));
        app.env.push(json!({"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": file}));
        app.env.push(json!({"name": "AWS_REGION", "value": app.issuer.split('.').nth(2).unwrap()}));
        app.env.push(json!({"name": "AWS_STS_REGIONAL_ENDPOINTS", "value": "regional"}));
    }
    "subPath" ["subpath-mount"] Irsa |app, random, form| {
        app.env.push(json!({"name": "AWS_ROLE_ARN", "value": app.role_arn}));
        app.env.push(json!({"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/token/token"}));
        app.mounts.push(json!({"name": "own", "mountPath": "/var/run/token/token", "subPath": marked("subpath-mount", "token")}));
        app.volumes.push(json!({"name": "own", "projected": {"sources": [
            {"serviceAccountToken": {"audience": "sts.amazonaws.com", "path": "token"}}]}}));
    }
    "mount collision" ["mountpath-collision"] Irsa |app, random, form| {
        app.mounts.push(json!({"mountPath": marked("mountpath-collision", TOKEN), "name": "cache"}));
        app.volumes.push(json!({"name": "cache", "emptyDir": {}}));
    }
    "volume collision" ["volume-name-collision"] Irsa |app, random, form| {
        app.volumes.push(json!({"emptyDir": {}, "name": marked("volume-name-collision", "aws-iam-token")}));
    }
    "bogus region" ["region-bogus"] Irsa |app, random, form| {
        app.env.push(json!({"name": "AWS_REGION", "value": marked("region-bogus", "eu-west-1a")}));
    }
    "other partition" ["wrong-partition"] Irsa |app, random, form| {
        let arn = app.role_arn.replacen(&format!("arn:{}:", app.partition), "arn:aws-cn:", 1);
        app.annotate(marked("wrong-partition", &arn));
    }
    "provider's partition" ["wrong-partition"] Irsa |app, random, form| {
        let arn = app.provider_arn().replacen(&format!("arn:{}:", app.partition), "arn:aws-cn:", 1);
        app.statement.insert("Principal".into(), json!({"Federated": marked("wrong-partition", &arn)}));
        // Nobody names this role, so that it is judged by itself.
        app.annotate(json!(format!("{}-other", app.role_arn)));
    }
    "path missing" ["role-path-missing"] Irsa |app, random, form| {
        app.path = String::from("/team/");
        app.annotate(marked("role-path-missing", &app.role_arn));
    }
    "other subject" ["trust-sub-mismatch"] Irsa |app, random, form| {
        let App { namespace, name, .. } = &*app;
        let wrong = [
            format!("system:serviceaccount:{namespace}:{name}s"),
            format!("system:serviceaccount:{namespace}-old:{name}"),
            format!("system:serviceaccount:{namespace}/{name}"),
            format!("system:serviceaccounts:{namespace}:{name}"),
            format!("{namespace}:{name}"),
        ];
        app.claim("sub", "trust-sub-mismatch", &wrong[random.below(wrong.len())]);
    }
    "misspelt subject, and no one names the role" ["trust-sub-mismatch"] Irsa |app, random, form| {
        app.annotate(json!(format!("{}-other", app.role_arn)));
        app.claim("sub", "trust-sub-mismatch", &format!("system:serviceaccount:{}/{}", app.namespace, app.name));
    }
    "other audience" ["trust-aud-mismatch"] Irsa |app, random, form| {
        let wrong = random.any(&["sts.amazon.com", "sts.eu-west-1.amazonaws.com", "https://sts.amazonaws.com"]);
        app.claim("aud", "trust-aud-mismatch", wrong);
    }
    "audience and subject" ["trust-aud-mismatch", "trust-sub-mismatch"] Irsa |app, random, form| {
        app.claim("aud", "trust-aud-mismatch", "sts.amazonaws.co");
        app.claim("sub", "trust-sub-mismatch", &format!("system:serviceaccount:{}:other", app.namespace));
    }
    "misspelt issuer" ["trust-issuer-typo"] Irsa |app, random, form| {
        let wrong = app.issuer.replace("oidc.eks", random.any(&["oidc.ekss", "https://oidc.eks"]));
        let wrong = if wrong.len() == app.issuer.len() { format!("{wrong}/") } else { wrong };
        let own = app.issuer.clone();
        for (_, key, value) in &mut app.conditions {
            if key.ends_with(":sub") {
                *key = key.replace(&own, &wrong);
                *value = marked("trust-issuer-typo", value.as_str().unwrap());
            }
        }
    }
    "wildcard" ["trust-wildcard-in-stringequals"] Irsa |app, random, form| {
        let pattern = format!("system:serviceaccount:{}:{}", app.namespace, random.any(&["*", "??*"]));
        app.claim("sub", "trust-wildcard-in-stringequals", &pattern);
    }
    "swapped" ["trust-key-value-swapped"] Irsa |app, random, form| {
        let sub = app.subject();
        app.claim("aud", "trust-key-value-swapped", &sub);
        app.claim("sub", "", "sts.amazonaws.com");
    }
    "case" ["trust-case"] Irsa |app, random, form| {
        let sub = app.subject().replace("serviceaccount", "serviceAccount");
        app.claim("sub", "trust-case", &sub);
    }
    "wrong action" ["trust-wrong-action"] Irsa |app, random, form| {
        let action = random.any(&["sts:AssumeRole", "sts:AssumeRoleWithSAML"]);
        app.statement.insert("Action".into(), marked("trust-wrong-action", action));
    }
    "issuer for a provider" ["trust-wrong-principal"] Irsa |app, random, form| {
        app.statement.insert("Principal".into(), json!({marked_key("trust-wrong-principal", "Federated"): app.issuer}));
    }
    "a service for a provider" ["trust-wrong-principal"] Irsa |app, random, form| {
        app.conditions.clear();
        app.statement.insert("Principal".into(), json!({"Service": marked("trust-wrong-principal", "ec2.amazonaws.com")}));
        app.statement.insert("Action".into(), json!("sts:AssumeRole"));
    }
    "provider of another account" ["trust-provider-other-account"] Irsa |app, random, form| {
        let arn = app.provider_arn().replace(&app.account, "999988887777");
        app.statement.insert("Principal".into(), json!({marked_key("trust-provider-other-account", "Federated"): arn}));
    }
    "no subject" ["trust-permissive"] Irsa |app, random, form| {
        if form == Form::Json {
            app.conditions[1].0 = String::from("StringLike");
            app.claim("sub", "trust-permissive", "system:serviceaccount:*");
        } else {
            app.conditions.remove(1);
            app.statement.insert("Action".into(), marked("trust-permissive", "sts:AssumeRoleWithWebIdentity"));
        }
    }
    "every subject" ["trust-permissive"] Irsa |app, random, form| {
        app.conditions[1].0 = String::from("StringLike");
        app.claim("sub", "trust-permissive", random.any(&["*", "system:serviceaccount:*:*", "system:serviceaccount:*"]));
    }
    "absent key" ["trust-unavailable-key"] Irsa |app, random, form| {
        let key = random.any(&["aws:PrincipalArn", "sts:ExternalId"]);
        app.conditions.push(("StringEquals".into(), key.into(), marked("trust-unavailable-key", "x")));
    }
    "two clusters" ["trust-two-clusters-anded"] Irsa |app, random, form| {
        let other = app.issuer.replace(&app.issuer[app.issuer.len() - 32..], "0A1B2C3D4E5F60718293A4B5C6D7E8F9");
        app.conditions.push(("StringEquals".into(), format!("{other}:aud"), marked("trust-two-clusters-anded", "sts.amazonaws.com")));
    }
    "a comment" ["trust-json-oddities"] Irsa |app, random, form| {
        app.statement.insert("Comment".into(), marked("trust-json-oddities", "x"));
    }
    "too long" ["trust-quota"] Irsa |app, random, form| {
        for number in 0..12 {
            let mut other = app.statement();
            other["Sid"] = json!(format!("Other{number}"));
            app.more_statements.push(other);
        }
        app.of_policy = "trust-quota";
    }
    "deny" ["trust-deny-statement"] Irsa |app, random, form| {
        app.more_statements.push(json!({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {format!("{}:sub", app.issuer): marked("trust-deny-statement", &app.subject())}}}));
    }
    "no audience" ["oidc-client-id"] Aside |app, random, form| {
        let ids = random.any(&["sts.eu-west-1.amazonaws.com", "aws", ""]);
        app.provider = Some(provider(form, &app.new_issuer(random), &if ids.is_empty() { json!([]) } else { json!([ids]) }, "oidc-client-id"));
    }
    "variant of the URL" ["oidc-url-variant"] Aside |app, random, form| {
        let issuer = app.new_issuer(random);
        let url = match random.below(3) {
            0 => format!("{issuer}/"),
            1 => issuer.replace("/id/", ":443/id/"),
            _ => issuer.to_lowercase(),
        };
        let url = format!("⟦oidc-url-variant⟧{url}");
        app.provider = Some(provider(form, &url, &json!(["sts.amazonaws.com"]), ""));
    }
    "no tags" ["pi-trust"] PodIdentity |app, random, form| {
        app.statement.insert("Action".into(), marked("pi-trust", "sts:AssumeRole"));
    }
    "other service" ["pi-trust"] PodIdentity |app, random, form| {
        let service = random.any(&["pod.eks.amazonaws.com", "pods.eks.amazonaws.com.cn", "eks.amazonaws.com", "ec2.amazonaws.com"]);
        app.statement.insert("Principal".into(), json!({"Service": marked("pi-trust", service)}));
    }
    "association with a malformed ARN" ["role-arn-malformed"] PodIdentity |app, random, form| {
        app.associated = Some(format!("⟦role-arn-malformed⟧arn:aws:iam::{}:{}", app.account, app.role));
    }
}

fn mark(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("⟦{id}⟧") }
}

fn marked(id: &str, value: &str) -> Value {
    json!(format!("{value}{}", mark(id)))
}

fn marked_key(id: &str, key: &str) -> String {
    format!("{key}{}", mark(id))
}

impl App {
    fn new(random: &mut Random, shared: &Shared, index: usize, by: Mechanism) -> Self {
        let word = |random: &mut Random| random.any(&WORDS);
        let (namespace, name) =
            (format!("{}-{index}", word(random)), format!("{}-{}", word(random), word(random)));
        let role = format!("{name}-{index}");
        let path = if random.below(4) == 0 { format!("/{}/", word(random)) } else { String::from("/") };
        let Shared { account, partition, issuer, .. } = shared;
        let role_arn = format!("arn:{partition}:iam::{account}:role{path}{role}");
        let mut app = Self {
            by,
            path,
            account: account.clone(),
            partition,
            issuer: issuer.clone(),
            role_arn,
            annotations: Map::new(),
            template_annotations: Map::new(),
            labels: Map::new(),
            env: vec![json!({"name": "LOG_LEVEL", "value": "info"})],
            mounts: Vec::new(),
            volumes: Vec::new(),
            pod_namespace: None,
            pod_spec: Map::new(),
            statement: Map::new(),
            more_statements: Vec::new(),
            conditions: Vec::new(),
            beside: Vec::new(),
            associated: None,
            of_policy: "",
            provider: None,
            namespace,
            name,
            role,
        };
        app.labels.insert("app".into(), json!(app.name));
        app.pod_spec.insert("serviceAccountName".into(), json!(app.name));
        app.statement.insert("Effect".into(), json!("Allow"));
        if by == Mechanism::PodIdentity {
            app.statement.insert("Principal".into(), json!({"Service": "pods.eks.amazonaws.com"}));
            app.statement.insert("Action".into(), json!(["sts:AssumeRole", "sts:TagSession"]));
            if random.below(3) == 0 {
                let key = String::from("aws:RequestTag/kubernetes-namespace");
                app.conditions.push(("StringEquals".into(), key, json!(app.namespace)));
            }
            return app;
        }
        app.annotate(json!(app.role_arn));
        app.statement.insert("Principal".into(), json!({"Federated": app.provider_arn()}));
        app.statement.insert("Action".into(), json!("sts:AssumeRoleWithWebIdentity"));
        app.conditions.push(("StringEquals".into(), format!("{issuer}:aud"), json!("sts.amazonaws.com")));
        let operator = if random.below(3) == 0 { "StringLike" } else { "StringEquals" };
        app.conditions.push((operator.into(), format!("{issuer}:sub"), json!(app.subject())));
        app
    }

    fn annotate(&mut self, role: Value) {
        self.annotations.insert("eks.amazonaws.com/role-arn".into(), role);
    }

    fn subject(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }

    fn provider_arn(&self) -> String {
        format!("arn:{}:iam::{}:oidc-provider/{}", self.partition, self.account, self.issuer)
    }

    /// The issuer of another cluster.
    fn new_issuer(&self, random: &mut Random) -> String {
        format!("{}{}", &self.issuer[..self.issuer.len() - 32], cluster_id(random))
    }

    /// Gives a claim another value, under an operator without wildcards unless it has one.
    fn claim(&mut self, claim: &str, id: &str, value: &str) {
        let permissive = id == "trust-permissive";
        for (operator, key, old) in &mut self.conditions {
            if key.ends_with(&format!(":{claim}")) {
                *old = marked(id, value);
                if !permissive {
                    *operator = String::from("StringEquals");
                }
            }
        }
    }

    fn statement(&self) -> Value {
        let mut statement = self.statement.clone();
        let mut block = Map::new();
        for (operator, key, value) in &self.conditions {
            let of_operator = block.entry(operator.clone()).or_insert_with(|| json!({}));
            of_operator[key] = value.clone();
        }
        if !block.is_empty() {
            statement.insert("Condition".into(), Value::Object(block));
        }
        Value::Object(statement)
    }

    fn policy(&self, random: &mut Random) -> Value {
        let mut statements = vec![self.statement()];
        statements.extend(self.more_statements.clone());
        // A role may be for a second cluster as well, or for a person.
        if self.more_statements.is_empty() && random.below(4) == 0 {
            statements.push(json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:{}:iam::{}:root", self.partition, self.account)},
                "Action": "sts:AssumeRole"}));
        }
        // A mark on the first line of a statement is its place only in a list.
        let is_marked = statements[0]["Action"].as_str().is_some_and(|action| action.contains('⟦'));
        let statements = if statements.len() == 1 && !is_marked && random.below(3) == 0 {
            statements.remove(0)
        } else {
            json!(statements)
        };
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    /// The objects of Kubernetes.
    fn manifests(&self, random: &mut Random) -> Vec<Value> {
        let mut account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": self.name, "namespace": self.namespace}});
        if !self.annotations.is_empty() {
            account["metadata"]["annotations"] = Value::Object(self.annotations.clone());
        }
        let mut spec = Map::new();
        let mut container = json!({"name": "app", "image": "registry.example/app:1", "env": self.env});
        if !self.mounts.is_empty() {
            container["volumeMounts"] = json!(self.mounts);
        }
        spec.insert(
            "containers".into(),
            json!([container, {"name": "proxy", "image": "registry.example/proxy:1"}]),
        );
        if !self.volumes.is_empty() {
            spec.insert("volumes".into(), json!(self.volumes));
        }
        spec.extend(self.pod_spec.clone());
        let mut metadata = json!({"labels": self.labels});
        if !self.template_annotations.is_empty() {
            metadata["annotations"] = Value::Object(self.template_annotations.clone());
        }
        let template = json!({"metadata": metadata, "spec": spec});
        let namespace = self.pod_namespace.as_ref().unwrap_or(&self.namespace);
        let meta = json!({"name": self.name, "namespace": namespace});
        let selector = json!({"matchLabels": {"app": self.name}});
        let workload = match random.below(4) {
            0 => json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta,
                "spec": {"selector": selector, "template": template}}),
            1 => json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta,
                "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}}}),
            2 => json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta,
                "spec": {"selector": selector, "template": template}}),
            _ => json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
                "spec": {"replicas": 2, "selector": selector, "template": template}}),
        };
        let mut all = vec![account, workload];
        all.extend(self.beside.clone());
        all
    }
}

/// What the applications of a change set share.
struct Shared {
    account: String,
    partition: &'static str,
    issuer: String,
}

fn cluster_id(random: &mut Random) -> String {
    format!("{:016X}{:016X}", random.next(), random.next())
}

/// An OIDC provider as a resource.
fn provider(form: Form, issuer: &str, ids: &Value, id: &str) -> Value {
    if form == Form::Terraform {
        json!({"type": "aws_iam_openid_connect_provider",
            "values": {"url": format!("https://{issuer}"), marked_key(id, "client_id_list"): ids, "thumbprint_list": []}})
    } else {
        // A template's list stands on the line of its first item where it is a block.
        json!({"Type": "AWS::IAM::OIDCProvider",
            "Properties": {"Url": format!("https://{issuer}"), marked_key(id, "ClientIdList"): ids}})
    }
}

impl ChangeSet {
    pub fn generate(seed: u64, with_faults: bool) -> Self {
        let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ (seed + 1).wrapping_mul(0xD1B5_4A32_D192_ED03));
        for _ in 0..8 {
            random.next();
        }
        let region = random.any(&REGIONS);
        let partition = if region.starts_with("us-gov") { "aws-us-gov" } else { "aws" };
        let shared = Shared {
            account: format!("{:012}", 100_000_000_000 + random.next() % 800_000_000_000),
            partition,
            issuer: format!("oidc.eks.{region}.amazonaws.com/id/{}", cluster_id(&mut random)),
        };
        let form = random.any(&[Form::Terraform, Form::Yaml, Form::Json]);
        let mut apps: Vec<App> = (0..2 + random.below(4))
            .map(|index| {
                let by = random.any(&[Mechanism::Irsa, Mechanism::Irsa, Mechanism::PodIdentity]);
                App::new(&mut random, &shared, index, by)
            })
            .collect();
        let mut faults = Vec::new();
        if with_faults {
            let count = 1 + random.below(3);
            // Each fault comes first now and then, so that every one is planted often.
            let mut order: Vec<usize> = (0..FAULTS.len()).collect();
            random.shuffle(&mut order);
            order.insert(0, usize::try_from(seed).unwrap() % FAULTS.len());
            let mut free: Vec<usize> = (0..apps.len()).collect();
            for fault in order.into_iter().map(|index| &FAULTS[index]) {
                if faults.len() == count || faults.contains(&fault.name) {
                    continue;
                }
                let fits = |index: &&usize| fault.by == Mechanism::Aside || apps[**index].by == fault.by;
                let Some(index) = free.iter().find(fits).copied() else {
                    if faults.is_empty() {
                        apps.push(App::new(&mut random, &shared, apps.len(), fault.by));
                        (fault.plant)(apps.last_mut().unwrap(), &mut random, form);
                        faults.push(fault.name);
                    }
                    continue;
                };
                free.retain(|other| *other != index);
                (fault.plant)(&mut apps[index], &mut random, form);
                faults.push(fault.name);
            }
        }
        let mut files = manifests(&apps, &mut random);
        files.push(roles(&apps, &shared, form, &mut random));
        let mut planted = BTreeSet::new();
        let files = files.into_iter().map(|(name, text)| {
            let text = unmarked(&name, &text, &mut planted);
            (name, text)
        });
        Self { files: files.collect(), planted, faults }
    }
}

/// The text without its marks, whose lines are noted.
fn unmarked(name: &str, text: &str, planted: &mut BTreeSet<(String, String, usize)>) -> String {
    let mut plain = String::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('⟦') {
            let (id, behind) = after.split_once('⟧').expect("a mark ends");
            planted.insert((id.to_owned(), name.to_owned(), index + 1));
            plain.push_str(before);
            rest = behind;
        }
        plain.push_str(rest);
    }
    plain
}

/// The objects of Kubernetes, in one to three files of either kind, in any order.
fn manifests(apps: &[App], random: &mut Random) -> Vec<(String, String)> {
    let mut objects: Vec<Value> = apps.iter().flat_map(|app| app.manifests(random)).collect();
    objects.push(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "unrelated", "namespace": "x"},
        "data": {"eks.amazonaws.com/role-arn": "not an ARN"}}),
    );
    objects.push(
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "no-role", "namespace": "x",
        "annotations": {"example.com/owner": "team-a"}}}),
    );
    objects.push(json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"role": "x"}}));
    objects.push(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "x"}, "data": {"k": "dg=="}}));
    random.shuffle(&mut objects);
    let count = 1 + random.below(3);
    let mut files = Vec::new();
    for (index, part) in objects.chunks(objects.len().div_ceil(count)).enumerate() {
        files.push(match random.below(3) {
            0 => {
                let list = json!({"apiVersion": "v1", "kind": "List", "items": part});
                (format!("objects-{index}.json"), serde_json::to_string_pretty(&list).unwrap())
            }
            form => {
                let documents = part.iter().map(|object| yaml(object, form == 2));
                (format!("objects-{index}.yaml"), documents.collect::<Vec<_>>().join("---\n"))
            }
        });
    }
    files
}

/// The roles, providers and associations, as a plan or a template.
fn roles(apps: &[App], shared: &Shared, form: Form, random: &mut Random) -> (String, String) {
    let github = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Federated": format!("arn:aws:iam::{}:oidc-provider/token.actions.githubusercontent.com", shared.account)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:example/*"}}}]});
    let service = |name: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": name}, "Action": "sts:AssumeRole"}]});
    let others = [
        ("ci", github),
        ("node", service("ec2.amazonaws.com")),
        ("fargate", service("eks-fargate-pods.amazonaws.com")),
        ("cluster", service("eks.amazonaws.com")),
    ];
    let of_cluster = random.below(2) == 0;
    match form {
        Form::Terraform => {
            let mut changes = Vec::new();
            let mut change = |kind: &str, name: String, after: Value, later: Value| {
                changes.push(json!({"address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
                    "change": {"actions": ["create"], "before": null, "after": after, "after_unknown": later}}));
            };
            for (index, app) in apps.iter().enumerate() {
                let policy = app.policy(random).to_string();
                let policy = format!("{policy}{}", mark(app.of_policy));
                let known = random.below(2) == 0;
                let mut after = json!({"name": app.role, "path": app.path, "assume_role_policy": policy});
                if known {
                    after["arn"] = json!(format!(
                        "arn:{}:iam::{}:role{}{}",
                        app.partition, app.account, app.path, app.role
                    ));
                }
                change("aws_iam_role", format!("r{index}"), after, json!({"arn": !known, "id": true}));
                if app.by == Mechanism::PodIdentity {
                    let mut after =
                        json!({"cluster_name": "c", "namespace": app.namespace, "service_account": app.name});
                    let arn = app
                        .associated
                        .clone()
                        .or_else(|| (random.below(2) == 0).then(|| app.role_arn.clone()));
                    if let Some(arn) = &arn {
                        after["role_arn"] = json!(arn);
                    }
                    change(
                        "aws_eks_pod_identity_association",
                        format!("a{index}"),
                        after,
                        json!({"role_arn": arn.is_none()}),
                    );
                }
                if let Some(provider) = &app.provider {
                    change(
                        "aws_iam_openid_connect_provider",
                        format!("p{index}"),
                        provider["values"].clone(),
                        json!({}),
                    );
                }
            }
            for (name, policy) in others {
                let after = json!({"name": name, "path": "/", "assume_role_policy": policy.to_string()});
                change("aws_iam_role", name.to_owned(), after, json!({"arn": true}));
            }
            change(
                "aws_iam_role",
                "later".into(),
                json!({"name": "later", "path": "/"}),
                json!({"assume_role_policy": true}),
            );
            if of_cluster {
                let after = json!({"url": format!("https://{}", shared.issuer), "client_id_list": ["sts.amazonaws.com"], "thumbprint_list": ["x"]});
                change("aws_iam_openid_connect_provider", "cluster".into(), after, json!({"arn": true}));
            }
            // What refers to a role whose ARN is not known yet.
            let references: Vec<Value> = apps
                .iter()
                .enumerate()
                .map(|(index, _)| json!({"address": format!("aws_eks_pod_identity_association.a{index}"),
                    "expressions": {"role_arn": {"references": [format!("aws_iam_role.r{index}.arn"), format!("aws_iam_role.r{index}")]}}}))
                .collect();
            random.shuffle(&mut changes);
            let plan = json!({"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": changes,
                "configuration": {"root_module": {"resources": references}}});
            (String::from("plan.json"), serde_json::to_string_pretty(&plan).unwrap())
        }
        Form::Yaml | Form::Json => {
            let mut resources = Map::new();
            for (index, app) in apps.iter().enumerate() {
                let mut policy = app.policy(random);
                if random.below(2) == 0 && app.of_policy.is_empty() && app.by == Mechanism::Irsa {
                    with_functions(&mut policy, app, form);
                }
                let key = marked_key(app.of_policy, "AssumeRolePolicyDocument");
                let role = json!({"Type": "AWS::IAM::Role", "Properties": {"RoleName": app.role, "Path": app.path, key: policy}});
                resources.insert(format!("Role{index}"), role);
                if app.by == Mechanism::PodIdentity {
                    let role = match &app.associated {
                        Some(arn) => json!(arn),
                        None => function(form, "GetAtt", json!(format!("Role{index}.Arn"))),
                    };
                    let association = json!({"Type": "AWS::EKS::PodIdentityAssociation", "Properties": {"ClusterName": "c",
                        "Namespace": app.namespace, "ServiceAccount": app.name, "RoleArn": role}});
                    resources.insert(format!("Association{index}"), association);
                }
                if let Some(provider) = &app.provider {
                    resources.insert(format!("Provider{index}"), provider.clone());
                }
            }
            for (name, policy) in others {
                let role =
                    json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy}});
                resources.insert(format!("Other{name}"), role);
            }
            let unknown = json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": function(form, "ImportValue", json!("x"))}});
            resources.insert(String::from("Imported"), unknown);
            if of_cluster {
                resources.insert(
                    String::from("Cluster"),
                    provider(form, &shared.issuer, &json!(["sts.amazonaws.com"]), ""),
                );
            }
            let template = json!({"AWSTemplateFormatVersion": "2010-09-09",
                "Parameters": {"Env": {"Type": "String", "Default": "prod"}, "Account": {"Type": "String"}},
                "Resources": resources});
            match form {
                Form::Json => {
                    (String::from("template.json"), serde_json::to_string_pretty(&template).unwrap())
                }
                _ => (String::from("template.yaml"), yaml(&template, true)),
            }
        }
    }
}

/// The provider's account as a function, and the policy as far as it is written without one.
fn with_functions(policy: &mut Value, app: &App, form: Form) {
    let account = app.account.clone();
    let replace = |statement: &mut Value| {
        for key in ["Federated"] {
            let Some(arn) = statement["Principal"][key].as_str().map(str::to_owned) else { continue };
            if arn.starts_with("arn:") && !arn.contains('⟦') {
                let text = arn.replace(&account, "${AWS::AccountId}");
                statement["Principal"][key] = function(form, "Sub", json!(text));
            }
        }
    };
    match &mut policy["Statement"] {
        Value::Array(all) => all.iter_mut().for_each(replace),
        one => replace(one),
    }
}

fn function(form: Form, name: &str, argument: Value) -> Value {
    match form {
        Form::Yaml => json!({format!("!{name}"): argument}),
        _ if name == "GetAtt" => {
            let text = argument.as_str().unwrap();
            json!({"Fn::GetAtt": text.split('.').collect::<Vec<_>>()})
        }
        _ => json!({format!("Fn::{name}"): argument}),
    }
}

/// YAML, with strings in double quotes; in flow style where that is short, if it may be.
fn yaml(value: &Value, flow: bool) -> String {
    let mut out = String::new();
    block(value, 0, flow, &mut out);
    out
}

fn block(value: &Value, indent: usize, flow: bool, out: &mut String) {
    let space = " ".repeat(indent);
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let key =
                    if key.contains([':', '⟦', '/', '*']) { json!(key).to_string() } else { key.clone() };
                out.push_str(&format!("{space}{key}:"));
                inner(value, indent, flow, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::Object(members) if !members.is_empty() => {
                        let mut nested = String::new();
                        block(item, indent + 2, flow, &mut nested);
                        out.push_str(&format!("{space}- {}", nested.trim_start()));
                    }
                    item => out.push_str(&format!("{space}- {item}\n")),
                }
            }
        }
        scalar => out.push_str(&format!("{space}{scalar}\n")),
    }
}

fn inner(value: &Value, indent: usize, flow: bool, out: &mut String) {
    match value {
        Value::Object(members) => {
            if let Some((key, argument)) = members.iter().next().filter(|(key, _)| key.starts_with('!')) {
                return out.push_str(&format!(" {key} {argument}\n"));
            }
            let short = value.to_string();
            if members.is_empty() || (flow && members.len() == 1 && short.len() < 60 && !short.contains('!'))
            {
                return out.push_str(&format!(" {value}\n"));
            }
            out.push('\n');
            block(value, indent + 2, flow, out);
        }
        Value::Array(items) if items.is_empty() || items.iter().all(Value::is_string) => {
            out.push_str(&format!(" {value}\n"));
        }
        Value::Array(_) => {
            out.push('\n');
            block(value, indent + 2, flow, out);
        }
        scalar => out.push_str(&format!(" {scalar}\n")),
    }
}

//! The policies in docs/admission, held against what the probe's requests contain.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cel::{Context, Env, Value as Cel};
use serde_json::{Value, json};

use super::container::{Wanted, ephemeral};
use super::copy::{of_account, of_pod};
use super::image::Image;
use super::pod::RawPod;

const ALLOW_ONLY: &str = include_str!("../../../../docs/admission/allow-only.yaml");
const FORBID: &str = include_str!("../../../../docs/admission/forbid.yaml");
const KYVERNO_ALLOW_ONLY: &str = include_str!("../../../../docs/admission/kyverno-allow-only.yaml");
const KYVERNO_FORBID: &str = include_str!("../../../../docs/admission/kyverno-forbid.yaml");

const IMAGE: &str = "the probe of kubectl-irsa may be added";
const PROGRAM: &str = "its own program";
const PRIVILEGES: &str = "not privileged";
const USER: &str = "a user that the pod has";
const SETTINGS: &str = "only variables and volumes";
const OWN_POD: &str = "a pod of the probe's own";

/// The first document of a file, the policy itself.
fn policy(text: &str) -> Value {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    documents.into_iter().next().unwrap()
}

/// What the first validation that fails says; `None` if the request is admitted.
fn refusal(text: &str, old: Option<&Value>, new: &Value) -> Option<String> {
    let spec = policy(text)["spec"].take();
    let env = Arc::new(Env::stdlib().with_optional_support(true));
    let mut variables: HashMap<String, Cel> = HashMap::new();
    let evaluate = |variables: &HashMap<String, Cel>, expression: &Value| {
        let mut context = Context::with_env(Arc::clone(&env));
        context.add_variable_from_value("object", signed(new));
        context.add_variable_from_value("oldObject", old.map_or(Cel::Null, signed));
        context.add_variable_from_value("variables", variables.clone());
        let expression = expression.as_str().unwrap();
        let program = env.compile(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        program.execute(&context).unwrap_or_else(|error| panic!("{expression}: {error}"))
    };
    for variable in spec["variables"].as_array().unwrap() {
        let value = evaluate(&variables, &variable["expression"]);
        variables.insert(variable["name"].as_str().unwrap().to_owned(), value);
    }
    let mut validations = spec["validations"].as_array().unwrap().iter();
    let failed = validations.find(|validation| match evaluate(&variables, &validation["expression"]) {
        Cel::Bool(holds) => !holds,
        other => panic!("{validation}: {other:?}"),
    });
    failed.map(|validation| validation["message"].as_str().unwrap().to_owned())
}

/// The API server's integers are signed.
fn signed(value: &Value) -> Cel {
    match value {
        Value::Number(number) => Cel::Int(number.as_i64().unwrap()),
        Value::Array(values) => values.iter().map(signed).collect::<Vec<_>>().into(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), signed(value)));
            fields.collect::<HashMap<String, Cel>>().into()
        }
        scalar => cel::to_value(scalar).unwrap(),
    }
}

fn pinned() -> String {
    let repository = Image::DEFAULT.split(['@', ':']).next().unwrap();
    format!("{repository}@sha256:{}", "0a".repeat(32))
}

fn wanted(image: &str) -> Wanted<'_> {
    Wanted { image, deadline: Duration::from_secs(9), assume: true, seen_user: None }
}

/// A pod whose container runs as that user, as its node reports.
fn shop(user: u32) -> Value {
    json!({
        "metadata": {"name": "checkout"},
        "spec": {
            "nodeName": "node-1",
            "containers": [
                {"name": "app", "image": "app:1", "envFrom": [{"configMapRef": {"name": "settings"}}],
                 "env": [
                     {"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::111122223333:role/shop-checkout"},
                     {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/token/token"},
                     {"name": "AWS_SECRET_ACCESS_KEY", "value": "verysecret"},
                     {"name": "AWS_REGION", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "region"}}}],
                 "volumeMounts": [
                     {"name": "aws-iam-token", "mountPath": "/token", "readOnly": true},
                     {"name": "data", "mountPath": "/data"}]},
                {"name": "sidecar", "image": "sidecar:1"}],
            "volumes": [{"name": "data", "emptyDir": {}}, {"name": "aws-iam-token", "projected": {"sources": []}}],
            // What was added before a policy came is not judged by it.
            "ephemeralContainers": [
                {"name": "debugger", "image": "busybox"}, {"name": "irsa-probe-00000", "image": Image::DEFAULT}]},
        "status": {"containerStatuses": [
            {"name": "app", "containerID": "containerd://0123abcd", "state": {"running": {}},
             "user": {"linux": {"uid": user, "gid": user}}}]},
    })
}

/// The probe in the way that `debug` adds it to that pod.
fn probe(pod: &Value, image: &str) -> Value {
    let pod = RawPod::new(pod.clone());
    ephemeral(&pod, pod.container("app").unwrap(), "irsa-probe-a1b2c", true, wanted(image))
}

/// The pods that `--via pod` makes.
fn own_pods(image: &str) -> [Value; 3] {
    let like = |user| {
        let pod = RawPod::new(shop(user));
        of_pod(&pod, pod.container("app").unwrap(), "irsa-probe-a1b2c", "checkout", wanted(image))
    };
    [like(1000), like(0), of_account("irsa-probe-a1b2c", "checkout", wanted(image))]
}

fn adding(text: &str, pod: &Value, container: Value) -> Option<String> {
    let mut new = pod.clone();
    new["spec"]["ephemeralContainers"].as_array_mut().unwrap().push(container);
    refusal(text, Some(pod), &new)
}

fn changed(value: &Value, at: &str, to: Value) -> Value {
    let mut value = value.clone();
    let (parent, field) = at.rsplit_once('/').unwrap();
    match value.pointer_mut(at) {
        Some(present) => *present = to,
        None => value.pointer_mut(parent).unwrap()[field] = to,
    }
    value
}

#[test]
fn what_is_sent_is_allowed_by_the_one_and_refused_by_the_other() {
    let image = pinned();
    for user in [0, 1000] {
        let pod = shop(user);
        assert_eq!(adding(ALLOW_ONLY, &pod, probe(&pod, &image)), None, "as user {user}");
        assert!(adding(FORBID, &pod, probe(&pod, &image)).is_some(), "as user {user}");
    }
    for pod in own_pods(&image) {
        assert_eq!(refusal(ALLOW_ONLY, None, &pod), None, "{pod}");
        assert!(refusal(FORBID, None, &pod).is_some(), "{pod}");
    }
}

#[test]
fn only_the_image_itself_counts_and_only_by_its_digest() {
    let (pod, pinned) = (shop(1000), pinned());
    let (repository, digest) = pinned.split_once('@').unwrap();
    let tagged = format!("{repository}:0.1.0");
    for image in [&tagged, &format!("{tagged}@{digest}"), repository] {
        assert!(adding(FORBID, &pod, probe(&pod, image)).is_some(), "{image}");
        assert!(adding(ALLOW_ONLY, &pod, probe(&pod, image)).unwrap().contains(IMAGE), "{image}");
        let [own, ..] = own_pods(image);
        assert!(refusal(ALLOW_ONLY, None, &own).unwrap().contains(IMAGE), "{image}");
    }
    for image in ["busybox", &format!("{repository}-evil@{digest}"), &format!("example.com/{pinned}")] {
        assert!(adding(ALLOW_ONLY, &pod, probe(&pod, image)).unwrap().contains(IMAGE), "{image}");
        assert_eq!(adding(FORBID, &pod, probe(&pod, image)), None, "{image}");
    }
}

#[test]
fn whoever_may_add_the_probe_may_add_nothing_else() {
    let pod = shop(1000);
    let probe = probe(&pod, &pinned());
    for (at, to, why) in [
        ("/command", json!(["/proc/1/root/bin/sh"]), PROGRAM),
        ("/securityContext/privileged", json!(true), PRIVILEGES),
        ("/securityContext/readOnlyRootFilesystem", json!(false), PRIVILEGES),
        ("/securityContext/capabilities/add", json!(["SYS_PTRACE"]), PRIVILEGES),
        ("/securityContext", json!({}), PRIVILEGES),
        ("/volumeMounts/0/readOnly", json!(false), PRIVILEGES),
        ("/securityContext/runAsUser", json!(0), USER),
        ("/securityContext/runAsUser", json!(2000), USER),
        ("/securityContext/runAsNonRoot", json!(false), USER),
        ("/env/0/value", json!("arn:aws:iam::111122223333:role/other"), SETTINGS),
        ("/env/0", json!({"name": "AWS_ENDPOINT_URL_STS", "value": "https://collect.example"}), SETTINGS),
        ("/envFrom/0", json!({"secretRef": {"name": "other"}}), SETTINGS),
        ("/volumeMounts/0", json!({"name": "other", "mountPath": "/token", "readOnly": true}), SETTINGS),
        ("/volumeMounts/0/mountPath", json!("/etc"), SETTINGS),
        ("/targetContainerName", json!("sidecar"), SETTINGS),
    ] {
        let said = adding(ALLOW_ONLY, &pod, changed(&probe, at, to.clone()));
        assert!(said.as_ref().is_some_and(|said| said.contains(why)), "{at}: {to}: {said:?}");
    }
    let [own, ..] = own_pods(&pinned());
    for (at, to, why) in [
        ("/spec/containers/0/command", json!(["sh"]), PROGRAM),
        ("/spec/containers/0/lifecycle", json!({"postStart": {"exec": {"command": ["sh"]}}}), PROGRAM),
        ("/spec/containers/0/securityContext/privileged", json!(true), PRIVILEGES),
        ("/spec/hostPID", json!(true), OWN_POD),
        ("/spec/hostIPC", json!(true), OWN_POD),
        ("/spec/shareProcessNamespace", json!(true), OWN_POD),
        ("/spec/activeDeadlineSeconds", json!(3600), OWN_POD),
        ("/spec/restartPolicy", json!("Always"), OWN_POD),
        ("/spec/automountServiceAccountToken", json!(true), OWN_POD),
        ("/spec/volumes/0", json!({"name": "aws-iam-token", "hostPath": {"path": "/"}}), OWN_POD),
    ] {
        let said = refusal(ALLOW_ONLY, None, &changed(&own, at, to.clone()));
        assert!(said.as_ref().is_some_and(|said| said.contains(why)), "{at}: {to}: {said:?}");
    }
}

#[test]
fn what_has_nothing_to_do_with_the_probe_is_left_alone() {
    let pod = shop(1000);
    let labelled = changed(&pod, "/metadata/labels", json!({"a": "b"}));
    for text in [ALLOW_ONLY, FORBID] {
        assert_eq!(refusal(text, None, &pod_without_probes(&pod)), None);
        assert_eq!(refusal(text, Some(&pod), &labelled), None);
    }
}

/// No pod is created with ephemeral containers.
fn pod_without_probes(pod: &Value) -> Value {
    changed(pod, "/spec/ephemeralContainers", json!([]))
}

#[test]
fn kyvernos_files_say_the_same() {
    for (own, kyvernos) in [(ALLOW_ONLY, KYVERNO_ALLOW_ONLY), (FORBID, KYVERNO_FORBID)] {
        let (own, kyvernos) = (policy(own), policy(kyvernos));
        let rule = &kyvernos["spec"]["rules"][0]["validate"];
        assert_eq!(kyvernos["metadata"]["name"], own["metadata"]["name"]);
        assert_eq!(rule["failureAction"], "Enforce");
        assert_eq!(rule["cel"]["variables"], own["spec"]["variables"]);
        assert_eq!(rule["cel"]["expressions"], own["spec"]["validations"]);
    }
}

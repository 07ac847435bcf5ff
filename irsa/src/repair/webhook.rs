//! The pod identity webhook: every new pod of the cluster goes through it, so none of it is the target's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Act, Change, Command, Edit, Fix, Object, ObjectChange, ObjectKind};
use crate::derive::Derived;
use crate::derive::webhook::{Registration, SKIP_LABEL};

/// Writes the cluster's CA bundle into its registration.
pub(crate) fn write_bundle(derived: &Derived<'_>, registration: &Registration<'_>) -> Fix {
    let words = ["patch", "mutatingwebhookconfiguration", registration.name(), "--type=json", "-p"];
    let path = format!("/webhooks/{}/clientConfig/caBundle", registration.index);
    let operation = format!(r#"[{{"op":"add","path":"{path}","value":"&"}}]"#);
    let command = Command::kubectl(derived, &words).output_of(with_bundle(derived, &operation));
    let change = bundle(derived).map(|bundle| {
        let patch = json!([{"op": "add", "path": path, "value": bundle}]);
        patched(registration, patch)
    });
    Fix::shared("write the cluster's CA bundle into the registration", Act::by(command, change))
}

/// Registers EKS's own webhook again.
pub(crate) fn register_again(derived: &Derived<'_>) -> Fix {
    let create = Command::kubectl(derived, &["create", "-f", "-"]);
    Fix::shared(
        "register it again as EKS does; the webhook itself runs on the control plane",
        Act::only_by(with_bundle(derived, &manifest()).pipe(create)),
    )
}

/// A JSON patch of a registration.
pub(crate) fn patch(derived: &Derived<'_>, registration: &Registration<'_>, patch: Value) -> Act {
    Act::of(derived, patched(registration, patch))
}

fn patched(registration: &Registration<'_>, patch: Value) -> Change {
    let object = Object::of_cluster(ObjectKind::MutatingWebhookConfiguration, registration.name());
    Change::Kubernetes(ObjectChange { object, edit: Edit::Json(patch) })
}

/// The cluster's CA bundle as a registration holds it, if it is known.
fn bundle(derived: &Derived<'_>) -> Option<String> {
    let bundle = derived.facts.cluster.root_ca.known()?.value.ca_crt.as_deref()?;
    Some(STANDARD.encode(bundle))
}

/// The registration as EKS creates it, with `&` for the bundle.
fn manifest() -> String {
    let manifest = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "pod-identity-webhook"},
        "webhooks": [{
            "name": "iam-for-pods.amazonaws.com",
            "clientConfig": {"url": "https://127.0.0.1:23443/mutate", "caBundle": "&"},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            "objectSelector": {"matchExpressions": [{"key": SKIP_LABEL, "operator": "DoesNotExist"}]},
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "IfNeeded",
            "sideEffects": "None",
            "timeoutSeconds": 10,
            "admissionReviewVersions": ["v1beta1"],
        }],
    });
    manifest.to_string()
}

/// A pipeline that prints the text with the cluster's bundle, base64, instead of `&`; nothing at all if the bundle could not be
/// read, so that the command that uses it fails rather than empties the field.
fn with_bundle(derived: &Derived<'_>, text: &str) -> Command {
    let namespace = derived.facts.namespace_name.as_str();
    let words = ["get", "configmap", "kube-root-ca.crt", "-n", namespace, "-o", r"jsonpath={.data.ca\.crt}"];
    Command::kubectl(derived, &words)
        .pipe(Command::new(["base64"]))
        // Only GNU's base64 has an option not to wrap lines.
        .pipe(Command::new(["tr", "-d", "\\n"]))
        .pipe(Command::new([String::from("sed"), format!("s#..*#{text}#")]))
}

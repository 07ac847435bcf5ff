//! The facts of a run as one file: for a colleague, or a support case.
//!
//! Kubernetes objects are there as `kubectl get -o yaml` prints them. Everything else stands in one document of kind [`KIND`]: what
//! AWS, STS, the issuer, the log and the probe said, what is absent, and what is unknown, why, and which permission would change
//! that. Read again, they are the same facts. What facts do not hold, no bundle can hold: tokens, keys, the values of Secrets and of
//! variables that may be secret.

mod kept;
mod redact;
mod stand_in;
mod vocabulary;

use serde_json::{Value, json};
use thiserror::Error;

use crate::documents::{KIND, OURS, Store};
use crate::facts::{Cluster, Fact, Facts, Request};
use crate::target::Target;
use crate::text::foreign::{WITHHELD, without_credentials};
use crate::text::yaml::Node;
use crate::text::{safe, shell};
use kept::{Kept, Pen, Reader, Unfit};
pub use redact::Redaction;

/// Why there is no bundle, or why one cannot be read.
#[derive(Debug, Error)]
pub enum BundleError {
    /// There is nothing to put in.
    #[error("there are no facts to write")]
    Empty,
    /// A value cannot be written.
    #[error("the facts cannot be written: {0}")]
    Unwritable(String),
    /// The facts in it are not whole, or those of another version.
    #[error("{place}: this bundle cannot be read: {why}{}", written_by(.version))]
    Unreadable {
        /// Where it stands.
        place: String,
        /// What is wrong.
        why: String,
        /// The version that has written it.
        version: Option<String>,
    },
}

fn written_by(version: &Option<String>) -> String {
    let here = env!("CARGO_PKG_VERSION");
    match version {
        Some(version) if version != here => {
            format!("; version {} has written it, and this is {here}", safe::line(version))
        }
        _ => String::new(),
    }
}

/// A bundle.
#[derive(Debug)]
pub struct Bundle {
    /// The file.
    pub text: String,
    /// The namespace of the target, as it is called in it.
    pub namespace: String,
    /// The target: `pod/checkout-7d9f`.
    pub target: String,
}

/// Writes the facts of one target, with stand-ins for what is redacted.
///
/// # Errors
/// There are none.
pub fn write(subjects: &[Facts], redaction: Option<Redaction>) -> Result<Bundle, BundleError> {
    let first = subjects.first().ok_or(BundleError::Empty)?;
    let unwritable = |error: Unfit| BundleError::Unwritable(error.to_string());
    let mut pen = Pen::default();
    let mut written = Vec::new();
    for (index, facts) in subjects.iter().enumerate() {
        pen.subject = index;
        written.push(facts.write(&mut pen).map_err(unwritable)?);
    }
    for subject in &mut written {
        forget_flags(subject);
    }
    let Request { kind, name, container, .. } = &*first.request;
    let mut facts = json!({
        "apiVersion": OURS,
        "kind": KIND,
        "observedAt": first.cluster.server_clock.known().map(|clock| clock.value),
        "tool": { "version": env!("CARGO_PKG_VERSION") },
        "redacted": redaction.map(Redaction::word),
        "target": { "kind": kind, "name": name, "namespace": first.namespace_name, "container": container },
        "subjects": written,
    });
    let mut objects: Vec<Value> = pen.objects.into_values().collect();
    objects.iter_mut().chain([&mut facts]).for_each(withhold_annotations);
    if let Some(redaction) = redaction {
        let mut all: Vec<&mut Value> = objects.iter_mut().chain([&mut facts]).collect();
        redact::redact(&mut all, redaction);
    }
    let at = |field: &str| facts["target"][field].as_str().unwrap_or_default().to_owned();
    let (namespace, target) = (at("namespace"), format!("{}/{}", at("kind"), at("name")));
    let command = shell::command(["kubectl", "irsa", "debug", &target, "-n", &namespace, "--from"]);
    let printed = |document: &Value| {
        let node: Node =
            serde_json::from_value(document.clone()).map_err(|error| unwritable(error.into()))?;
        node.document().map_err(|error| BundleError::Unwritable(error.to_string()))
    };
    let mut documents: Vec<String> = objects.iter().map(printed).collect::<Result<_, _>>()?;
    // The order of the names that stand-ins took the place of would tell of them.
    documents.sort();
    documents.push(printed(&facts)?);
    let text = format!("# {} THIS-FILE\n---\n{}", safe::line(&command), documents.join("---\n"));
    Ok(Bundle { text, namespace, target })
}

/// What a command needs on the machine of whoever made the bundle is of no use to its reader.
fn forget_flags(subject: &mut Value) {
    if let Some(request) = subject.get_mut("request").and_then(Value::as_object_mut)
        && request.contains_key("live")
    {
        request.insert(String::from("kubectl_flags"), json!([]));
        request.insert(String::from("aws_flags"), json!([]));
        request.insert(String::from("own_flags"), json!([]));
        request.insert(String::from("live"), false.into());
    }
}

/// People and programs put anything into annotations: the values that no check can use stay here.
fn withhold_annotations(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(withhold_annotations),
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::Object(annotations) if key == "annotations" => {
                        for (key, value) in annotations {
                            if let Some(text) = value.as_str() {
                                let kept = is_used(key, text).then(|| without_credentials(text));
                                *value = kept.unwrap_or_else(|| WITHHELD.to_owned()).into();
                            }
                        }
                    }
                    value => withhold_annotations(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// True for an annotation of AWS or Kubernetes, or of what deploys to it, or one that may be meant as such: with the ARN of a role.
fn is_used(key: &str, value: &str) -> bool {
    const DOMAINS: [&str; 7] =
        ["amazonaws", "kubernetes.io", "k8s.io", "helm.sh", "argoproj.io", "fluxcd.io", "weave.works"];
    let is_known = DOMAINS.iter().any(|domain| key.contains(domain));
    let plain = ["", "true", "false", "enabled", "disabled"].contains(&value);
    is_known || plain || (value.contains("arn:") && value.contains(":role/"))
}

/// The facts about a target, if the documents hold a bundle of it.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read(
    store: &Store,
    namespace: &str,
    target: &Target,
    container: Option<&str>,
) -> Result<Option<Vec<Facts>>, BundleError> {
    // Of two the later counts, as of all documents.
    let Some(found) = store.bundles().iter().rev().find(|bundle| bundle.is_of(namespace, target)) else {
        return Ok(None);
    };
    let unreadable = |error: Unfit| BundleError::Unreadable {
        place: found.place.to_string(),
        why: safe::line(&error.to_string()),
        version: found.value["tool"]["version"].as_str().map(str::to_owned),
    };
    let Some(Value::Array(subjects)) = found.value.get("subjects") else {
        return Err(unreadable(Unfit::Missing("subjects")));
    };
    let mut reader = Reader::new(store);
    let mut read = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        reader.subject = index;
        read.push(Facts::read(subject.clone(), &mut reader).map_err(unreadable)?);
    }
    if let (Some(container), Some(first)) = (container, read.first()) {
        let request = Request { container: Some(container.to_owned()), ..Request::clone(&first.request) };
        let request = std::sync::Arc::new(request);
        read.iter_mut().for_each(|facts| facts.request = std::sync::Arc::clone(&request));
    }
    if let (Some(at), Some(first)) = (store.given_clock(), read.first()) {
        let cluster = Cluster { server_clock: Fact::Known(at.clone()), ..Cluster::clone(&first.cluster) };
        let cluster = std::sync::Arc::new(cluster);
        read.iter_mut().for_each(|facts| facts.cluster = std::sync::Arc::clone(&cluster));
    }
    Ok(Some(read))
}

//! Changes of pods: ephemeral containers, creation and deletion, each of which admission may refuse.

use super::ephemeral;
use super::pod_security;
use super::resources::{Resource, by_path};
use super::route::{ResourcePath, Route};
use super::status::{self, Answer, Cause, bad_request, invalid_object, not_found};
use super::store::Store;
use super::webhook::{Admission, Called, HasAssociation};
use super::writes::{pod_spec, without_nulls};
use crate::world::{AdmissionPolicy, Object, uid_of};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the handlers need.
pub struct Pods<'s> {
    /// The objects.
    pub store: &'s Store,
    /// The policy of the cluster.
    pub policy: Option<&'s AdmissionPolicy>,
    /// The URL of the service account issuer.
    pub issuer: &'s str,
    /// The API server's clock.
    pub now: Timestamp,
    /// Whether EKS Pod Identity has an association for a service account, by namespace and name.
    pub has_association: &'s HasAssociation,
}

const STRATEGIC_MERGE: &str = "application/strategic-merge-patch+json";

impl Pods<'_> {
    fn resource() -> &'static Resource {
        by_path("", "pods").expect("the table has pods")
    }

    /// Answers PATCH of the subresource, recordings `ec-patch-*`.
    pub fn patch(
        &self,
        at: &ResourcePath,
        route: &Route,
        media_type: &str,
        body: &[u8],
    ) -> Result<Answer, Answer> {
        if media_type != STRATEGIC_MERGE {
            return Err(status::unsupported_patch(STRATEGIC_MERGE));
        }
        let patch = read(body)?;
        let pods = Pods::resource();
        // Before the pod is edited: nothing else can be read meanwhile.
        let namespace = self.namespace(&at.namespace);
        let edit = |pod: &mut Value| {
            if !pod["metadata"]["annotations"]["kubernetes.io/config.mirror"].is_null() {
                let message = "static pods do not support ephemeral containers";
                return Err(invalid_object("Pod", &at.name, &[Cause::forbidden(String::new(), message)]));
            }
            ephemeral::patch(pod, &patch)?;
            self.admit(namespace.as_deref(), pod)
        };
        let missing = || not_found("", "pods", &at.name);
        let pod = if dry_run(route)? {
            let object = self.store.find(pods, &at.namespace, &at.name).ok_or_else(missing)?;
            let mut pod = object.value.clone();
            edit(&mut pod)?;
            pod
        } else {
            let object = self.store.edit(pods, &at.namespace, &at.name, edit)?.ok_or_else(missing)?;
            object.value.clone()
        };
        Ok(Answer::json(200, &pod))
    }

    /// Answers POST.
    pub fn create(&self, at: &ResourcePath, route: &Route, body: &[u8]) -> Result<Answer, Answer> {
        let mut pod = read(body)?;
        let prefix = pod["metadata"]["generateName"].as_str().unwrap_or_default().to_owned();
        if pod["metadata"]["name"].is_null() && !prefix.is_empty() {
            let unique = uid_of(&format!("{prefix} {}", self.store.revision()));
            pod["metadata"]["name"] = json!(format!("{prefix}{}", &unique[..5]));
        }
        let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if name.is_empty() {
            let message = "name or generateName is required";
            return Err(invalid_object("Pod", "", &[Cause::required_because("metadata.name", message)]));
        }
        match pod["metadata"]["namespace"].as_str() {
            Some(namespace) if namespace != at.namespace => {
                return Err(bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
            _ => pod["metadata"]["namespace"] = json!(at.namespace),
        }
        self.admit_new(&mut pod, &[])?;
        let object = Object::new(pod).map_err(|why| bad_request(&why))?;
        let created = object.value.clone();
        if dry_run(route)? {
            return Ok(Answer::json(201, &created));
        }
        if !self.store.add(object) {
            return Err(status::already_exists("", "pods", &name));
        }
        let stored = self.store.find(Pods::resource(), &at.namespace, &name);
        Ok(Answer::json(201, stored.as_ref().map_or(&created, |object| &object.value)))
    }

    /// Completes a new pod, and refuses what may not be created. `later` are containers that other webhooks add.
    pub fn admit_new(&self, pod: &mut Value, later: &[Value]) -> Result<(), Answer> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text(&pod["metadata"]["namespace"]), text(&pod["metadata"]["name"]));
        self.fill_in(pod, &name);
        let account = self.service_account(&namespace, pod, &name)?;
        let admission =
            Admission { store: self.store, issuer: self.issuer, has_association: self.has_association };
        if admission.mutate(pod, &account.value, later) == Called::Refused {
            return Err(status::failure(500));
        }
        without_nulls(pod);
        let causes = pod_spec(&pod["spec"], "spec");
        if !causes.is_empty() {
            return Err(invalid_object("Pod", &name, &causes));
        }
        self.admit(self.namespace(&namespace).as_deref(), pod)
    }

    fn fill_in(&self, pod: &mut Value, name: &str) {
        for (key, value) in [
            ("creationTimestamp", json!(self.now.to_string())),
            ("generation", json!(1)),
            ("uid", json!(uid_of(&format!("pod {name} at {}", self.store.revision())))),
        ] {
            pod["metadata"][key] = value;
        }
        for (key, value) in [
            ("restartPolicy", json!("Always")),
            ("terminationGracePeriodSeconds", json!(30)),
            ("dnsPolicy", json!("ClusterFirst")),
            ("serviceAccountName", json!("default")),
            ("securityContext", json!({})),
            ("schedulerName", json!("default-scheduler")),
            ("enableServiceLinks", json!(true)),
        ] {
            if pod["spec"][key].is_null() {
                pod["spec"][key] = value;
            }
        }
        pod["spec"]["serviceAccount"] = pod["spec"]["serviceAccountName"].clone();
        for kind in ["initContainers", "containers"] {
            for container in pod["spec"][kind].as_array_mut().into_iter().flatten() {
                *container = ephemeral::with_defaults(container.take());
            }
        }
        pod["status"] = json!({"phase": "Pending", "qosClass": "BestEffort"});
    }

    fn service_account(&self, namespace: &str, pod: &Value, name: &str) -> Result<Arc<Object>, Answer> {
        let account = pod["spec"]["serviceAccountName"].as_str().unwrap_or_default();
        let found =
            by_path("", "serviceaccounts").and_then(|accounts| self.store.find(accounts, namespace, account));
        // The admission plugin looks the account up and hands on what the lookup says.
        let message = format!(
            "error looking up service account {namespace}/{account}: serviceaccount \"{account}\" not found"
        );
        found.ok_or_else(|| status::forbidden_object("pods", name, &message))
    }

    /// Answers DELETE: the pod ends at once, whatever its grace period.
    pub fn delete(&self, at: &ResourcePath, route: &Route, body: &[u8]) -> Result<Answer, Answer> {
        let options = if body.is_empty() { json!({}) } else { read(body)? };
        let pods = Pods::resource();
        let missing = || not_found("", "pods", &at.name);
        let pod = self.store.find(pods, &at.namespace, &at.name).ok_or_else(missing)?;
        let (uid, wanted) = (&pod.value["metadata"]["uid"], &options["preconditions"]["uid"]);
        if !wanted.is_null() && wanted != uid {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let why = format!(
                "Precondition failed: UID in precondition: {}, UID in object meta: {}",
                text(wanted),
                text(uid)
            );
            return Err(status::conflict("", "pods", &at.name, &why));
        }
        if dry_run(route)? || options["dryRun"] == json!(["All"]) {
            return Ok(Answer::json(200, &pod.value));
        }
        let marked = self.store.edit(pods, &at.namespace, &at.name, |pod| {
            pod["metadata"]["deletionTimestamp"] = json!(self.now.to_string());
            pod["metadata"]["deletionGracePeriodSeconds"] =
                options["gracePeriodSeconds"].as_i64().map_or(json!(30), |seconds| json!(seconds));
            Ok::<(), Answer>(())
        })?;
        self.store.remove(pods, &at.namespace, &at.name);
        Ok(Answer::json(200, &marked.unwrap_or(pod).value))
    }

    fn namespace(&self, name: &str) -> Option<Arc<Object>> {
        by_path("", "namespaces").and_then(|namespaces| self.store.find(namespaces, "", name))
    }

    fn admit(&self, namespace: Option<&Object>, pod: &Value) -> Result<(), Answer> {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        if let Some(message) = namespace.and_then(|object| pod_security::refusal(&object.value, pod)) {
            return Err(status::forbidden_object("pods", name, &message));
        }
        match self.policy {
            Some(policy) => Err(status::denied_by_policy("pods", name, policy)),
            None => Ok(()),
        }
    }
}

fn read(body: &[u8]) -> Result<Value, Answer> {
    serde_json::from_slice(body).map_err(|error| bad_request(&format!("error decoding patch: {error}")))
}

fn dry_run(route: &Route) -> Result<bool, Answer> {
    match route.param("dryRun") {
        None => Ok(false),
        Some("All") => Ok(true),
        Some(other) => {
            Err(bad_request(&format!("Invalid value: {other:?}: dryRun: supported values: \"All\"")))
        }
    }
}

//! The resources that are read, and how lists are filtered.

use crate::facts::Grant;
use crate::facts::kubernetes::{
    ConfigMap, CronJob, DaemonSet, Deployment, EndpointSlice, Event, Job, LabelSelector, Meta,
    MutatingWebhookConfiguration, Namespace, NetworkPolicy, Node, Object, Pod, PodSpec, ReplicaSet, Secret,
    ServiceAccount, StatefulSet,
};

/// A type that stands for one resource of the Kubernetes API.
pub trait Resource: Object + Send + Sync + 'static {
    /// API group, empty for the core group.
    const GROUP: &'static str;
    /// Version within the group.
    const VERSION: &'static str;
    /// Plural name.
    const PLURAL: &'static str;
    /// Lower-case singular, as sources name it.
    const SINGULAR: &'static str;
    /// False for cluster-wide resources.
    const NAMESPACED: bool = true;
    /// True if only metadata may be asked for: Secrets.
    const METADATA_ONLY: bool = false;

    /// False for what no API server has stored: it asks for these fields.
    fn is_whole(&self) -> bool {
        true
    }

    /// Resource and group as RBAC errors and `kubectl auth can-i` write them: `deployments.apps`.
    fn rbac_name() -> String {
        if Self::GROUP.is_empty() {
            Self::PLURAL.to_owned()
        } else {
            format!("{}.{}", Self::PLURAL, Self::GROUP)
        }
    }

    /// The permission that a request needs.
    fn grant(verb: &str, namespace: Option<&str>) -> Grant {
        Grant::rbac(verb, Self::rbac_name(), namespace)
    }
}

/// What is done for each kind.
pub trait Kinds {
    /// Does it for one.
    fn of<T: Resource>(&mut self);
}

macro_rules! resources {
    ($($type:ty: $group:literal $version:literal $plural:literal $singular:literal $($key:ident = $value:literal)* $(=> $pod:expr)?;)*) => {
        /// Goes through all kinds that are read.
        pub fn every_kind(kinds: &mut impl Kinds) {
            $(kinds.of::<$type>();)*
        }

        $(impl Object for $type {
            const KIND: &'static str = stringify!($type);
            fn meta(&self) -> &Meta {
                &self.metadata
            }
        }

        impl Resource for $type {
            const GROUP: &'static str = $group;
            const VERSION: &'static str = $version;
            const PLURAL: &'static str = $plural;
            const SINGULAR: &'static str = $singular;
            $(const $key: bool = $value;)*
            $(fn is_whole(&self) -> bool {
                let pod: fn(&Self) -> &PodSpec = $pod;
                !pod(self).containers.is_empty()
            })?
        })*
    };
}

resources! {
    Pod: "" "v1" "pods" "pod" => |pod| &pod.spec;
    ServiceAccount: "" "v1" "serviceaccounts" "serviceaccount";
    Namespace: "" "v1" "namespaces" "namespace" NAMESPACED = false;
    Node: "" "v1" "nodes" "node" NAMESPACED = false;
    Event: "" "v1" "events" "event";
    ConfigMap: "" "v1" "configmaps" "configmap";
    Secret: "" "v1" "secrets" "secret" METADATA_ONLY = true;
    Deployment: "apps" "v1" "deployments" "deployment" => |it| &it.spec.template.spec;
    ReplicaSet: "apps" "v1" "replicasets" "replicaset" => |it| &it.spec.template.spec;
    StatefulSet: "apps" "v1" "statefulsets" "statefulset" => |it| &it.spec.template.spec;
    DaemonSet: "apps" "v1" "daemonsets" "daemonset" => |it| &it.spec.template.spec;
    Job: "batch" "v1" "jobs" "job" => |it| &it.spec.template.spec;
    CronJob: "batch" "v1" "cronjobs" "cronjob" => |it| &it.spec.job_template.spec.template.spec;
    EndpointSlice: "discovery.k8s.io" "v1" "endpointslices" "endpointslice";
    NetworkPolicy: "networking.k8s.io" "v1" "networkpolicies" "networkpolicy";
    MutatingWebhookConfiguration: "admissionregistration.k8s.io" "v1" "mutatingwebhookconfigurations"
        "mutatingwebhookconfiguration" NAMESPACED = false;
}

/// The filter of a list; every part must match.
#[derive(Debug, Default, Clone)]
pub struct Query {
    /// Labels.
    pub labels: Option<LabelSelector>,
    /// Field selectors: `("spec.serviceAccountName", "checkout")`.
    pub fields: Vec<(&'static str, String)>,
}

//! The resources the fake serves. One table, because the path router, the world loader (which must know whether a kind
//! is namespaced), the RBAC rules (which must refuse typing errors) and discovery all need the same answer.

/// One resource of the API.
#[derive(Debug, PartialEq, Eq)]
pub struct Resource {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// Plural name as it occurs in paths and in RBAC.
    pub plural: &'static str,
    /// Kind as it occurs in objects.
    pub kind: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// kubectl's abbreviations, for discovery.
    pub short: &'static [&'static str],
}

/// The only version the fake serves, of every group.
pub const VERSION: &str = "v1";

const fn resource(
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
) -> Resource {
    Resource { group, plural, kind, namespaced: true, short }
}

const fn cluster_wide(group: &'static str, plural: &'static str, kind: &'static str) -> Resource {
    Resource { group, plural, kind, namespaced: false, short: &[] }
}

/// Every resource that has objects.
pub static RESOURCES: &[Resource] = &[
    resource("", "pods", "Pod", &["po"]),
    resource("", "serviceaccounts", "ServiceAccount", &["sa"]),
    cluster_wide("", "namespaces", "Namespace"),
    cluster_wide("", "nodes", "Node"),
    resource("", "events", "Event", &["ev"]),
    resource("", "configmaps", "ConfigMap", &["cm"]),
    resource("", "secrets", "Secret", &[]),
    resource("", "services", "Service", &["svc"]),
    resource("", "endpoints", "Endpoints", &["ep"]),
    resource("", "replicationcontrollers", "ReplicationController", &["rc"]),
    resource("apps", "deployments", "Deployment", &["deploy"]),
    resource("apps", "replicasets", "ReplicaSet", &["rs"]),
    resource("apps", "statefulsets", "StatefulSet", &["sts"]),
    resource("apps", "daemonsets", "DaemonSet", &["ds"]),
    resource("batch", "jobs", "Job", &[]),
    resource("batch", "cronjobs", "CronJob", &["cj"]),
    cluster_wide(
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
    ),
    resource("discovery.k8s.io", "endpointslices", "EndpointSlice", &[]),
    resource("networking.k8s.io", "networkpolicies", "NetworkPolicy", &["netpol"]),
];

/// Resources that exist only to be created (reviews) or only inside RBAC (impersonation): `(group, name)`.
pub const VIRTUAL: &[(&str, &str)] = &[
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("", "users"),
    ("", "groups"),
    ("authentication.k8s.io", "uids"),
];

/// The resource with this group and plural name.
pub fn by_path(group: &str, plural: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|r| r.group == group && r.plural == plural)
}

/// The resource with this `apiVersion` and `kind`.
pub fn by_kind(api_version: &str, kind: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|r| r.kind == kind && r.api_version() == api_version)
}

/// Whether the server serves anything in this group: it decides which of the two 404 answers an unknown resource gets.
pub fn group_exists(group: &str) -> bool {
    RESOURCES.iter().any(|r| r.group == group) || VIRTUAL.iter().any(|(g, _)| *g == group)
}

impl Resource {
    /// `v1` or `GROUP/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { VERSION.to_owned() } else { format!("{}/{VERSION}", self.group) }
    }

    /// `deployments.apps`, and `pods` for the core group: how error messages name it.
    pub fn qualified(&self) -> String {
        qualified(self.group, self.plural)
    }
}

/// `PLURAL.GROUP`, without the dot for the core group.
pub fn qualified(group: &str, plural: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_paths_lead_to_the_same_resource() {
        let deployment = by_kind("apps/v1", "Deployment").unwrap();
        assert_eq!(by_path("apps", "deployments"), Some(deployment));
        assert_eq!(deployment.qualified(), "deployments.apps");
        assert_eq!(by_kind("v1", "Deployment"), None);
        assert!(!by_kind("v1", "Namespace").unwrap().namespaced);
    }

    #[test]
    fn a_group_without_objects_is_still_a_group() {
        assert!(group_exists("authorization.k8s.io"));
        assert!(!group_exists("karpenter.sh"));
    }
}

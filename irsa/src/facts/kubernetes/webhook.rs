//! Mutating webhooks.

use serde::{Deserialize, Serialize};

use super::{LabelSelector, Meta, null_default, outlined};

object!(
    /// `MutatingWebhookConfiguration`.
    MutatingWebhookConfiguration {
        /// Metadata.
        metadata: Meta,
        /// Webhooks.
        webhooks: Vec<Webhook>,
    }
);

object!(
    /// `webhooks[]`.
    Webhook {
        /// Name: `iam-for-pods.amazonaws.com`.
        name: String,
        /// Where the API server calls it.
        client_config: WebhookClient,
        /// `Ignore` fails open.
        failure_policy: String,
        /// `IfNeeded` runs it again after other webhooks changed the pod.
        reinvocation_policy: String,
        /// Versions it is called with.
        admission_review_versions: Vec<String>,
        /// Namespaces it sees.
        namespace_selector: Option<LabelSelector>,
        /// Objects it sees.
        object_selector: Option<LabelSelector>,
        /// CEL conditions; not evaluated here.
        match_conditions: Vec<MatchCondition>,
        /// Operations and resources.
        rules: Vec<WebhookRule>,
    }
);

object!(
    /// `clientConfig`.
    WebhookClient {
        /// A URL, as EKS has it.
        url: String,
        /// A service in the cluster, as self-hosted webhooks have it.
        service: Option<ServiceRef>,
        /// Base64 of the PEM certificates that its serving certificate must chain to.
        ca_bundle: String,
    }
);

object!(
    /// `clientConfig.service`.
    ServiceRef {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
        /// Port, 443 by default.
        port: Option<u16>,
    }
);

object!(
    /// `matchConditions[]`.
    MatchCondition {
        /// Name.
        name: String,
        /// CEL.
        expression: String,
    }
);

object!(
    /// `rules[]`.
    WebhookRule {
        /// `CREATE`, …
        operations: Vec<String>,
        /// `pods`, …
        resources: Vec<String>,
    }
);

//! Endpoints of services.

use serde::{Deserialize, Serialize};

use super::{Meta, null_default, outlined};

object!(
    /// Endpoints of a service.
    EndpointSlice {
        /// Metadata; label `kubernetes.io/service-name` names the service.
        metadata: Meta,
        /// Endpoints.
        endpoints: Vec<Endpoint>,
    }
);

object!(
    /// `endpoints[]`.
    Endpoint {
        /// Conditions.
        conditions: EndpointConditions,
    }
);

object!(
    /// `conditions`.
    EndpointConditions {
        /// `None` counts as ready (discovery.k8s.io/v1).
        ready: Option<bool>,
    }
);

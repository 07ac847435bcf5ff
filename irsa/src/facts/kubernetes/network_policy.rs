//! NetworkPolicies, as far as they concern egress.

use serde::{Deserialize, Serialize};

use super::{LabelSelector, Meta, null_default, outlined};
use crate::facts::alike::{Outline, Pen};

object!(
    /// A NetworkPolicy.
    NetworkPolicy {
        /// Metadata.
        metadata: Meta,
        /// `spec`.
        spec: NetworkPolicySpec,
    }
);

object!(
    /// `spec`.
    NetworkPolicySpec {
        /// The pods that it applies to; if empty, all pods of the namespace.
        pod_selector: LabelSelector,
        /// `Ingress`, `Egress`.
        policy_types: Vec<String>,
        /// What they may call. Absent is not the same as empty, unless `policyTypes` names `Egress`.
        egress: Option<Vec<EgressRule>>,
    }
);

object!(
    /// `egress[]`.
    EgressRule {
        /// Destinations; empty for all.
        to: Vec<Peer>,
        /// Ports; empty for all.
        ports: Vec<PolicyPort>,
    }
);

object!(
    /// `to[]`.
    Peer {
        /// Addresses; without it, pods.
        ip_block: Option<IpBlock>,
        /// The pods' namespaces; without it, the policy's own.
        namespace_selector: Option<LabelSelector>,
        /// The pods in them; without it, all.
        pod_selector: Option<LabelSelector>,
    }
);

object!(
    /// `ipBlock`.
    IpBlock {
        /// `10.0.0.0/8`.
        cidr: String,
        /// Networks within it that are excluded.
        except: Vec<String>,
    }
);

object!(
    /// `ports[]`.
    PolicyPort {
        /// `TCP` if there is none.
        protocol: Option<String>,
        /// All ports if there is none.
        port: Option<PortRef>,
        /// The last of a range.
        end_port: Option<u16>,
    }
);

/// A port by number or by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PortRef {
    /// Its number.
    Number(u16),
    /// The name that a pod gives it.
    Name(String),
}

impl Outline for PortRef {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        match self {
            Self::Number(number) => number.outline(pen),
            Self::Name(name) => name.outline(pen),
        }
    }
}

impl NetworkPolicySpec {
    /// True if the policy restricts egress.
    pub fn is_for_egress(&self) -> bool {
        self.egress.as_ref().is_some_and(|rules| !rules.is_empty())
            || self.policy_types.iter().any(|kind| kind == "Egress")
    }
}

impl PolicyPort {
    /// True if a port of a protocol is among these.
    pub fn has(&self, protocol: &str, port: u16) -> bool {
        let in_range = match (&self.port, self.end_port) {
            (None, _) => true,
            (Some(PortRef::Number(first)), last) => (*first..=last.unwrap_or(*first)).contains(&port),
            // Only pods have names for their ports.
            (Some(PortRef::Name(_)), _) => false,
        };
        in_range && self.is_for(protocol)
    }

    /// True if it is a port of this protocol.
    pub fn is_for(&self, protocol: &str) -> bool {
        self.protocol.as_deref().unwrap_or("TCP") == protocol
    }

    /// True if the port is given by name.
    pub fn is_named(&self) -> bool {
        matches!(self.port, Some(PortRef::Name(_)))
    }
}

//! Which egress the namespace's NetworkPolicies allow the pod. They add up: once one of them covers the pod's egress, the pod may
//! only call what one of them allows. Whether they are enforced is up to the network plugin, so they explain a call that got no
//! answer, and make one unlikely that nobody has seen.

use super::Derived;
use super::sts::is_in_network;
use crate::facts::kubernetes::{EgressRule, IpBlock, NetworkPolicy, Peer};
use crate::facts::{Sourced, Unknown, of_listing};

/// The policies that cover the pod's egress.
#[derive(Debug)]
pub(crate) struct Egress<'f> {
    policies: Vec<&'f Sourced<NetworkPolicy>>,
}

/// A call that the pod makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'c> {
    /// `TCP` or `UDP`.
    pub protocol: &'static str,
    /// The ports that may answer.
    pub ports: &'c [u16],
    /// Where to, as far as that is known.
    pub addresses: &'c [String],
    /// The pods that may answer it, behind a service.
    pub to_pods: Option<Pods<'c>>,
}

/// Pods, as far as is known about them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pods<'c> {
    /// Their namespace.
    pub namespace: Option<&'c str>,
    /// Labels that they have.
    pub labels: &'c [(&'c str, &'c str)],
}

impl<'f> Egress<'f> {
    /// The policies that select the pod, or why they are not all known. Pods in the node's network have none.
    pub(crate) fn of(derived: &Derived<'f>) -> Result<Self, &'f Unknown> {
        let facts = derived.facts;
        if let Some(unknown) = of_listing(&facts.network_policies) {
            return Err(unknown);
        }
        let all = facts.network_policies.known().into_iter().flat_map(|listing| &listing.value.items);
        let pod = derived.spec().filter(|(spec, ..)| !spec.host_network);
        let policies = match pod {
            Some((_, meta, ..)) => {
                let selects = |policy: &&Sourced<NetworkPolicy>| {
                    let spec = &policy.value.spec;
                    spec.is_for_egress() && spec.pod_selector.first_unmet(&meta.labels).is_none()
                };
                all.filter(selects).collect()
            }
            None => Vec::new(),
        };
        Ok(Self { policies })
    }

    /// The policies, if there are any and none of them allows the call.
    pub(crate) fn closed_to(&self, call: Call<'_>) -> Option<&[&'f Sourced<NetworkPolicy>]> {
        let passes = |policy: &&Sourced<NetworkPolicy>| {
            let mut rules = policy.value.spec.egress.iter().flatten();
            rules.any(|rule| may_pass(rule, &policy.value.metadata.namespace, call))
        };
        (!self.policies.is_empty() && !self.policies.iter().any(passes)).then_some(&self.policies)
    }
}

/// False only if the rule, of a policy in that namespace, certainly does not allow the call.
fn may_pass(rule: &EgressRule, namespace: &str, call: Call<'_>) -> bool {
    let on_port = rule.ports.is_empty()
        || rule.ports.iter().any(|allowed| {
            // Only pods have names for their ports.
            allowed.is_named() && allowed.is_for(call.protocol) && call.to_pods.is_some()
                || call.ports.iter().any(|port| allowed.has(call.protocol, *port))
        });
    let to = rule.to.is_empty()
        || rule.to.iter().any(|peer| match &peer.ip_block {
            Some(block) => call.addresses.is_empty() || call.addresses.iter().any(|to| is_in(block, to)),
            None => call.to_pods.is_some_and(|pods| may_select(peer, namespace, pods)),
        });
    on_port && to
}

/// False only if the peer certainly selects none of the pods.
fn may_select(peer: &Peer, namespace: &str, pods: Pods<'_>) -> bool {
    // The API server gives each namespace this label.
    let name = |name| [("kubernetes.io/metadata.name", name)];
    let in_namespace = match (&peer.namespace_selector, pods.namespace) {
        (_, None) => true,
        (Some(selector), Some(of_pods)) => selector.may_match(&name(of_pods)),
        (None, Some(of_pods)) => of_pods == namespace,
    };
    in_namespace && peer.pod_selector.as_ref().is_none_or(|selector| selector.may_match(pods.labels))
}

fn is_in(block: &IpBlock, address: &str) -> bool {
    is_in_network(&block.cidr, address) && !block.except.iter().any(|part| is_in_network(part, address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Source;

    fn policy(egress: &serde_json::Value) -> Sourced<NetworkPolicy> {
        let value = serde_json::json!({ "spec": { "policyTypes": ["Egress"], "egress": egress } });
        let source = Source::Token { field: String::new() };
        Sourced { value: serde_json::from_value(value).unwrap(), source }
    }

    #[test]
    fn a_call_is_closed_only_if_no_rule_can_let_it_out() {
        let addresses = [String::from("52.94.5.1")];
        let sts = Call { protocol: "TCP", ports: &[443], addresses: &addresses, to_pods: None };
        let somewhere = Call { addresses: &[], ..sts };
        let pods = Pods { namespace: Some("kube-system"), labels: &[("k8s-app", "kube-dns")] };
        let dns = Call { protocol: "UDP", ports: &[53], addresses: &addresses, to_pods: Some(pods) };
        for (egress, closed) in [
            (r"null", [true, true, true]),
            (r"[]", [true, true, true]),
            (r"[{}]", [false, false, false]),
            (r#"[{"ports": [{"port": 443}]}]"#, [false, false, true]),
            (r#"[{"ports": [{"port": 400, "endPort": 500}]}]"#, [false, false, true]),
            (r#"[{"ports": [{"port": 443, "protocol": "UDP"}]}]"#, [true, true, true]),
            (r#"[{"ports": [{"protocol": "TCP"}]}]"#, [false, false, true]),
            (r#"[{"ports": [{"port": "dns", "protocol": "UDP"}]}]"#, [true, true, false]),
            (r#"[{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]"#, [true, false, true]),
            (
                r#"[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["52.0.0.0/8"]}}]}]"#,
                [true, false, true],
            ),
            (
                r#"[{"to": [{"ipBlock": {"cidr": "52.94.0.0/16"}}], "ports": [{"port": 443}]}]"#,
                [false, false, true],
            ),
            (r#"[{"to": [{"podSelector": {}}]}]"#, [true, true, true]),
            (r#"[{"ports": [{"port": "dns-tcp", "protocol": "TCP"}]}]"#, [true, true, true]),
            (r#"[{"ports": [{"port": 53, "protocol": "TCP"}]}]"#, [true, true, true]),
            (r#"[{"to": [{"namespaceSelector": {}}]}]"#, [true, true, false]),
            (
                r#"[{"to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}]}]"#,
                [true, true, false],
            ),
            (
                r#"[{"to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "coredns"}}}]}]"#,
                [true, true, true],
            ),
            (
                r#"[{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]}]"#,
                [true, true, false],
            ),
            (
                r#"[{"to": [{"namespaceSelector": {"matchLabels": {"name": "kube-system"}}}]}]"#,
                [true, true, false],
            ),
            (
                r#"[{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}]}]"#,
                [true, true, true],
            ),
            (
                r#"[{"to": [{"namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}]}}]}]"#,
                [true, true, true],
            ),
            (
                r#"[{"to": [{"namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["kube-system", "istio-system"]}]}}]}]"#,
                [true, true, false],
            ),
            (r#"[{"to": [{"namespaceSelector": {}}], "ports": [{"port": 5432}]}]"#, [true, true, true]),
        ] {
            let policy = policy(&serde_json::from_str(egress).unwrap());
            let egress_of_pod = Egress { policies: vec![&policy] };
            let found = [sts, somewhere, dns].map(|call| egress_of_pod.closed_to(call).is_some());
            assert_eq!(found, closed, "{egress}");
        }
        assert!(Egress { policies: Vec::new() }.closed_to(sts).is_none(), "who has no policy may call");
    }
}

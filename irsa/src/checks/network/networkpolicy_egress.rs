//! # A NetworkPolicy blocks the pod's calls for credentials
//!
//! Once a NetworkPolicy restricts a pod's egress, the pod may connect only to what one of its policies allows. A default-deny
//! policy, or one that lists just the application's own services, leaves out port 443 to STS, port 53 to the name server, or
//! port 80 to the EKS Pod Identity agent.
//!
//! **You see**: timeouts: `dial tcp 52.94.5.1:443: i/o timeout`, `lookup sts.eu-west-1.amazonaws.com on 172.20.0.10:53: … i/o
//! timeout`. Policies drop packets, so nothing answers.
//!
//! **Decided by**: NetworkPolicies that select the pod, none of which can allow such a call. With a call that got no answer, as
//! the probe saw it or the application reports, it is an error; before anyone has seen one, a warning. Either is inferred:
//! security groups and routes drop packets, too, and not every network plugin enforces policies. Cilium's and Calico's own
//! kinds of policy are not read.
//!
//! **Not a fault**: a policy by itself, where the probe or the application got through; policies that select pods with
//! `hostNetwork`, to which none applies; an `ipBlock` that may be where STS or the name server is.
//!
//! **Repair**: allow the port in one of the policies. Under Cilium no `ipBlock` matches the EKS Pod Identity agent, which is the
//! node itself: it takes a CiliumNetworkPolicy with `toEntities: [host]`.

use irsa_probe::FaultKind;
use serde_json::{Value, json};

use super::failed_on_the_way;
use crate::aws::endpoint::{host_of_url, is_local};
use crate::aws_error::Kind;
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};
use crate::derive::agent::Call as AgentCall;
use crate::derive::app_errors::Weight;
use crate::derive::egress::{Call, Egress, Pods};
use crate::derive::probed::{Leg, ProbedPod};
use crate::derive::sts;
use crate::facts::kubernetes::{EgressRule, NetworkPolicy, PolicyPort, PortRef};

pub(super) const META: Meta = Meta {
    id: "networkpolicy-egress",
    step: Step::Network,
    title: "a NetworkPolicy blocks the pod's calls for credentials",
    explains: &["dns-coredns", "sts-unreachable-no-egress", "silent-fallback-to-node-role"],
};

/// A lookup that failed after this many milliseconds got no answer: a server that reports a failure does so at once.
const SILENCE: u64 = 1000;

/// Who did not answer.
#[derive(Clone, Copy)]
enum Silent {
    Sts,
    NameServer,
    Agent,
}

impl Silent {
    const fn name(self) -> &'static str {
        match self {
            Self::Sts => "STS",
            Self::NameServer => "the name server",
            Self::Agent => "the EKS Pod Identity agent",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Sts => 443,
            Self::NameServer => 53,
            Self::Agent => 80,
        }
    }

    fn call<'c>(self, derived: &Derived<'_>, addresses: &'c [String]) -> Call<'c> {
        match self {
            Self::Sts => Call { protocol: "TCP", ports: &[443], addresses, to_pods: None },
            Self::Agent => Call { protocol: "TCP", ports: &[80], addresses, to_pods: None },
            // OpenShift's DNS pods listen on the second one, behind a service on the first.
            Self::NameServer => {
                let on_eks = Pods { namespace: Some("kube-system"), labels: &[("k8s-app", "kube-dns")] };
                let pods = if derived.platform == Platform::Eks { on_eks } else { Pods::default() };
                Call { protocol: "UDP", ports: &[53, 5353], addresses, to_pods: Some(pods) }
            }
        }
    }

    fn summary(self, who: &str) -> String {
        let (name, port) = (self.name(), self.port());
        format!(
            "{who} gets no answer from {name}, and no NetworkPolicy of the pod allows egress to it on port {port}"
        )
    }
}

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    // Once the probe has tried the path, earlier messages about it no longer count.
    let seen = probed::of_irsa(derived).filter(|seen| seen.way().is_some());
    let unanswered = match (derived.call_to_agent(), seen) {
        (AgentCall::Probe(seen, _), _) => of_agent(derived, seen).ok_or(Outcome::Pass),
        (_, Some(seen)) => probed(derived, seen).ok_or(Outcome::Pass),
        (_, None) => said(derived),
    };
    let (silent, addresses, finding) = match unanswered {
        Ok(unanswered) => unanswered,
        Err(outcome) => {
            let otherwise = || probed::or_pass(derived, META.step, outcome);
            return unseen(derived).map_or_else(otherwise, Outcome::from);
        }
    };
    let egress = match Egress::of(derived) {
        Ok(egress) => egress,
        Err(why) => return unknown(why),
    };
    match egress.closed_to(silent.call(derived, &addresses)) {
        Some(policies) => closed(derived, finding.inferred(), policies, silent, &addresses).into(),
        None => Outcome::Pass,
    }
}

/// No policy of the pod allows it a call that it has to make, and nobody has seen the call yet.
fn unseen(derived: &Derived<'_>) -> Option<Finding> {
    let target = derived.target()?;
    let agent = [sts::AGENT_HOST.to_owned()];
    let calls: &[(Silent, &[String])] = match derived.intent.mechanism {
        Mechanism::PodIdentity if matches!(derived.call_to_agent(), AgentCall::Unseen) => {
            &[(Silent::Agent, &agent)]
        }
        // Another host may be anywhere, and a proxy has an address of its own.
        Mechanism::Irsa if leads_to_sts(target) && !got_through(derived) => {
            &[(Silent::NameServer, &[]), (Silent::Sts, &[])]
        }
        _ => return None,
    };
    // Policies that may not be listed are among what could not be read.
    let egress = Egress::of(derived).ok()?;
    let mut closed_to = calls.iter().filter_map(|&(silent, addresses)| {
        Some((silent, addresses, egress.closed_to(silent.call(derived, addresses))?))
    });
    let (silent, addresses, policies) = closed_to.next()?;
    let summary = format!(
        "no NetworkPolicy allows container {} to call {} on port {}; if the network plugin enforces them, the call gets no answer",
        target.name(),
        silent.name(),
        silent.port()
    );
    let finding =
        META.on_container(derived, target, Severity::Warning, summary).inferred().doubt(Doubt::MayFail);
    Some(closed(derived, finding, policies, silent, addresses))
}

/// True if the container's settings let it call STS directly.
fn leads_to_sts(view: &ContainerView<'_>) -> bool {
    sts::endpoint_override(&view.env).is_none() && view.env.first_set(&super::FOR_HTTPS).is_none()
}

/// True if the pod is known to have had an answer of AWS: the probe tried the way, or the application reports what AWS said.
fn got_through(derived: &Derived<'_>) -> bool {
    let answered = |kind: Kind| kind.stage().is_some() && !kind.is_transport();
    probed::of_irsa(derived).is_some_and(|seen| seen.way().is_some())
        || derived.app_errors.iter().any(|said| {
            said.weight != Weight::History && (said.caller.is_some() || answered(said.error.kind))
        })
}

/// The probe got no answer: from whom, at which addresses, and the start of a finding.
fn probed(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<(Silent, Vec<String>, Finding)> {
    let (_, way) = seen.way().filter(|(_, way)| way.proxy.is_none())?;
    let lookup = way.lookup.as_ref()?;
    let (silent, addresses, field) = match seen.blocked()? {
        (Leg::Tcp, FaultKind::Timeout) => (Silent::Sts, &lookup.addresses, "network.connection.tcp"),
        (Leg::Lookup, FaultKind::Timeout | FaultKind::ResolverFailed) if lookup.millis >= SILENCE => {
            let resolver = seen.report().network.as_ref()?.resolver.as_ref()?;
            (Silent::NameServer, &resolver.servers, "network.connection.lookup")
        }
        _ => return None,
    };
    let summary = silent.summary(&format!("container {}", seen.container()));
    let words = way.fault.as_ref()?.text.as_str();
    let finding = probed::finding(&META, derived, seen, summary).seen(
        format!("call to {}", silent.name()),
        words,
        &seen.at(field),
    );
    Some((silent, addresses.clone(), finding))
}

/// The same for a probe that called the EKS Pod Identity agent.
fn of_agent(derived: &Derived<'_>, seen: &ProbedPod<'_>) -> Option<(Silent, Vec<String>, Finding)> {
    let asked = seen.report().container_credentials.as_ref()?;
    let fault = asked.connection.as_ref()?.fault.as_ref()?;
    if fault.kind != FaultKind::Timeout || derived.intent.mechanism != Mechanism::PodIdentity {
        return None;
    }
    let address = host_of_url(&asked.url)?;
    let summary = Silent::Agent.summary(&format!("container {}", seen.container()));
    let finding = probed::finding(&META, derived, seen, summary).seen(
        format!("call to {}", Silent::Agent.name()),
        &fault.text,
        &seen.at("containerCredentials.connection"),
    );
    Some((Silent::Agent, vec![address.to_owned()], finding))
}

/// The application reports that it gets no answer.
fn said(derived: &Derived<'_>) -> Result<(Silent, Vec<String>, Finding), Outcome> {
    let (said, host) =
        failed_on_the_way(derived, |kind| matches!(kind, Kind::ConnectTimeout | Kind::DnsTimeout))?;
    let silent = if said.error.kind == Kind::DnsTimeout { Silent::NameServer } else { Silent::Sts };
    let summary = silent.summary(&app_errors::speaker(derived));
    let finding = app_errors::finding(&META, derived, said, &summary).seen(
        format!("call to {}, for {host}", silent.name()),
        "no answer",
        said.source,
    );
    Ok((silent, Vec::new(), finding))
}

/// Shows the policies, and how to allow the call in one of them.
fn closed(
    derived: &Derived<'_>,
    finding: Finding,
    policies: &[&Sourced<NetworkPolicy>],
    silent: Silent,
    addresses: &[String],
) -> Finding {
    let expected = format!("a rule for port {} to {}", silent.port(), silent.name());
    let finding = policies.iter().take(SHOWN).fold(finding, |finding, policy| {
        let (name, at) = (&policy.value.metadata.name, policy.source.at(".spec.egress"));
        finding.evidence(
            format!("egress of NetworkPolicy {name}"),
            &expected,
            rules(&policy.value.spec.egress),
            &at,
        )
    });
    let Some(policy) = policies.first() else { return finding };
    let (rule, name) = (rule(derived, silent, addresses), &policy.value.metadata.name);
    // The API server drops an empty list, so there is none to append to.
    let patch = match policy.value.spec.egress.as_deref() {
        Some([_, ..]) => json!([{ "op": "add", "path": "/spec/egress/-", "value": rule }]),
        Some([]) | None => json!([{ "op": "add", "path": "/spec/egress", "value": [rule] }]),
    };
    let object = Object::of(ObjectKind::NetworkPolicy, &derived.facts.namespace_name, name);
    let act = Act::of(derived, ObjectChange { object, edit: Edit::Json(patch) });
    finding.fix(Fix::shared(
        format!("allow egress on port {}, for all pods that the policy selects", silent.port()),
        act,
    ))
}

/// Policies that are shown.
const SHOWN: usize = 3;

/// What the rules allow, in a few words: `5432 TCP; all ports`.
fn rules(rules: &Option<Vec<EgressRule>>) -> String {
    let port = |port: &PolicyPort| {
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        match (&port.port, port.end_port) {
            (Some(PortRef::Number(first)), Some(last)) => format!("{first}-{last} {protocol}"),
            (Some(PortRef::Number(port)), None) => format!("{port} {protocol}"),
            (Some(PortRef::Name(name)), _) => format!("{name} {protocol}"),
            (None, _) => format!("all {protocol} ports"),
        }
    };
    let rule = |rule: &EgressRule| {
        let ports: Vec<String> = rule.ports.iter().map(port).collect();
        let ports = if ports.is_empty() { String::from("all ports") } else { ports.join(", ") };
        let blocks: Vec<&str> =
            rule.to.iter().filter_map(|peer| Some(peer.ip_block.as_ref()?.cidr.as_str())).collect();
        match (rule.to.is_empty(), blocks.is_empty()) {
            (true, _) => ports,
            (false, true) => format!("{ports} to pods"),
            (false, false) => format!("{ports} to {}", blocks.join(", ")),
        }
    };
    match rules.as_deref() {
        None | Some([]) => String::from("no rule"),
        Some(rules) => rules.iter().map(rule).collect::<Vec<_>>().join("; "),
    }
}

/// The narrowest rule that allows the call: STS has many addresses, while those of a VPC endpoint stay the same.
fn rule(derived: &Derived<'_>, silent: Silent, addresses: &[String]) -> Value {
    let stays = !addresses.is_empty() && addresses.iter().all(|address| is_local(address));
    let single = |address: &String| {
        let bits = if address.contains(':') { 128 } else { 32 };
        json!({ "ipBlock": { "cidr": format!("{address}/{bits}") } })
    };
    let ports = |protocols: &[&str]| -> Vec<Value> {
        protocols.iter().map(|protocol| json!({ "port": silent.port(), "protocol": protocol })).collect()
    };
    match silent {
        Silent::Sts | Silent::Agent if stays => {
            json!({ "ports": ports(&["TCP"]), "to": addresses.iter().map(single).collect::<Vec<_>>() })
        }
        Silent::Sts | Silent::Agent => json!({ "ports": ports(&["TCP"]) }),
        // Policies match pods, not the service in front of them.
        Silent::NameServer if derived.platform == Platform::Eks => {
            let of_system = json!({ "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } });
            json!({ "ports": ports(&["UDP", "TCP"]), "to": [{ "namespaceSelector": of_system }] })
        }
        Silent::NameServer => json!({ "ports": ports(&["UDP", "TCP"]) }),
    }
}

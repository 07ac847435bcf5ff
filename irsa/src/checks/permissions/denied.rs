//! What the permission checks have in common: when they apply, and how they report a denial.

use crate::aws::arn::Arn;
use crate::aws_error::Because;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors;
use crate::derive::denial::{Culprit, Denial, Simulator, Witness};

/// The outcome of the check for one kind of policy; `repair` adds what is specific to it.
pub(in crate::checks) fn outcome(
    meta: &'static Meta,
    culprit: Culprit,
    derived: &Derived<'_>,
    repair: impl Fn(Finding, &Denial<'_>) -> Finding,
) -> Outcome {
    let denials = derived.denials();
    let of_it = denials.all.iter().filter(|denial| denial.culprit == culprit);
    let findings: Vec<Finding> = of_it.map(|denial| repair(finding(meta, derived, denial), denial)).collect();
    let seen_by_simulator = culprit.is_simulated();
    match denials.simulator {
        _ if !findings.is_empty() => Outcome::Fail(findings),
        Simulator::Unknown(why) if seen_by_simulator => unknown(why),
        Simulator::Open(whys) if seen_by_simulator => Outcome::Unknown(whys),
        Simulator::Answered if seen_by_simulator && denials.all.is_empty() => Outcome::Pass,
        _ if denials.of_others => {
            Outcome::NotApplicable("AWS denied something, but to a caller other than the pod's role")
        }
        _ if !denials.all.is_empty() => Outcome::NotApplicable("AWS names another kind of policy"),
        _ => Outcome::NotApplicable(
            "AWS is not known to have denied anything; say what the application needs with --action s3:GetObject",
        ),
    }
}

fn finding(meta: &'static Meta, derived: &Derived<'_>, denial: &Denial<'_>) -> Finding {
    let who = match (&denial.role.name, denial.role.expected) {
        (Some(role), _) if denial.role.of_agent => format!("the node's role {role}"),
        (Some(role), true) => format!("role {role}"),
        (Some(role), false) => format!("role {role}, which is not the pod's,"),
        (None, _) => app_errors::speaker(derived),
    };
    let on = denial.resource.map_or_else(String::new, |resource| format!(" on {resource}"));
    let what = denial.what();
    let works = match derived.intent.mechanism {
        _ if denial.role.of_agent => {
            "; the EKS Pod Identity agent asks as that role, and the pod gets no credentials"
        }
        _ if !denial.role.expected || matches!(denial.witness, Witness::Simulator(..)) => "",
        Mechanism::PodIdentity => "; EKS Pod Identity works, this is an authorization problem",
        _ => "; IRSA works, this is an authorization problem",
    };
    let summary = format!("{} denies {who} {what}{on}: {}{works}", speaks(denial), reason(denial));
    let found = if denial.because.is_some() { reason(denial) } else { String::from("denied") };
    let base = match denial.witness {
        Witness::AppErrors(said) => app_errors::finding(meta, derived, said, &summary),
        Witness::Agent(_) | Witness::Simulator(..) => meta.on_subject(derived, summary),
    };
    let source = denial.source();
    let mut finding =
        base.severity(denial.severity(derived)).evidence(format!("{what}{on}"), "allowed", found, source);
    if let Witness::AppErrors(said) = denial.witness
        && let Some(caller) = said.caller
    {
        let whose = match denial.role {
            _ if denial.role.of_agent => "caller (the node's role, for the pod)",
            _ if denial.role.expected => "caller (the pod's own role)",
            _ => "caller (another role than the pod's)",
        };
        finding = finding.seen(whose, &caller.principal.arn, source);
    }
    if let Witness::Simulator(result, _) = denial.witness
        && !result.matched.is_empty()
    {
        finding = finding.seen("matching policies", result.matched.join(", "), source);
    }
    if denial.repaired
        && let Some(results) = derived.facts.aws.simulation.known()
    {
        finding = finding.seen("IAM's simulator now", "allowed", &results.source);
    }
    if denial.because.is_none() { finding.inferred() } else { finding }
}

fn speaks(denial: &Denial<'_>) -> &'static str {
    match denial.witness {
        Witness::AppErrors(_) | Witness::Agent(_) => "AWS",
        Witness::Simulator(..) => "IAM's simulator",
    }
}

/// Why, in AWS's terms.
fn reason(denial: &Denial<'_>) -> String {
    if denial.is_nameless() {
        return String::from("AWS did not say to which caller, nor by which policy");
    }
    denial.because.map_or_else(|| String::from("AWS did not say which policy"), Because::words)
}

/// A denial from before the repair is no longer a fault; IAM takes some seconds to propagate the change.
pub(in crate::checks) fn done(finding: Finding, name: &str) -> Finding {
    let severity = finding.severity.max(Severity::Warning);
    finding.severity(severity).fix(Fix::advice(format!(
        "the role's inline policy {name} allows it by now: have the application try again"
    )))
}

/// The account that the resource belongs to, if its ARN says so.
pub(in crate::checks) fn account_of<'d>(denial: &Denial<'d>) -> Option<&'d str> {
    Arn::account_of(denial.resource?)
}

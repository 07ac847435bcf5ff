//! Wording that several formats share.

use crate::diagnosis::{
    Diagnosis, Fate, Identity, Link, Proof, Reported, ReportedError, Status, Target, Unchecked, Verdict,
};
use crate::finding::{Confidence, Severity};
use crate::mechanism::Mechanism;
use crate::repair::Fix;

/// The verdict, for people.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotConfigured => "not configured",
        other => other.name(),
    }
}

/// The status of a link, in a word or two.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Fail => "fail",
        Status::Warn => "warning",
        Status::Unknown => "not checked",
        Status::Skipped => "skipped",
        Status::NotApplicable => "does not apply",
    }
}

/// How far the proof reaches.
pub(super) fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::Config => "proof: configuration only; no token was tried",
        Proof::Iam => "proof: STS accepted a token of this service account",
        Proof::Pod => "proof: the identity was confirmed from inside the container",
    }
}

/// `pod/x`, or what the user named if no pod was examined.
pub(super) fn subject(target: &Target) -> String {
    match &target.pod {
        Some(pod) => format!("pod/{pod}"),
        None => format!("{}/{}", target.kind, target.name),
    }
}

/// Errors that nothing else explains, in the order of repair; the root cause is the first.
pub(super) fn faults(diagnosis: &Diagnosis) -> Vec<&Reported> {
    unexplained(diagnosis, Severity::Error)
}

/// Findings of a severity that nothing else explains.
pub(super) fn unexplained(diagnosis: &Diagnosis, severity: Severity) -> Vec<&Reported> {
    let findings = diagnosis.findings.iter();
    findings.filter(|finding| finding.severity == severity && finding.caused_by.is_none()).collect()
}

/// Faults other than the root cause.
pub(super) fn other_faults(diagnosis: &Diagnosis) -> Vec<&Reported> {
    let root = diagnosis.root_cause.as_ref().map(|root| root.key.as_str());
    faults(diagnosis).into_iter().filter(|fault| Some(fault.key.as_str()) != root).collect()
}

/// The application's errors that are told: those that nothing explains, and what the user gave and does not count.
pub(super) fn told_errors(diagnosis: &Diagnosis) -> Vec<&ReportedError> {
    let is_told = |error: &&ReportedError| {
        error.fate == Fate::Unexplained || error.given && error.fate != Fate::Explained
    };
    diagnosis.application_errors.iter().filter(is_told).collect()
}

/// Above the application's errors.
pub(super) fn errors_heading(errors: &[&ReportedError]) -> &'static str {
    if errors.iter().any(|error| error.fate == Fate::Unexplained) {
        "reported by the application, and not explained"
    } else {
        "the error that was given"
    }
}

/// An application's error in one line: what it says, how often, and where.
pub(super) fn app_error(error: &ReportedError) -> String {
    let times = if error.count > 1 { format!(", {} times", error.count) } else { String::new() };
    format!("{} ({}{times})", error.error, error.source)
}

/// `[id]`, with a note if it is a conclusion.
pub(super) fn tag(finding: &Reported) -> String {
    match finding.confidence {
        Confidence::Observed => format!("[{}]", finding.id),
        Confidence::Inferred => format!("[{}, inferred: another cause is possible]", finding.id),
    }
}

/// The id of the finding that explains this one.
pub(super) fn cause<'d>(diagnosis: &'d Diagnosis, finding: &Reported) -> Option<&'d str> {
    let key = finding.caused_by.as_ref()?;
    diagnosis.findings.iter().find(|other| other.key == *key).map(|other| other.id)
}

/// A line of the chain: one link, or several in a row that were not checked for the same reason.
pub(super) struct Row {
    pub status: Status,
    pub label: String,
    pub text: String,
}

/// The chain, for people; every link on its own if `all`.
pub(super) fn chain(diagnosis: &Diagnosis, all: bool, ellipsis: &str) -> Vec<Row> {
    let links = diagnosis.chain.iter().filter(|link| all || link.status != Status::NotApplicable);
    let links: Vec<&Link> = links.collect();
    let row = |run: &[&Link]| match run {
        [] => None,
        [one] => Some(Row {
            status: one.status,
            label: one.step.label().to_owned(),
            text: state(diagnosis, one, all),
        }),
        [first, .., last] => Some(Row {
            status: first.status,
            label: format!("{} {ellipsis} {}", first.step.label(), last.step.label()),
            text: state(diagnosis, first, all),
        }),
    };
    links.chunk_by(|a, b| !all && alike(diagnosis, a, b)).filter_map(row).collect()
}

/// Neither was checked, for the same reason.
fn alike(diagnosis: &Diagnosis, a: &Link, b: &Link) -> bool {
    let of = |link| unchecked(diagnosis, link);
    let same = match (of(a), of(b)) {
        // If the reason is given below the chain, the rows only name what is missing.
        (Some(a), Some(b)) if told_below(a) || told_below(b) => a == b,
        _ => reason(diagnosis, a) == reason(diagnosis, b),
    };
    matches!(a.status, Status::Unknown | Status::Skipped)
        && a.status == b.status
        && a.summary == b.summary
        && same
}

/// Longer reasons, in characters, do not fit into the chain.
const SHORT: usize = 100;

/// True if something that was not checked belongs below the chain: its reason is long, or a permission would help.
fn told_below(unchecked: &Unchecked) -> bool {
    unchecked.grant.is_some() || unchecked.why.chars().count() > SHORT
}

/// Why a link was not checked, without saying what.
fn reason<'d>(diagnosis: &'d Diagnosis, link: &'d Link) -> Option<&'d str> {
    match unchecked(diagnosis, link) {
        Some(unchecked) => Some(&unchecked.why),
        None => link.reason.as_deref(),
    }
}

/// A link's state in a sentence. Findings that are reported in full elsewhere appear here by their title.
fn state(diagnosis: &Diagnosis, link: &Link, all: bool) -> String {
    let told = |severity| {
        let mut findings = diagnosis.findings.iter();
        findings.find(|finding| {
            finding.step == link.step && finding.severity == severity && finding.summary == link.summary
        })
    };
    let reason = link.reason.as_deref();
    match link.status {
        Status::Pass => link.summary.clone(),
        Status::Fail => match told(Severity::Error) {
            Some(finding) => match cause(diagnosis, finding) {
                Some(cause) => format!("{} (because of {cause})", finding.summary),
                None => finding.title.to_owned(),
            },
            None => link.summary.clone(),
        },
        Status::Warn => {
            let summary = told(Severity::Warning).map_or(link.summary.as_str(), |finding| finding.title);
            reason.map_or_else(|| summary.to_owned(), |reason| format!("{summary}; {reason}"))
        }
        Status::Unknown | Status::Skipped | Status::NotApplicable => {
            match unchecked(diagnosis, link) {
                Some(unchecked) if told_below(unchecked) => {
                    return format!("{}: {}, see below", link.summary, unchecked.what);
                }
                // The link's name already says what.
                Some(Unchecked { why, .. }) if !all => return format!("{}: {why}", link.summary),
                _ => {}
            }
            reason.map_or_else(|| link.summary.clone(), |reason| format!("{}: {reason}", link.summary))
        }
    }
}

/// The unknown that a link's reason is about.
fn unchecked<'d>(diagnosis: &'d Diagnosis, link: &Link) -> Option<&'d Unchecked> {
    let reason = link.reason.as_deref()?;
    diagnosis.unknowns.iter().find(|unknown| reason == format!("{}: {}", unknown.what, unknown.why))
}

/// What was not checked, except what the chain already says in full; grouped by reason.
pub(super) fn not_checked(diagnosis: &Diagnosis) -> Vec<Unchecked> {
    let in_chain = |unknown: &Unchecked| {
        let mut links = diagnosis.chain.iter().filter(|link| link.status == Status::Unknown);
        !told_below(unknown)
            && links.any(|link| unchecked(diagnosis, link).is_some_and(|told| told == unknown))
    };
    let mut groups: Vec<Unchecked> = Vec::new();
    for unknown in diagnosis.unknowns.iter().filter(|unknown| !in_chain(unknown)) {
        match groups.iter_mut().find(|group| group.why == unknown.why) {
            Some(group) => {
                group.what = format!("{}, {}", group.what, unknown.what);
                let more = unknown.grant.as_ref().filter(|grant| group.grant.as_ref() != Some(*grant));
                group.grant = match (group.grant.take(), more) {
                    (Some(grants), Some(grant)) => Some(format!("{grants}, {grant}")),
                    (grants, grant) => grants.or_else(|| grant.cloned()),
                };
            }
            None => groups.push(unknown.clone()),
        }
    }
    groups
}

/// The permissions that would allow the missing checks, each once.
pub(super) fn grants(diagnosis: &Diagnosis) -> Vec<&str> {
    let mut grants: Vec<&str> = Vec::new();
    for grant in diagnosis.unknowns.iter().filter_map(|unknown| unknown.grant.as_deref()) {
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    grants
}

/// True if something is missing only because the given files do not contain it.
pub(super) fn wants_files(diagnosis: &Diagnosis) -> bool {
    let words = crate::facts::Why::NotInFiles.to_string();
    diagnosis.unknowns.iter().any(|unknown| unknown.why == words)
}

/// Containers whose identity differs from that of the container that the report is about, in one sentence.
pub(super) fn other_containers(diagnosis: &Diagnosis) -> Option<String> {
    let target = diagnosis.target.container.as_deref()?;
    let own = diagnosis.identities.iter().find(|identity| identity.container == target)?;
    let same = |other: &&Identity| {
        other.actual.mechanism == own.actual.mechanism
            && other.actual.role_arn == own.actual.role_arn
            && other.actual.caller_arn == own.actual.caller_arn
    };
    let mut groups: Vec<(Vec<&str>, String)> = Vec::new();
    for other in diagnosis.identities.iter().filter(|other| other.container != target && !same(other)) {
        let words = identity(other);
        match groups.iter_mut().find(|(_, known)| *known == words) {
            Some((names, _)) => names.push(&other.container),
            None => groups.push((vec![&other.container], words)),
        }
    }
    if groups.is_empty() {
        return None;
    }
    let parts = groups.iter().map(|(names, words)| {
        format!("{} {} {words}", names.join(", "), if names.len() == 1 { "has" } else { "have" })
    });
    Some(parts.collect::<Vec<_>>().join("; "))
}

fn identity(identity: &Identity) -> String {
    let actual = &identity.actual;
    let with = |words: &str| match &actual.role_arn {
        Some(role) => format!("{words} for {role}"),
        None => words.to_owned(),
    };
    match actual.mechanism {
        Mechanism::Irsa => with("a web identity (irsa)"),
        Mechanism::PodIdentity => String::from("EKS Pod Identity (pod-identity)"),
        Mechanism::StaticKeys => String::from("access keys in its environment (static-keys)"),
        Mechanism::Profile => String::from("a profile (profile)"),
        Mechanism::NodeRole => String::from("the node's role (node-role)"),
        Mechanism::None => match &actual.role_arn {
            Some(role) => format!("no AWS identity (none), although a role is named: {role}"),
            None => String::from("no AWS identity (none)"),
        },
        Mechanism::Unknown => String::from("an identity that could not be determined (unknown)"),
    }
}

/// Other pods with the same result: how many, and the first `most` names. Only one pod of them was probed, if any.
pub(super) fn represents(diagnosis: &Diagnosis, most: usize, ellipsis: &str) -> Option<String> {
    let others = &diagnosis.target.represents;
    if others.is_empty() {
        return None;
    }
    let one = others.len() == 1;
    let pods = if one { "1 other pod" } else { &format!("{} other pods", others.len()) };
    let more = if others.len() > most { format!(" {ellipsis}") } else { String::new() };
    let names: Vec<&str> = others.iter().take(most).map(String::as_str).collect();
    let look = if one { "looks" } else { "look" };
    let not_probed = if diagnosis.probe.is_some() { " (not probed)" } else { "" };
    Some(format!("{pods} {look} the same{not_probed}: {}{more}", names.join(", ")))
}

/// `2 distinct results across 9 pods: 1 broken, 1 healthy`.
pub(super) fn tally(diagnoses: &[Diagnosis]) -> String {
    use Verdict::{Broken, Degraded, Healthy, Inconclusive, NotConfigured};
    let pods: usize = diagnoses
        .iter()
        .map(|diagnosis| usize::from(diagnosis.target.pod.is_some()) + diagnosis.target.represents.len())
        .sum();
    let counts = [Broken, Degraded, Inconclusive, Healthy, NotConfigured].into_iter().filter_map(|kind| {
        let count = diagnoses.iter().filter(|diagnosis| diagnosis.verdict == kind).count();
        (count > 0).then(|| format!("{count} {}", verdict(kind)))
    });
    let counts: Vec<String> = counts.collect();
    let of = if pods > diagnoses.len() { format!(" across {pods} pods") } else { String::new() };
    format!("{} distinct results{of}: {}", diagnoses.len(), counts.join(", "))
}

/// The command of a repair, on one line. Its words are quoted, so nothing in it can drive a terminal.
pub(super) fn command(fix: &Fix) -> Option<String> {
    fix.command().map(ToString::to_string)
}

/// What a repair does, with a caution if it needs one.
pub(super) fn fix_title(fix: &Fix) -> String {
    let title = fix.title();
    if fix.needs_thought() { format!("{title} (read it before you run it)") } else { title.to_owned() }
}

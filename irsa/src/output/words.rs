//! Wording that several formats share.

use crate::aws::arn::RoleArn;
use crate::diagnosis::{
    Diagnosis, Fate, Identity, Link, Proof, Reported, ReportedError, Status, Target, Unchecked, Verdict,
};
use crate::facts::Grant;
use crate::finding::{Confidence, Severity};
use crate::mechanism::Mechanism;
use crate::repair::{Fix, Kind};

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
        Proof::Config => "seen in the configuration alone: no token was tried",
        Proof::Iam => "STS accepted a token of this service account; not confirmed from inside the container",
        Proof::Pod => "confirmed from inside the container",
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
    diagnosis.unexplained(severity).collect()
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

/// What was not checked: what decided a link first, in the order of the links.
fn by_weight(diagnosis: &Diagnosis) -> Vec<(Option<usize>, &Unchecked)> {
    let links = || diagnosis.chain.iter().filter(|link| link.status == Status::Unknown);
    let decides = |unknown: &Unchecked| {
        links().position(|link| unchecked(diagnosis, link).is_some_and(|told| told == unknown))
    };
    let unknowns = diagnosis.unknowns.iter();
    let mut unknowns: Vec<_> = unknowns.map(|unknown| (decides(unknown), unknown)).collect();
    unknowns.sort_by_key(|(decides, _)| decides.unwrap_or(usize::MAX));
    unknowns
}

/// What was not checked, except what the chain already says in full.
pub(super) fn not_checked(diagnosis: &Diagnosis) -> Vec<&Unchecked> {
    let unknowns = by_weight(diagnosis).into_iter();
    let told = unknowns.filter(|(decides, unknown)| told_below(unknown) || decides.is_none());
    told.map(|(_, unknown)| unknown).collect()
}

/// Why links were not checked, in a sentence each, and what else was not; the deciding first.
pub(super) fn reasons(diagnosis: &Diagnosis) -> Vec<String> {
    let (deciding, others): (Vec<_>, Vec<_>) =
        by_weight(diagnosis).into_iter().partition(|(decides, _)| decides.is_some());
    let said = |unknowns: Vec<(Option<usize>, &Unchecked)>| {
        let unknowns: Vec<&Unchecked> = unknowns.into_iter().map(|(_, unknown)| unknown).collect();
        let gaps = gaps(&unknowns).into_iter();
        gaps.map(|gap| gap.sentence()).collect::<Vec<_>>()
    };
    let skipped = diagnosis.chain.iter().filter(|link| link.status == Status::Skipped);
    let mut by_user: Vec<String> = Vec::new();
    for reason in skipped.filter_map(|link| link.reason.clone()) {
        if !by_user.contains(&reason) {
            by_user.push(reason);
        }
    }
    [said(deciding), by_user, said(others)].concat()
}

/// What was not checked for one reason.
pub(super) struct Gap<'d> {
    pub whats: Vec<&'d str>,
    pub why: &'d str,
    /// The permissions that would allow it, each once.
    pub grants: Vec<&'d Grant>,
    /// True if a server refused: then the permissions are the reason.
    pub denied: bool,
}

impl Gap<'_> {
    /// In a sentence: what, and why; the reason first where it is that of many.
    pub(super) fn sentence(&self) -> String {
        let whats = self.whats.join(", ");
        if self.whats.len() > 2 {
            format!("{}; so not: {whats}", self.why)
        } else {
            format!("{whats}: {}", self.why)
        }
    }
}

/// The same, grouped by reason.
pub(super) fn gaps<'d>(unknowns: &[&'d Unchecked]) -> Vec<Gap<'d>> {
    let mut gaps: Vec<Gap<'d>> = Vec::new();
    for unknown in unknowns {
        let index = gaps.iter().position(|gap| gap.why == unknown.why).unwrap_or_else(|| {
            gaps.push(Gap {
                whats: Vec::new(),
                why: &unknown.why,
                grants: Vec::new(),
                denied: unknown.denied,
            });
            gaps.len() - 1
        });
        let Some(gap) = gaps.get_mut(index) else { continue };
        if !gap.whats.contains(&unknown.what.as_str()) {
            gap.whats.push(&unknown.what);
        }
        if let Some(grant) = unknown.grant.as_ref().filter(|grant| !gap.grants.contains(grant)) {
            gap.grants.push(grant);
        }
    }
    gaps
}

/// The permissions that would allow the missing checks, each once.
pub(super) fn grants<'d>(unknowns: &[&'d Unchecked]) -> Vec<&'d Grant> {
    let mut grants: Vec<&Grant> = Vec::new();
    for grant in unknowns.iter().filter_map(|unknown| unknown.grant.as_ref()) {
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    grants
}

/// Who asked AWS: `signed in as user/oncall, account 111122223333`.
pub(super) fn signed_in(diagnosis: &Diagnosis) -> Option<String> {
    let caller = diagnosis.caller.as_ref()?;
    Some(format!("signed in as {}, account {}", short_arn(&caller.arn), caller.account))
}

/// What an ARN says behind its account: `user/oncall`, `assumed-role/admin/me`.
fn short_arn(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
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
    let alike = alike_pods(diagnosis)?;
    let more = if others.len() > most { format!(" {ellipsis}") } else { String::new() };
    let names: Vec<&str> = others.iter().take(most).map(String::as_str).collect();
    Some(format!("{alike}: {}{more}", names.join(", ")))
}

/// `49 other pods look the same (not probed)`.
pub(super) fn alike_pods(diagnosis: &Diagnosis) -> Option<String> {
    let count = diagnosis.target.represents.len();
    let not_probed = if diagnosis.probe.is_some() { " (not probed)" } else { "" };
    match count {
        0 => None,
        1 => Some(format!("1 other pod looks the same{not_probed}")),
        _ => Some(format!("{count} other pods look the same{not_probed}")),
    }
}

/// How many pods a diagnosis is about; what has no pods counts as one.
pub(super) fn size(diagnosis: &Diagnosis) -> usize {
    1 + diagnosis.target.represents.len()
}

/// `9 pods in 2 groups: 1 broken, 8 healthy`.
pub(super) fn tally(diagnoses: &[Diagnosis]) -> String {
    use Verdict::{Broken, Degraded, Healthy, Inconclusive, NotConfigured};
    let counts = [Broken, Degraded, Inconclusive, Healthy, NotConfigured].into_iter().filter_map(|kind| {
        let count: usize = diagnoses.iter().filter(|diagnosis| diagnosis.verdict == kind).map(size).sum();
        (count > 0).then(|| format!("{count} {}", verdict(kind)))
    });
    let counts: Vec<String> = counts.collect();
    let all: usize = diagnoses.iter().map(size).sum();
    let what =
        if diagnoses.iter().all(|diagnosis| diagnosis.target.pod.is_some()) { "pods" } else { "targets" };
    let groups =
        if all > diagnoses.len() { format!(" in {} groups", diagnoses.len()) } else { String::new() };
    format!("{all} {what}{groups}: {}", counts.join(", "))
}

/// The first line of a report on several faults: `2 faults keep pod/x from role y`.
pub(super) fn several_faults(diagnosis: &Diagnosis, count: usize) -> String {
    let role = role(diagnosis).and_then(|arn| RoleArn::parse(arn).ok());
    let from = match role {
        Some(arn) => format!("role {}", arn.name()),
        None => String::from("AWS"),
    };
    format!("{count} faults keep {} from {from}", subject(&diagnosis.target))
}

/// The role that the target is, or should be.
pub(super) fn role(diagnosis: &Diagnosis) -> Option<&str> {
    let target = diagnosis.target.container.as_deref();
    let own = diagnosis.identities.iter().find(|identity| Some(identity.container.as_str()) == target)?;
    own.expected.role_arn.as_deref()
}

/// The fixes of each fault, in the order of repair. What several faults need (a restart) is done once, after the last of them.
pub(super) fn fixes<'d>(faults: &[&'d Reported]) -> Vec<Vec<&'d Fix>> {
    let later =
        |index: usize, fix: &Fix| faults.iter().skip(index + 1).any(|fault| fault.fixes.contains(fix));
    let of = |(index, fault): (usize, &&'d Reported)| {
        let fault: &'d Reported = fault;
        fault.fixes.iter().filter(|fix| !later(index, fix)).collect()
    };
    faults.iter().enumerate().map(of).collect()
}

/// True if a command of these changes something, so that it is worth looking again.
pub(super) fn repairs(faults: &[&Reported]) -> bool {
    let mut fixes = faults.iter().flat_map(|fault| &fault.fixes);
    fixes.any(|fix| fix.command().is_some() && fix.kind() != Kind::Inspect)
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

/// The same where the difference stands below it: it need not be told in words.
pub(super) fn short_title(fix: &Fix) -> String {
    let Some(policy) = fix.policy().filter(|_| !fix.is_alternative()) else { return fix_title(fix) };
    let statements: Vec<String> = policy
        .statements()
        .iter()
        .map(|change| match change.before {
            Some(_) => format!("change Statement[{}] of", change.index),
            None => String::from("add a statement to"),
        })
        .collect();
    match statements.as_slice() {
        [one] if policy.keep().is_some() => {
            let title = format!("{one} {}", policy.what());
            if fix.needs_thought() { format!("{title} (read it first)") } else { title }
        }
        _ => fix_title(fix),
    }
}

/// The names of the links of which this is true, runs of them by the first and the last.
fn labels(diagnosis: &Diagnosis, ellipsis: &str, is: impl Fn(Status) -> bool) -> Option<String> {
    let links: Vec<&Link> = diagnosis.chain.iter().filter(|link| is(link.status)).collect();
    let runs = links.chunk_by(|a, b| (a.step as usize) + 1 == b.step as usize);
    let names = runs.map(|run| match run {
        [first, _, .., last] => format!("{} {ellipsis} {}", first.step.label(), last.step.label()),
        few => few.iter().map(|link| link.step.label()).collect::<Vec<_>>().join(", "),
    });
    (!links.is_empty()).then(|| names.collect::<Vec<_>>().join(", "))
}

/// The chain in a few rows: what passes and what fails by name; beside a cause also what was not checked.
pub(super) fn links(diagnosis: &Diagnosis, ellipsis: &str) -> Vec<Row> {
    let row = |status, text| Row { status, label: String::new(), text };
    let with = |status: Status| labels(diagnosis, ellipsis, |of| of == status).map(|text| row(status, text));
    let is_unchecked = |status| matches!(status, Status::Unknown | Status::Skipped);
    let beside_a_cause = diagnosis.root_cause.is_some();
    let others = chain(diagnosis, false, ellipsis).into_iter().filter(|row| match row.status {
        Status::Pass | Status::Fail => false,
        Status::Warn | Status::NotApplicable => true,
        Status::Unknown | Status::Skipped => !beside_a_cause,
    });
    // Those that were not checked for the same reason stand together.
    let mut rows: Vec<Row> = Vec::new();
    for row in others {
        match rows.iter_mut().find(|known| known.status == row.status && known.text == row.text) {
            Some(known) => known.label = format!("{}, {}", known.label, row.label),
            None => rows.push(row),
        }
    }
    let named = rows.into_iter().map(|row| Row { text: format!("{}: {}", row.label, row.text), ..row });
    let unchecked = labels(diagnosis, ellipsis, is_unchecked).filter(|_| beside_a_cause);
    let unchecked = unchecked.map(|names| row(Status::Unknown, format!("not checked: {names}")));
    with(Status::Pass).into_iter().chain(with(Status::Fail)).chain(named).chain(unchecked).collect()
}

//! From outcomes to one verdict: root cause, consequences, chain, exit code. Decided here, before anything is rendered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::checks::{self, Check, Outcome};
use crate::derive::Derived;
use crate::derive::caller::Who;
use crate::derive::container::{ContainerView, ROLE_ARN, Wiring};
use crate::derive::sister::Sister;
use crate::facts::inside::Place;
use crate::facts::{Fact, Facts, Source, Subject, Unknown, Why, of_listing};
use crate::finding::{About, Confidence, Evidence, Finding, Fix, Severity};
use crate::mechanism::Mechanism;
use crate::step::Step;

/// Version of the JSON form.
pub const API_VERSION: &str = "irsa/v1";

/// The judgement on one subject. Its serialised form is the contract of `-o json` (`docs/diagnosis.schema.json`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// [`API_VERSION`].
    pub api_version: &'static str,
    /// `Diagnosis`.
    pub kind: &'static str,
    /// The API server's time of the observation, RFC 3339; `null` if nothing told it.
    pub observed_at: Option<Timestamp>,
    /// Who says so.
    pub tool: Tool,
    /// What was looked at.
    pub target: Target,
    /// The verdict.
    pub verdict: Verdict,
    /// How far the proof reaches.
    pub proof: Proof,
    /// The answer in one sentence.
    pub summary: String,
    /// The first fault that nothing else explains.
    pub root_cause: Option<Reported>,
    /// Every finding, in the order of repair.
    pub findings: Vec<Reported>,
    /// Every link, in order.
    pub chain: Vec<Link>,
    /// The identity that each container should have and has.
    pub identities: Vec<Identity>,
    /// What could not be checked.
    pub unknowns: Vec<Unchecked>,
    /// The probe's report.
    pub probe: Option<irsa_probe::Report>,
}

/// The tool.
#[derive(Debug, Clone, Serialize)]
pub struct Tool {
    /// Version of kubectl-irsa.
    pub version: &'static str,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Kind that the user named, lower case.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name that the user gave.
    pub name: String,
    /// The pod looked at.
    pub pod: Option<String>,
    /// The container looked at.
    pub container: Option<String>,
    /// Its service account.
    pub service_account: String,
    /// The workload that makes such pods: `Deployment/checkout`.
    pub owner: Option<String>,
    /// Other pods in the same situation.
    pub represents: Vec<String>,
}

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every link that matters was checked and holds.
    Healthy,
    /// A link of the target is broken.
    Broken,
    /// The target is sound as far as seen; something beside it (another container) is broken.
    Degraded,
    /// Nothing wrong was found, but a link that matters could not be checked.
    Inconclusive,
    /// No AWS identity was asked for.
    NotConfigured,
}

impl Verdict {
    /// The exit code, as `kubectl diff` has it.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Healthy | Self::NotConfigured => 0,
            Self::Broken | Self::Degraded => 1,
            Self::Inconclusive => 3,
        }
    }

    /// The verdict's name in the JSON form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Broken => "broken",
            Self::Degraded => "degraded",
            Self::Inconclusive => "inconclusive",
            Self::NotConfigured => "not-configured",
        }
    }
}

/// The exit code of several targets: 1 wins over 2 (one of them could not be read), 2 over 3, 3 over 0.
pub fn exit_code(diagnoses: &[Diagnosis], could_not_run: bool) -> u8 {
    let codes = diagnoses.iter().map(|diagnosis| diagnosis.verdict.exit_code());
    let rank = |code: &u8| [1, 2, 3, 0].iter().position(|known| known == code);
    codes.chain(could_not_run.then_some(2)).min_by_key(rank).unwrap_or(0)
}

/// How far the proof reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Configuration was read.
    Config,
    /// STS accepted a token of this service account.
    Iam,
    /// The identity was proven from inside the target container.
    Pod,
}

/// A finding as reported.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reported {
    /// Unique within the report.
    pub key: String,
    /// Id of the failure mode.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// The link it is in.
    pub step: Step,
    /// The failure mode in a few words.
    pub title: &'static str,
    /// One sentence.
    pub summary: String,
    /// What it is about.
    pub subject: About,
    /// Why we say so.
    pub evidence: Vec<Evidence>,
    /// How to repair it.
    pub fixes: Vec<Fix>,
    /// Key of the finding that explains it.
    pub caused_by: Option<String>,
    /// Its page.
    pub docs: String,
}

/// One link of the chain.
#[derive(Debug, Clone, Serialize)]
pub struct Link {
    /// Which.
    pub step: Step,
    /// How it stands.
    pub status: Status,
    /// In a few words.
    pub summary: String,
    /// Why it was not checked or does not apply.
    pub reason: Option<String>,
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Checked, in order.
    Pass,
    /// Broken.
    Fail,
    /// Works, with a warning.
    Warn,
    /// Could not be checked.
    Unknown,
    /// The user excluded it.
    Skipped,
    /// Does not arise.
    NotApplicable,
}

/// What a container should be to AWS, and what it is.
#[derive(Debug, Clone, Serialize)]
pub struct Identity {
    /// The container.
    pub container: String,
    /// What it should be.
    pub expected: Expected,
    /// What it is, as far as its spec tells.
    pub actual: Actual,
}

/// The identity a container should have.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Expected {
    /// How it should get credentials.
    pub mechanism: Mechanism,
    /// The role, raw, where the cluster names it.
    pub role_arn: Option<String>,
}

/// The identity a container has.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Actual {
    /// How its SDK gets credentials, as far as the spec or its own words tell.
    pub mechanism: Mechanism,
    /// The role that its environment names, raw.
    pub role_arn: Option<String>,
    /// Who it was to AWS; only an answer of AWS tells.
    pub caller_arn: Option<String>,
}

/// Something that was not checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unchecked {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// What would allow it: an RBAC permission as `kubectl auth can-i` takes it.
    pub grant: Option<String>,
}

/// Which checks to run.
#[derive(Debug, Default, Clone)]
pub struct Choice {
    /// Only these ids; empty means all.
    pub only: Vec<String>,
    /// Not these.
    pub skip: Vec<String>,
}

impl Choice {
    fn runs(&self, check: &Check) -> bool {
        let id = check.meta.id;
        (self.only.is_empty() || self.only.iter().any(|only| only == id))
            && !self.skip.iter().any(|skip| skip == id)
    }
}

/// Judges one subject, by what STS proved in one of `sisters`, too.
fn diagnose(facts: &Facts, sisters: &[Sister<'_>], choice: &Choice) -> Diagnosis {
    let sister = sisters.iter().find(|sister| sister.speaks_for(facts)).copied();
    let derived = Derived::beside(facts, sister);
    let (chosen, excluded): (Vec<_>, Vec<_>) = checks::all().partition(|check| choice.runs(check));
    let outcomes: Vec<(&Check, Outcome)> =
        chosen.into_iter().map(|check| (check, (check.run)(&derived))).collect();

    let target = target(facts, &derived);
    let findings = report(&outcomes, &derived);
    let root = root_cause(&findings).cloned();
    let chain = chain(&derived, &outcomes, &excluded, &findings);
    let verdict = verdict(&findings, &chain, &target, &derived);
    Diagnosis {
        api_version: API_VERSION,
        kind: "Diagnosis",
        observed_at: facts.cluster.server_clock.known().map(|clock| clock.value),
        tool: Tool { version: env!("CARGO_PKG_VERSION") },
        summary: summary(verdict, root.as_ref(), &target, &chain),
        target,
        verdict,
        proof: proof(&derived),
        root_cause: root,
        findings,
        chain,
        identities: derived.containers.iter().map(|view| identity(view, &derived)).collect(),
        unknowns: unknowns(&derived, &outcomes),
        probe: derived.inside.seen().map(|seen| seen.report().clone()),
    }
}

fn proof(derived: &Derived<'_>) -> Proof {
    if derived.inside.seen().is_some_and(|seen| seen.proves_identity()) {
        Proof::Pod
    } else if derived.trial.accepted() {
        Proof::Iam
    } else {
        Proof::Config
    }
}

fn target(facts: &Facts, derived: &Derived<'_>) -> Target {
    Target {
        kind: facts.request.kind.clone(),
        namespace: facts.namespace_name.clone(),
        name: facts.request.name.clone(),
        pod: facts.subject.pod().map(|pod| pod.value.metadata.name.clone()),
        container: derived.target().map(|view| view.name().to_owned()),
        service_account: facts.service_account_name.clone(),
        owner: derived.owner_key().map(|(kind, name)| format!("{kind}/{name}")),
        represents: Vec::new(),
    }
}

/// Findings in the order of repair, consequences pointing at their cause.
fn report(outcomes: &[(&Check, Outcome)], derived: &Derived<'_>) -> Vec<Reported> {
    let target = derived.target().map(ContainerView::name);
    let mut findings: Vec<(usize, &Finding)> = Vec::new();
    for (index, (_, outcome)) in outcomes.iter().enumerate() {
        if let Outcome::Fail(found) = outcome {
            findings.extend(found.iter().map(|finding| (index, finding)));
        }
    }
    // Stable: within a link and a severity the registry's order is the order of repair.
    findings.sort_by_key(|(index, finding)| {
        (severity(finding, derived), !is_on_target(finding, target), finding.step, *index)
    });

    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    let keys: Vec<String> = findings
        .iter()
        .map(|(_, finding)| {
            let count = used.entry(finding.id).or_default();
            *count += 1;
            if *count == 1 { finding.id.to_owned() } else { format!("{}-{count}", finding.id) }
        })
        .collect();
    let explains = |id: &str| checks::by_id(id).map_or(&[][..], |check| check.meta.explains);
    findings
        .iter()
        .zip(&keys)
        .map(|((_, finding), key)| {
            let cause = findings.iter().zip(&keys).find(|((_, other), _)| {
                // A warning cannot be the cause of an error; and each container has its own causes.
                severity(other, derived) <= severity(finding, derived)
                    && explains(other.id).contains(&finding.id)
                    && same_subject(&other.about, &finding.about)
            });
            Reported {
                key: key.clone(),
                id: finding.id,
                severity: severity(finding, derived),
                confidence: finding.confidence,
                step: finding.step,
                title: finding.title,
                summary: finding.summary.clone(),
                subject: finding.about.clone(),
                evidence: finding.evidence.clone(),
                fixes: finding.fixes.clone(),
                caused_by: cause.map(|(_, key)| key.clone()),
                docs: docs(finding.id),
            }
        })
        .collect()
}

/// What STS itself has passed cannot be what is wrong, however the configuration reads. Of what a container asks for in its
/// own way (its session's name, its token) the trial says nothing.
fn severity(finding: &Finding, derived: &Derived<'_>) -> Severity {
    let of_container = finding.about.container.is_some();
    match finding.severity {
        Severity::Error if !of_container && derived.trial.proves(finding.step) => Severity::Info,
        severity => severity,
    }
}

/// Where the page of an id stands.
pub fn docs(id: &str) -> String {
    format!("https://github.com/kubectl-irsa/kubectl-irsa/blob/main/docs/checks/{id}.md")
}

/// A fault of the whole pod explains one of its containers; a fault of one container does not explain another's.
fn same_subject(cause: &About, consequence: &About) -> bool {
    match (&cause.container, &consequence.container) {
        (Some(cause), Some(consequence)) => cause == consequence,
        _ => true,
    }
}

fn is_on_target(finding: &Finding, target: Option<&str>) -> bool {
    finding.about.container.as_deref().is_none_or(|container| Some(container) == target)
}

/// The first error along the chain that nothing explains.
fn root_cause(findings: &[Reported]) -> Option<&Reported> {
    findings.iter().find(|finding| finding.severity == Severity::Error && finding.caused_by.is_none())
}

fn chain(
    derived: &Derived<'_>,
    outcomes: &[(&Check, Outcome)],
    excluded: &[&Check],
    findings: &[Reported],
) -> Vec<Link> {
    Step::ALL.iter().map(|step| link(*step, derived, outcomes, excluded, findings)).collect()
}

fn link(
    step: Step,
    derived: &Derived<'_>,
    outcomes: &[(&Check, Outcome)],
    excluded: &[&Check],
    findings: &[Reported],
) -> Link {
    let facts = derived.facts;
    if step == Step::Target {
        return target_link(facts);
    }
    let here =
        |severity| findings.iter().find(move |finding| finding.step == step && finding.severity == severity);
    if let Some(error) = here(Severity::Error) {
        return Link { step, status: Status::Fail, summary: error.summary.clone(), reason: None };
    }
    let of_step =
        || outcomes.iter().filter(move |(check, _)| check.meta.step == step).map(|(_, outcome)| outcome);
    if derived.trial.proves(step) && here(Severity::Warning).is_none() {
        let summary = format!("proven: STS let {} pass", proven_by(derived));
        return Link { step, status: Status::Pass, summary, reason: None };
    }
    if step == Step::Caller
        && here(Severity::Warning).is_none()
        && let Some(seen) = derived.inside.seen()
        && let Some((arn, Who::Expected)) = seen.caller()
    {
        let place = match seen.place() {
            Place::Pod if seen.proves_identity() => Some("proven: inside the pod"),
            Place::Pod => None,
            Place::Copy => Some("in a pod made like it"),
        };
        if let Some(place) = place {
            let summary = format!("{place} AWS names {arn} as the caller");
            return Link { step, status: Status::Pass, summary, reason: None };
        }
    }
    if step == Step::Caller && derived.words.prove_the_caller() && here(Severity::Warning).is_none() {
        let summary = String::from("proven: AWS named the pod's role to the application as the caller");
        return Link { step, status: Status::Pass, summary, reason: None };
    }
    let missing = || {
        of_step().filter_map(|outcome| match outcome {
            Outcome::Unknown(unknowns) if !derived.trial.proves(step) => Some(unknowns),
            _ => None,
        })
    };
    let gap = derived.inside.gap(step);
    let by_user = |unknown: &&Unknown| matches!(unknown.why, Why::Excluded(_) | Why::OneOfMany(_));
    let why_not = gap.iter().chain(missing().flatten()).find(|why| !by_user(why));
    if let Some(warning) = here(Severity::Warning) {
        let reason = why_not.map(|unknown| format!("not checked: {}: {}", unknown.what, unknown.why));
        return Link { step, status: Status::Warn, summary: warning.summary.clone(), reason };
    }
    if let Some(unknown) = why_not {
        let reason = Some(format!("{}: {}", unknown.what, unknown.why));
        return Link { step, status: Status::Unknown, summary: String::from("not checked"), reason };
    }
    if matches!(step, Step::Injection | Step::Sts) && derived.intent.mechanism == Mechanism::None {
        // A tick here would read as "injected", or as "accepted".
        let reason = Some(String::from("nothing names a role"));
        return Link { step, status: Status::NotApplicable, summary: String::from("does not apply"), reason };
    }
    if let Some(unknown) = gap.iter().chain(missing().flatten()).find(by_user) {
        let reason = Some(unknown.why.to_string());
        return Link { step, status: Status::Skipped, summary: String::from("skipped"), reason };
    }
    let passed = of_step().filter(|outcome| matches!(outcome, Outcome::Pass | Outcome::Fail(_))).count();
    let left_out = excluded.iter().filter(|check| check.meta.step == step).count();
    if passed > 0 && left_out > 0 {
        let reason =
            Some(format!("{left_out} of its checks excluded by --only or --skip; the others passed"));
        return Link { step, status: Status::Skipped, summary: String::from("skipped in part"), reason };
    }
    if passed > 0 {
        let summary =
            if passed == 1 { String::from("1 check passed") } else { format!("{passed} checks passed") };
        return Link { step, status: Status::Pass, summary, reason: None };
    }
    if excluded.iter().any(|check| check.meta.step == step) {
        let reason = Some(String::from("excluded by --only or --skip"));
        return Link { step, status: Status::Skipped, summary: String::from("skipped"), reason };
    }
    let reason = of_step().find_map(|outcome| match outcome {
        Outcome::NotApplicable(reason) => Some((*reason).to_owned()),
        _ => None,
    });
    Link { step, status: Status::NotApplicable, summary: String::from("does not apply"), reason }
}

/// The token whose trial counts.
fn proven_by(derived: &Derived<'_>) -> String {
    let own = derived.inside.trial().is_some_and(|trial| trial.accepted());
    match (derived.sister, derived.trial.source()) {
        (Some(sister), _) if !derived.laptop.accepted() && !own => {
            format!("the same account's token in pod/{}", sister.pod)
        }
        (_, Some(Source::Probe { .. })) => String::from("the token in the pod"),
        _ => String::from("a fresh token of the service account"),
    }
}

/// "No pod" is said only of a list that is known to be complete.
fn target_link(facts: &Facts) -> Link {
    let step = Step::Target;
    let pods_unknown =
        of_listing(&facts.siblings).map(|unknown| format!("{}: {}", unknown.what, unknown.why));
    let what = match &facts.subject {
        Subject::Pod(pod) => {
            let phase = &pod.value.status.phase;
            let phase = if phase.is_empty() { String::new() } else { format!(", {phase}") };
            let summary = format!("pod/{}{phase}", pod.value.metadata.name);
            return Link { step, status: Status::Pass, summary, reason: None };
        }
        Subject::Template(owner) => format!("{}/{}", owner.value.kind.to_lowercase(), owner.value.meta.name),
        Subject::ServiceAccount => format!("serviceaccount/{}", facts.service_account_name),
    };
    let (template, account) = ("judged by its template", "judged alone");
    let how = if matches!(facts.subject, Subject::Template(_)) { template } else { account };
    match pods_unknown {
        None => Link {
            step,
            status: Status::Pass,
            summary: format!("{what} has no pod now; {how}"),
            reason: None,
        },
        Some(reason) => {
            let summary = format!("{what}; its pods are not known, so it is {how}");
            Link { step, status: Status::Unknown, summary, reason: Some(reason) }
        }
    }
}

fn verdict(findings: &[Reported], chain: &[Link], target: &Target, derived: &Derived<'_>) -> Verdict {
    let mut errors = findings.iter().filter(|finding| finding.severity == Severity::Error).peekable();
    if errors.peek().is_some() {
        let on_target = errors.any(|finding| {
            finding.subject.container.is_none() || finding.subject.container == target.container
        });
        return if on_target { Verdict::Broken } else { Verdict::Degraded };
    }
    if chain.iter().any(|link| {
        matches!(link.status, Status::Unknown)
            || link.reason.as_ref().is_some_and(|_| link.status == Status::Warn)
    }) {
        return Verdict::Inconclusive;
    }
    match derived.intent.mechanism {
        Mechanism::Unknown => Verdict::Inconclusive,
        _ => Verdict::Healthy,
    }
}

fn summary(verdict: Verdict, root: Option<&Reported>, target: &Target, chain: &[Link]) -> String {
    if let Some(root) = root {
        return root.summary.clone();
    }
    let who = match &target.pod {
        Some(pod) => format!("pod/{pod}"),
        None => format!("{}/{}", target.kind, target.name),
    };
    match verdict {
        Verdict::Inconclusive => {
            let labels = not_checked(chain);
            format!("nothing wrong with {who} in what was checked; not checked: {}", labels.join(", "))
        }
        _ => format!("every link that was checked holds for {who}"),
    }
}

/// The links that were not checked; a run of them by its ends, so that the sentence stays one.
fn not_checked(chain: &[Link]) -> Vec<String> {
    let unknown = |link: &Link| link.status == Status::Unknown;
    let runs = chain.chunk_by(|a, b| unknown(a) == unknown(b));
    runs.filter(|run| run.first().is_some_and(unknown))
        .flat_map(|run| match run {
            [first, _, .., last] => vec![format!("{} to {}", first.step.label(), last.step.label())],
            few => few.iter().map(|link| link.step.label().to_owned()).collect(),
        })
        .collect()
}

fn identity(view: &ContainerView<'_>, derived: &Derived<'_>) -> Identity {
    // The words are the target's.
    let caller = derived.words.caller().and_then(|said| said.caller).filter(|_| view.is_target);
    Identity {
        container: view.name().to_owned(),
        expected: Expected {
            mechanism: derived.intent.mechanism,
            role_arn: derived.intent.role.as_ref().map(|role| role.raw.to_owned()),
        },
        actual: Actual {
            mechanism: match caller.map(|caller| caller.who) {
                Some(Who::Node) => Mechanism::NodeRole,
                _ => actual_mechanism(view),
            },
            role_arn: view.env.get(ROLE_ARN).and_then(|entry| entry.text()).map(str::to_owned),
            caller_arn: caller.map(|caller| caller.principal.arn.clone()),
        },
    }
}

/// What the SDK will use, as far as the spec alone tells: static keys come before everything but .NET v3's web identity
/// (failures.md, section 3).
fn actual_mechanism(view: &ContainerView<'_>) -> Mechanism {
    let set = |name: &str| view.env.get(name).is_some_and(|entry| entry.is_set());
    if set("AWS_ACCESS_KEY_ID") && set("AWS_SECRET_ACCESS_KEY") {
        return Mechanism::StaticKeys;
    }
    match view.wiring {
        Wiring::Complete => Mechanism::Irsa,
        _ if view.pod_identity => Mechanism::PodIdentity,
        Wiring::Unknown => Mechanism::Unknown,
        _ if set("AWS_PROFILE") => Mechanism::Profile,
        Wiring::NoMount | Wiring::RoleOnly | Wiring::TokenFileOnly | Wiring::Nothing => Mechanism::None,
    }
}

fn unknowns(derived: &Derived<'_>, outcomes: &[(&Check, Outcome)]) -> Vec<Unchecked> {
    let facts = derived.facts;
    let of_checks = outcomes.iter().flat_map(|(_, outcome)| match outcome {
        Outcome::Unknown(unknowns) => unknowns.as_slice(),
        _ => &[],
    });
    let mut all: Vec<Unchecked> = Vec::new();
    let outdated = derived.inside.outdated();
    for unknown in facts.unknowns().into_iter().chain(outdated).chain(of_checks) {
        let unchecked = Unchecked {
            what: unknown.what.clone(),
            why: unknown.why.to_string(),
            grant: unknown.grant.as_ref().map(ToString::to_string),
        };
        if !all.contains(&unchecked) {
            all.push(unchecked);
        }
    }
    all
}

/// Judges the subjects of one target, and reports once per distinct situation: those that differ only in the pod's name
/// become one that represents the others. Keeps the order, so the newest pod speaks for its like.
pub fn diagnose_all(subjects: &[Facts], choice: &Choice) -> Vec<Diagnosis> {
    let alone = subjects.len() == 1;
    let sisters = Sister::all(subjects);
    let mut groups: Vec<(String, Diagnosis)> = Vec::new();
    for facts in subjects {
        let mut diagnosis = diagnose(facts, &sisters, choice);
        let situation =
            if alone { signature(&diagnosis) } else { situation(facts, &sisters, &diagnosis, choice) };
        match groups.iter_mut().find(|(known, _)| *known == situation) {
            Some((_, first)) => {
                // The one that was looked into knows more.
                if diagnosis.probe.is_some() {
                    std::mem::swap(first, &mut diagnosis);
                }
                let represents = &mut first.target.represents;
                represents.extend(diagnosis.target.pod);
                represents.append(&mut diagnosis.target.represents);
            }
            None => groups.push((situation, diagnosis)),
        }
    }
    groups.into_iter().map(|(_, diagnosis)| diagnosis).collect()
}

/// What two subjects in the same situation have in common. One pod of several is looked into: where nothing was found inside, it
/// is in the situation that it shows from outside, as those like it are.
fn situation(facts: &Facts, sisters: &[Sister<'_>], diagnosis: &Diagnosis, choice: &Choice) -> String {
    if facts.inside.known().is_none() {
        return signature(diagnosis);
    }
    let mut outside = facts.clone();
    outside.inside = Fact::unknown_because("", Why::OneOfMany(String::new()), None);
    let outside = diagnose(&outside, sisters, choice);
    let findings = |diagnosis: &Diagnosis| -> Vec<(&'static str, Severity)> {
        diagnosis.findings.iter().map(|finding| (finding.id, finding.severity)).collect()
    };
    let same = outside.verdict == diagnosis.verdict && findings(&outside) == findings(diagnosis);
    signature(if same { &outside } else { diagnosis })
}

/// The workload that a repair would change. The Jobs of one CronJob differ only in their number, and are one.
fn workload(target: &Target) -> Option<&str> {
    let owner = target.owner.as_deref()?;
    let numbered = owner.strip_prefix("Job/").and_then(|_| owner.rsplit_once('-'));
    let name = numbered.filter(|(_, number)| number.len() >= 8 && number.bytes().all(|b| b.is_ascii_digit()));
    Some(name.map_or(owner, |(cron_job, _)| cron_job))
}

fn signature(diagnosis: &Diagnosis) -> String {
    let findings = diagnosis.findings.iter().map(|finding| {
        let values = finding.evidence.iter().map(|evidence| (&evidence.what, &evidence.expected));
        format!(
            "{:?}",
            (finding.id, finding.severity, &finding.subject.container, values.collect::<Vec<_>>())
        )
    });
    // The caller's session has a number of its own in every pod.
    let identities = diagnosis.identities.iter().map(|identity| {
        let actual = &identity.actual;
        format!("{:?}", (&identity.container, &identity.expected, actual.mechanism, &actual.role_arn))
    });
    let statuses = diagnosis.chain.iter().map(|link| format!("{:?}", link.status));
    let target = &diagnosis.target;
    std::iter::once(format!(
        "{:?}",
        (
            diagnosis.verdict,
            &target.container,
            &target.service_account,
            workload(target),
            target.pod.is_some()
        )
    ))
    .chain(findings)
    .chain(identities)
    .chain(statuses)
    .collect::<Vec<_>>()
    .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_of_one_cron_job_are_one_workload() {
        let of = |owner: Option<&str>| {
            let target = Target {
                kind: String::new(),
                namespace: String::new(),
                name: String::new(),
                pod: None,
                container: None,
                service_account: String::new(),
                owner: owner.map(str::to_owned),
                represents: Vec::new(),
            };
            workload(&target).map(str::to_owned)
        };
        assert_eq!(of(Some("Job/ledger-29923110")).as_deref(), Some("Job/ledger"));
        assert_eq!(of(Some("Job/ledger-2")).as_deref(), Some("Job/ledger-2"));
        assert_eq!(of(Some("Deployment/web-29923110")).as_deref(), Some("Deployment/web-29923110"));
        assert_eq!(of(None), None);
    }

    #[test]
    fn a_target_that_could_not_be_read_gives_two() {
        assert_eq!(exit_code(&[], true), 2);
        assert_eq!(exit_code(&[], false), 0);
    }
}

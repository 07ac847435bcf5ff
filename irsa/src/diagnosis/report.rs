//! The report: its serialised form is the contract of `-o json` (`docs/diagnosis.schema.json`).

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::facts::Grant;
use crate::facts::aws::Caller;
use crate::finding::{About, Confidence, Doubt, Evidence, Severity};
use crate::mechanism::Mechanism;
use crate::repair::Fix;
use crate::step::Step;

/// Version of the JSON form.
pub const API_VERSION: &str = "irsa/v1";

/// The diagnosis of one subject. Its serialised form is the contract of `-o json` (`docs/diagnosis.schema.json`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// [`API_VERSION`].
    pub api_version: &'static str,
    /// `Diagnosis`.
    pub kind: &'static str,
    /// When this was observed, by the API server's clock, RFC 3339; `null` if not known.
    pub observed_at: Option<Timestamp>,
    /// Which tool made this.
    pub tool: Tool,
    /// Who asked AWS: the identity of the user's own credentials; `null` if it is not known.
    pub caller: Option<Caller>,
    /// What was diagnosed.
    pub target: Target,
    /// The verdict.
    pub verdict: Verdict,
    /// How far the proof reaches.
    pub proof: Proof,
    /// The answer in one sentence.
    pub summary: String,
    /// The command that diagnoses the same again; after a repair that replaces the pod, its workload. `None` for files.
    pub rerun: Option<String>,
    /// The first fault that nothing else explains.
    pub root_cause: Option<Reported>,
    /// Every finding, in the order of repair.
    pub findings: Vec<Reported>,
    /// Every AWS error that the application reported, and what became of it.
    pub application_errors: Vec<ReportedError>,
    /// Every link, in order.
    pub chain: Vec<Link>,
    /// The identity that each container should have, and the one it has.
    pub identities: Vec<Identity>,
    /// What could not be checked.
    pub unknowns: Vec<Unchecked>,
    /// The probe's report.
    pub probe: Option<irsa_probe::Report>,
}

impl Diagnosis {
    /// Findings of a severity that nothing else explains, in the order of repair.
    pub fn unexplained(&self, severity: Severity) -> impl Iterator<Item = &Reported> {
        self.findings
            .iter()
            .filter(move |finding| finding.severity == severity && finding.caused_by.is_none())
    }
}

/// The tool.
#[derive(Debug, Clone, Serialize)]
pub struct Tool {
    /// Version of kubectl-irsa.
    pub version: &'static str,
}

/// What was diagnosed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Kind that the user named, lower case.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name that the user gave.
    pub name: String,
    /// The pod that was examined.
    pub pod: Option<String>,
    /// The container that was examined.
    pub container: Option<String>,
    /// Its service account.
    pub service_account: String,
    /// The workload that owns the pod: `Deployment/checkout`.
    pub owner: Option<String>,
    /// Other pods with the same result.
    pub represents: Vec<String>,
}

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every link that matters was checked, and no problem was found.
    Healthy,
    /// A link of the target is broken.
    Broken,
    /// Something beside the target (another container) is broken, or a link of the target fails for some of its clients.
    Degraded,
    /// No problem was found, but a link that matters could not be checked, or something that was seen is not explained.
    Inconclusive,
    /// No AWS identity was asked for.
    NotConfigured,
}

impl Verdict {
    /// The exit code, following `kubectl diff`.
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
    /// How severe.
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
    /// The evidence.
    pub evidence: Vec<Evidence>,
    /// How to repair it.
    pub fixes: Vec<Fix>,
    /// What a warning says against a link that decides.
    #[serde(skip)]
    pub doubt: Option<Doubt>,
    /// Key of the finding that explains it.
    pub caused_by: Option<String>,
    /// Its page.
    pub docs: String,
}

/// An error that the application reported, with its judge.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportedError {
    /// What it says, in one sentence.
    pub error: String,
    /// Where it was read.
    pub source: String,
    /// How often it was reported.
    pub count: usize,
    /// The link that it speaks against, if it is about one.
    pub step: Option<Step>,
    /// True if the user gave it (`--error`).
    pub given: bool,
    /// What became of it.
    pub fate: Fate,
    /// Key of the finding that explains it.
    pub explained_by: Option<String>,
    /// Why it does not count; or, if it is unexplained, what is proven beside it.
    pub reason: Option<String>,
    /// What it can mean here, if it is unexplained: most likely first.
    pub can_mean: Vec<CanMean>,
}

/// What became of an error that the application reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// A finding explains it.
    Explained,
    /// It is current, and no finding explains it.
    Unexplained,
    /// It is about another identity, or the process only passes it on.
    NotThePods,
    /// Something later ended it.
    Over,
    /// It is neither about identity nor about the way to AWS.
    Unrelated,
}

/// What an unexplained error can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CanMean {
    /// Id of the failure mode.
    pub id: &'static str,
    /// What would point to it.
    pub when: &'static str,
}

/// One link of the chain.
#[derive(Debug, Clone, Serialize)]
pub struct Link {
    /// Which link.
    pub step: Step,
    /// Its status.
    pub status: Status,
    /// In a few words.
    pub summary: String,
    /// Why it was not checked or does not apply.
    pub reason: Option<String>,
}

/// The status of a link.
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
    /// Does not apply to this target.
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
    /// How its SDK gets credentials, as far as the spec or its own errors tell.
    pub mechanism: Mechanism,
    /// The role that its environment names, raw.
    pub role_arn: Option<String>,
    /// The caller that AWS saw; only known from an answer of AWS.
    pub caller_arn: Option<String>,
}

/// Something that was not checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Unchecked {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// The permission that would allow it; for RBAC, as `kubectl auth can-i` takes it.
    #[serde(serialize_with = "in_words")]
    pub grant: Option<Grant>,
    /// True if it was asked for, and refused for want of that permission.
    #[serde(skip)]
    pub denied: bool,
}

fn in_words<S: Serializer>(grant: &Option<Grant>, serializer: S) -> Result<S::Ok, S::Error> {
    grant.as_ref().map(ToString::to_string).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_could_not_be_read_gives_two() {
        assert_eq!(exit_code(&[], true), 2);
        assert_eq!(exit_code(&[], false), 0);
    }
}

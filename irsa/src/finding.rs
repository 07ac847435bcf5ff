//! What a check says: findings with evidence and fixes. Frozen in the JSON output, versioned as `irsa/v1`.

use serde::{Serialize, Serializer};

use crate::facts::Source;
use crate::repair::Fix;
pub use crate::severity::Severity;
use crate::step::Step;

/// How far the facts carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Both values were read.
    Observed,
    /// Concluded from what was read; another explanation is possible.
    Inferred,
}

/// What a warning says against a link that decides; `healthy` beside it would not be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The link fails for some of the container's clients: the target is *degraded*.
    SomeFail,
    /// The link may fail: the result is *inconclusive*.
    MayFail,
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    /// `Pod`, `ServiceAccount`, …
    pub kind: String,
    /// Namespace; empty for cluster-wide objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Container.
    pub container: Option<String>,
    /// Field within the object.
    pub path: Option<String>,
}

/// The two values that differ, and where they were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What is compared.
    pub what: String,
    /// What it should be.
    pub expected: Option<String>,
    /// What it is; `None` if it is not there.
    pub found: Option<String>,
    /// Where it was read.
    #[serde(serialize_with = "in_words")]
    pub source: Source,
}

/// A source is a sentence to programs, too: what it consists of is no contract.
fn in_words<S: Serializer>(source: &Source, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(source)
}

/// A fault, a warning or a remark, as a check gives it.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Id of the failure mode.
    pub id: &'static str,
    /// The link it is in.
    pub step: Step,
    /// The failure mode in a few words.
    pub title: &'static str,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One sentence with the names of this case.
    pub summary: String,
    /// What it is about.
    pub about: About,
    /// Why we say so.
    pub evidence: Vec<Evidence>,
    /// How to repair it, in order.
    pub fixes: Vec<Fix>,
    /// For a warning: what it says against a link that decides.
    pub doubt: Option<Doubt>,
}

impl Finding {
    /// Adds the two values that differ.
    #[must_use]
    pub fn evidence(
        mut self,
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        source: &Source,
    ) -> Self {
        self.evidence.push(Evidence {
            what: what.into(),
            expected: Some(expected.into()),
            found: Some(found.into()),
            source: source.clone(),
        });
        self
    }

    /// Adds something that should be there and is not.
    #[must_use]
    pub fn missing(mut self, what: impl Into<String>, expected: impl Into<String>, source: &Source) -> Self {
        self.evidence.push(Evidence {
            what: what.into(),
            expected: Some(expected.into()),
            found: None,
            source: source.clone(),
        });
        self
    }

    /// Adds a value that speaks for itself.
    #[must_use]
    pub fn seen(mut self, what: impl Into<String>, found: impl Into<String>, source: &Source) -> Self {
        self.evidence.push(Evidence {
            what: what.into(),
            expected: None,
            found: Some(found.into()),
            source: source.clone(),
        });
        self
    }

    /// Adds one step of its repair.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// Adds steps of its repair, in order.
    #[must_use]
    pub fn fixes(mut self, fixes: impl IntoIterator<Item = Fix>) -> Self {
        self.fixes.extend(fixes);
        self
    }

    /// Narrows the subject to a container.
    #[must_use]
    pub fn container(mut self, name: &str) -> Self {
        self.about.container = Some(name.to_owned());
        self
    }

    /// Marks it as a conclusion rather than an observation.
    #[must_use]
    pub fn inferred(mut self) -> Self {
        self.confidence = Confidence::Inferred;
        self
    }

    /// Says that the warning is about a link that decides.
    #[must_use]
    pub fn doubt(mut self, doubt: Doubt) -> Self {
        self.doubt = Some(doubt);
        self
    }

    /// Sets how bad it is.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

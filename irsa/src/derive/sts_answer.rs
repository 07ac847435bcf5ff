//! What STS's own answer proves: the strongest evidence there is for everything on AWS's side.

use crate::aws_error::{self, Because, Kind, Layer, Stage, StsCode};
use crate::facts::aws::{StsAnswer, StsAttempt};
use crate::facts::{Facts, Source, Unknown, Why};
use crate::step::Step;

/// STS's answer to a token of the service account.
#[derive(Debug, Clone, Copy)]
pub enum StsVerdict<'f> {
    /// It issued credentials.
    Accepted {
        /// What was tried.
        attempt: &'f StsAttempt,
        /// Where it was read.
        source: &'f Source,
    },
    /// It refused the token.
    Refused(Refusal<'f>),
    /// What came decides nothing about the token.
    Open(Open<'f>),
    /// There is nothing to ask for.
    NotApplicable,
}

/// Why STS's answer decides nothing.
#[derive(Debug, Clone, Copy)]
pub enum Open<'f> {
    /// There is none.
    Unanswered(&'f Unknown),
    /// STS was throttling or had a fault of its own: the next answer may differ.
    TurnedAway(Refusal<'f>),
    /// An error that STS is not known to answer to a token. Nobody can say whose it is, or what it means.
    Foreign(Refusal<'f>),
}

impl Open<'_> {
    /// What is unknown, and why.
    pub fn unknown(&self) -> Unknown {
        let (Refusal { attempt, code, message, source, .. }, as_said) = match self {
            Self::Unanswered(unknown) => return (*unknown).clone(),
            Self::TurnedAway(refusal) => (refusal, ""),
            Self::Foreign(refusal) => (refusal, ", which STS is not known to say"),
        };
        let why = match *code {
            "" => format!("{} answered without an error code, as STS never does", attempt.host),
            code => format!("{} answered {code}{as_said}: {message}", attempt.host),
        };
        let token =
            if matches!(source, Source::Probe { .. }) { "the token in the pod" } else { "a fresh token" };
        Unknown { what: format!("STS's answer to {token}"), why: Why::Failed(why), grant: None }
    }
}

/// A refusal of STS.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'f> {
    /// What was tried.
    pub attempt: &'f StsAttempt,
    /// STS's error code.
    pub code: &'f str,
    /// STS's words.
    pub message: &'f str,
    /// What they mean.
    pub kind: Kind,
    /// The policy that STS names.
    pub because: Option<Because>,
    /// How far the request got; `None` if the message does not say.
    pub stage: Option<Stage>,
    /// Where it was read.
    pub source: &'f Source,
}

impl<'f> Refusal<'f> {
    /// AWS's id of the request.
    pub fn request_id(&self) -> Option<&'f str> {
        match &self.attempt.answer {
            StsAnswer::Refused { request_id, .. } => request_id.as_deref(),
            StsAnswer::Accepted { .. } => None,
        }
    }
}

impl<'f> StsVerdict<'f> {
    /// Reads the answer.
    pub fn of(facts: &'f Facts) -> Self {
        Self::read(&facts.aws.sts_answer)
    }

    /// Reads the answer at the second endpoint (failures.md, 80).
    pub fn second(facts: &'f Facts) -> Self {
        Self::read(&facts.aws.second_sts_answer)
    }

    fn read(attempt: &'f crate::facts::Fact<StsAttempt>) -> Self {
        use crate::facts::Fact;
        match attempt {
            Fact::Known(attempt) => Self::answered(&attempt.value, &attempt.source),
            Fact::Unknown(unknown) if matches!(unknown.why, Why::NotAsked(_)) => Self::NotApplicable,
            Fact::Unknown(unknown) => Self::Open(Open::Unanswered(unknown)),
            Fact::Absent { .. } => Self::NotApplicable,
        }
    }

    /// An answer.
    pub fn answered(attempt: &'f StsAttempt, source: &'f Source) -> Self {
        match &attempt.answer {
            StsAnswer::Accepted { .. } => Self::Accepted { attempt, source },
            StsAnswer::Refused { status, code, message, .. } => {
                let kind = aws_error::sts(code, message);
                let because = aws_error::sts_because(code, message);
                // A VPC endpoint may refuse before anybody has looked at the token.
                let at_endpoint = because.is_some_and(|because| because.layer == Layer::VpcEndpointPolicy);
                let stage = kind.stage().filter(|_| !at_endpoint);
                let refusal = Refusal { attempt, code, message, kind, because, stage, source };
                let turned_away = *status >= 500 || kind == Kind::Throttled;
                match StsCode::of(code) {
                    StsCode::Unknown => Self::Open(Open::Foreign(refusal)),
                    StsCode::Passing => Self::Open(Open::TurnedAway(refusal)),
                    StsCode::Final if turned_away => Self::Open(Open::TurnedAway(refusal)),
                    StsCode::Final => Self::Refused(refusal),
                }
            }
        }
    }

    /// The answer that counts of two to the same question: an acceptance beats a refusal, since one request that passes proves
    /// the link, and both beat what decides nothing; of two alike it is the first.
    pub fn strongest(self, second: Option<Self>) -> Self {
        let weight = |verdict: &Self| match verdict {
            Self::Accepted { .. } => 3,
            Self::Refused(_) => 2,
            Self::Open(Open::TurnedAway(_) | Open::Foreign(_)) => 1,
            Self::Open(Open::Unanswered(_)) | Self::NotApplicable => 0,
        };
        match second {
            Some(second) if weight(&second) > weight(&self) => second,
            _ => self,
        }
    }

    /// Where an answer was read that decides something.
    pub fn source(&self) -> Option<&'f Source> {
        match self {
            Self::Accepted { source, .. } => Some(source),
            Self::Refused(refusal) => Some(refusal.source),
            Self::Open(_) | Self::NotApplicable => None,
        }
    }

    /// The refusal, if it is one of the token.
    pub fn refusal(&self) -> Option<&Refusal<'f>> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Accepted { .. } | Self::Open(_) | Self::NotApplicable => None,
        }
    }

    /// The refusal, if it is of this stage.
    pub fn refused_at(&self, stage: Stage) -> Option<&Refusal<'f>> {
        self.refusal().filter(|refusal| refusal.stage == Some(stage))
    }

    /// True if STS issued credentials.
    pub fn accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }

    /// True if the token passed this stage at STS: STS accepted it, or refused it at a later one.
    pub fn passed(&self, stage: Stage) -> bool {
        self.accepted() || self.refusal().is_some_and(|refusal| refusal.stage > Some(stage))
    }

    /// True if the answer proves that the link holds: STS passed it, whatever we read of the configuration.
    pub fn proves(&self, step: Step) -> bool {
        match self {
            Self::Accepted { .. } => (Step::Issuer..=Step::Sts).contains(&step),
            Self::Refused(refusal) => match refusal.stage {
                // The provider was found, the signature, the times and the audience were right.
                Some(Stage::Trust) => matches!(step, Step::Issuer | Step::OidcProvider),
                Some(Stage::Audience) => step == Step::Issuer,
                _ => false,
            },
            Self::Open(_) | Self::NotApplicable => false,
        }
    }
}

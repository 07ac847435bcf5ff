//! What STS's own answer proves: the strongest evidence there is for everything on AWS's side.

use crate::aws_error::{self, Because, Kind, Layer, Stage};
use crate::facts::aws::{StsAnswer, StsAttempt};
use crate::facts::{Facts, Source, Unknown};
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
    /// It refused.
    Refused(Refusal<'f>),
    /// It was not asked, or did not answer.
    Unknown(&'f Unknown),
    /// There is nothing to ask for.
    NotApplicable,
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
    /// False if STS was throttling or had a fault of its own, so that the next answer may differ; and if it is none that STS is
    /// known to give, so that nobody can say whose it is.
    pub fn is_final(&self) -> bool {
        !matches!(self.kind, Kind::Throttled | Kind::Other) && !self.is_own_fault()
    }

    /// True for a failure of the server.
    pub fn is_own_fault(&self) -> bool {
        matches!(self.attempt.answer, StsAnswer::Refused { status: 500.., .. })
    }

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
        use crate::facts::{Fact, Why};
        match attempt {
            Fact::Known(attempt) => Self::answered(&attempt.value, &attempt.source),
            Fact::Unknown(unknown) if matches!(unknown.why, Why::NotAsked(_)) => Self::NotApplicable,
            Fact::Unknown(unknown) => Self::Unknown(unknown),
            Fact::Absent { .. } => Self::NotApplicable,
        }
    }

    /// An answer.
    pub fn answered(attempt: &'f StsAttempt, source: &'f Source) -> Self {
        match &attempt.answer {
            StsAnswer::Accepted { .. } => Self::Accepted { attempt, source },
            StsAnswer::Refused { code, message, .. } => {
                let kind = aws_error::sts(code, message);
                let because = aws_error::sts_because(code, message);
                // A VPC endpoint may refuse before anybody has looked at the token.
                let at_endpoint = because.is_some_and(|because| because.layer == Layer::VpcEndpointPolicy);
                let stage = kind.stage().filter(|_| !at_endpoint);
                Self::Refused(Refusal { attempt, code, message, kind, because, stage, source })
            }
        }
    }

    /// The answer that counts of two to the same question: an acceptance beats a refusal, since one request that passes proves
    /// the link; otherwise the first one, if there is one.
    pub fn strongest(self, second: Option<Self>) -> Self {
        match (self, second) {
            (first @ Self::Accepted { .. }, _) | (first, None) => first,
            (_, Some(second @ Self::Accepted { .. })) => second,
            (first @ Self::Refused(_), _) => first,
            (_, Some(second)) => second,
        }
    }

    /// Where the answer was read.
    pub fn source(&self) -> Option<&'f Source> {
        match self {
            Self::Accepted { source, .. } => Some(source),
            Self::Refused(refusal) => Some(refusal.source),
            Self::Unknown(_) | Self::NotApplicable => None,
        }
    }

    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal<'f>> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Accepted { .. } | Self::Unknown(_) | Self::NotApplicable => None,
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
            Self::Unknown(_) | Self::NotApplicable => false,
        }
    }
}

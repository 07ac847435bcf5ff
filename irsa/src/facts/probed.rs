//! The pod as the probe sees it from inside.

use irsa_probe::{Answer, Report};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::aws::{StsAnswer, StsAttempt};
use super::issuer::Claims;
use super::{Source, Sourced};

/// What the probe saw, and as which user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProbeFacts {
    /// Its report: raw observations. Few of the subjects of a run are probed, so it takes no room in the others.
    pub report: Box<Report>,
    /// Where it ran.
    pub place: Place,
    /// Which run started it.
    pub run: Run,
    /// The container beside which it ran, and whose identity it used.
    pub container: String,
    /// STS's answer to the token in the file.
    pub attempt: Option<Box<Sourced<StsAttempt>>>,
    /// What that token says.
    pub claims: Option<Claims>,
}

/// Where the probe ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In the pod itself, as an ephemeral container.
    Pod,
    /// In a short-lived copy of the pod (`--via pod`): it proves nothing about the pod itself.
    Copy,
}

/// Which run of the tool started the probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Run {
    /// This one.
    This,
    /// An earlier one, whose report is still in the pod's status.
    Earlier {
        /// When the probe's container ended, by the node's clock.
        ended: Option<Timestamp>,
    },
}

impl ProbeFacts {
    /// What is unknown without a report.
    pub const WHAT: &str = "the view from inside the pod";

    /// The report of the probe that this run started in `probe`, with STS's answer in the same form as that of the attempt from
    /// this machine.
    pub fn reported(report: Report, place: Place, container: &str, probe: &str) -> Sourced<Self> {
        let source = Source::Probe { container: probe.to_owned(), field: String::new() };
        let attempt =
            attempt(&report).map(|value| Box::new(Sourced { value, source: source.at("sts.assume") }));
        let claims = claims(&report);
        let report = Box::new(report);
        let value = Self { report, place, run: Run::This, container: container.to_owned(), attempt, claims };
        Sourced { value, source }
    }
}

fn attempt(report: &Report) -> Option<StsAttempt> {
    let sts = report.sts.as_ref()?;
    let url = report.network.as_ref()?.url.as_deref()?;
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or(host);
    Some(StsAttempt {
        host: host.to_owned(),
        role_arn: sts.role_arn.clone()?,
        answer: answer(sts.assume.as_ref()?)?,
        chosen_by: None,
        before: Vec::new(),
    })
}

fn claims(report: &Report) -> Option<Claims> {
    let jwt = report.token.as_ref()?.jwt.as_ref()?;
    let claims = jwt.claims.as_ref()?;
    let time = |seconds: Option<i64>| seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    Some(Claims {
        alg: jwt.alg.clone(),
        kid: jwt.kid.clone(),
        iss: claims.iss.clone(),
        aud: claims.aud.clone(),
        sub: claims.sub.clone(),
        exp: time(claims.exp),
        iat: time(claims.iat),
    })
}

/// `None` where what answered was not STS: a proxy, or nothing.
fn answer(answer: &Answer) -> Option<StsAnswer> {
    let status = answer.status?;
    match (&answer.arn, &answer.code) {
        (Some(arn), None) if status == 200 => Some(StsAnswer::Accepted { assumed_role_arn: arn.clone() }),
        (None, Some(code)) if status >= 400 => Some(StsAnswer::Refused {
            status,
            code: code.clone(),
            message: answer.message.as_deref().unwrap_or_default().into(),
            request_id: answer.request_id.clone(),
        }),
        _ => None,
    }
}

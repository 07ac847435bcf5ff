//! # The trust policy does not mean what it seems to
//!
//! A duplicate member, of which the last one counts; an element or operator that IAM does not have (a comment such as
//! `__doc_comment` inside `Condition`, as in the README of the pod identity webhook); variables such as `${aws:userid}` without
//! `"Version": "2012-10-17"`, which makes them ordinary text. IAM rejects most of these, so they occur in files rather than in a
//! role.
//!
//! **You see**: a policy whose text says one thing and whose effect is another.
//!
//! **Decided by**: the document that IAM stored, which alone counts.
//!
//! **Not a fault**: a missing `Version` in a policy without variables; `Statement` as an object instead of a list; a string
//! instead of a list of one.
//!
//! **Repair**: remove what is not meant. If it is why the role does not trust the token, another check says so.

use crate::checks::prelude::*;
use crate::checks::shared::trust;
use crate::derive::trust::{Judgement, Trust};
use crate::policy::{Oddity, Path};

pub(super) const META: Meta = Meta {
    id: "trust-json-oddities",
    step: Step::TrustPolicy,
    title: "the trust policy does not mean what it seems to",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let judged = match derived.trust() {
        Trust::Judged(judged) => judged,
        Trust::NotApplicable(reason) => return Outcome::NotApplicable(reason),
        Trust::Unknown(unknowns) => return Outcome::Unknown(unknowns.clone()),
    };
    let odd: Vec<(Path, String)> =
        judged.document.oddities.iter().filter_map(|oddity| words(judged, oddity)).collect();
    let Some((place, first)) = odd.first() else { return Outcome::Pass };
    let more = match odd.len() {
        1 => String::new(),
        count => format!(" (and {} more oddities)", count - 1),
    };
    let summary = format!("in the trust policy of role {}, {place} {first}{more}", judged.role.name);
    let finding = trust::on_role(&META, judged, summary).severity(Severity::Warning);
    let finding = odd.iter().fold(finding, |finding, (place, words)| {
        finding.seen(place.to_string(), words.as_str(), &judged.at(place))
    });
    finding.fix(Fix::advice("remove what is not meant")).into()
}

/// Where something is odd, and why, as the end of a sentence; `None` if it changes nothing.
fn words(judged: &Judgement<'_>, oddity: &Oddity) -> Option<(Path, String)> {
    let said = |place: &Path, words: &str| Some((place.clone(), words.to_owned()));
    match oddity {
        Oddity::Duplicate(place) => said(place, "occurs more than once; the last one is used here"),
        Oddity::UnknownElement(place) => said(place, "is not a policy element"),
        Oddity::UnknownOperator(place) => said(place, "is not an IAM condition operator"),
        Oddity::UnknownPrincipalKind(place) => said(place, "is not a type of principal"),
        Oddity::UnknownVersion(version) => Some((
            Path::default().key("Version"),
            format!("is {version:?}, which the policy language does not have"),
        )),
        Oddity::NoVersion => {
            let (place, value) = variable(judged)?;
            let why = "which is ordinary text without \"Version\": \"2012-10-17\"";
            Some((place, format!("has {value:?}, {why}")))
        }
    }
}

/// The first value with a policy variable.
fn variable<'j>(judged: &'j Judgement<'_>) -> Option<(Path, &'j str)> {
    let conditions = judged.document.statements.iter().flat_map(|statement| &statement.conditions);
    conditions.into_iter().find_map(|condition| {
        let value = condition.values.iter().find(|value| value.contains("${"))?;
        Some((condition.place.clone(), value.as_str()))
    })
}

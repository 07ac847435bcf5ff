//! The statement that comes nearest to allowing a request, and the least that makes it do so.
//!
//! A statement is changed only where it is evidently meant for who asks; nobody else loses what it gives them, and it
//! is not opened to others. Where that is not so, a statement of its own is proposed. Denials are never changed.

use super::document::{Document, Effect};
use super::edit::{Edit, EditKind};
use super::evaluate::evaluate;
use super::json::{Json, Path};
use super::reach::{Correction, Reach};
use super::request::{Principal, Request};
use super::token::{Patterns, Token};
use super::trace::{Evaluation, StatementTrace};
use super::tri::Tri;

/// What to change in a trust policy.
#[derive(Debug, Clone)]
pub struct Nearest {
    /// Index of the allowing statement that comes nearest; `None` if there is none at all.
    pub statement: Option<usize>,
    /// The change that lets in who asks, and nobody else.
    pub change: Change,
    /// What lets in others of the namespace as well, because a pattern covers them: for a person to choose.
    pub wider: Option<Change>,
}

/// A change of a trust policy.
#[derive(Debug, Clone)]
pub struct Change {
    /// What to do.
    pub repair: Repair,
    /// The document after it, held against the one before.
    pub correction: Correction,
}

/// What to do so that a request is allowed.
#[derive(Debug, Clone, PartialEq)]
pub enum Repair {
    /// Change the nearest statement.
    Edit(Vec<Edit>),
    /// Add this statement.
    Append(Json),
}

/// As many faults in a row may hide behind each other: key, operator, value.
const ROUNDS: usize = 3;

/// The least change that makes the document allow the request. `None` if an allowing statement matches already or may
/// match, for policies that name no principal, and if no change lets in who asks alone.
pub fn nearest(evaluation: &Evaluation<'_>) -> Option<Nearest> {
    nearest_beside(evaluation, &[])
}

/// The same where it is known that nobody has these subjects (`system:serviceaccount:shop:chekout`): one that is a typing error for
/// who asks is replaced, rather than kept beside it.
pub fn nearest_beside(evaluation: &Evaluation<'_>, vacant: &[String]) -> Option<Nearest> {
    let allows = || evaluation.statements.iter().filter(|trace| trace.effect == Effect::Allow);
    if allows().any(|trace| trace.matched != Tri::False) {
        return None;
    }
    let (document, request) = (evaluation.document, evaluation.request);
    let token = Token::of(request).map(|token| token.beside(vacant));
    let mut edited: Vec<(usize, Change)> = Vec::new();
    for patterns in [Patterns::GiveWay, Patterns::Count] {
        let of = |trace: &StatementTrace<'_>| {
            let (edits, json) = edit(document, request, token.as_ref()?, trace, patterns)?;
            Some((trace.index, change(evaluation, Repair::Edit(edits), json, vacant)?))
        };
        edited.extend(allows().filter_map(of));
    }
    edited.sort_by_key(|(_, change)| cost(&change.repair));
    let mut take = |wider: bool| {
        let is = |change: &Change| (change.correction.reach() == Reach::Namespace) == wider;
        edited.iter().position(|(_, change)| is(change)).map(|index| edited.remove(index))
    };
    let (narrow, wider) = (take(false), take(true).map(|(_, change)| change));
    if let Some((statement, change)) = narrow {
        return Some(Nearest { statement: Some(statement), change, wider });
    }
    let statement = allows().min_by_key(|trace| distance(trace)).map(|trace| trace.index);
    let appended = statement_for(request, token.as_ref())?;
    let mut json = document.json.clone();
    match json.at_mut(&Path::default().key("Statement").0)? {
        Json::Array(statements) => statements.push(appended.clone()),
        single => *single = Json::Array(vec![single.clone(), appended.clone()]),
    }
    let change = change(evaluation, Repair::Append(appended), json, vacant)?;
    Some(Nearest { statement, change, wider })
}

fn change(evaluation: &Evaluation<'_>, repair: Repair, json: Json, vacant: &[String]) -> Option<Change> {
    let document = Document::read(json).ok()?;
    let correction = Correction::check(evaluation.document, document, evaluation.request, vacant)?;
    Some(Change { repair, correction })
}

fn cost(repair: &Repair) -> usize {
    let Repair::Edit(edits) = repair else { return usize::MAX };
    edits.iter().map(cost_of).sum()
}

fn cost_of(edit: &Edit) -> usize {
    match edit.kind {
        EditKind::ReplaceValue | EditKind::ReplaceOperator | EditKind::RenameKey => 2,
        EditKind::AddValue | EditKind::ReplacePrincipal => 3,
        EditKind::RemoveCondition => 4,
    }
}

/// How far a statement is from matching; one for the same principal is nearer than any other.
fn distance(trace: &StatementTrace<'_>) -> usize {
    let missed = |outcome, weight| if outcome == Tri::False { weight } else { 0 };
    missed(trace.principal.outcome, 100)
        + missed(trace.action.outcome, 1)
        + missed(trace.resource.outcome, 1)
        + trace.failed_conditions().count()
}

/// A statement that allows the request and nothing else.
fn statement_for(request: &Request, token: Option<&Token<'_>>) -> Option<Json> {
    let (kind, name) = match &request.principal {
        Principal::WebIdentity { provider_arn, .. } => ("Federated", provider_arn),
        Principal::Service(name) => ("Service", name),
        Principal::Aws { arn, role_arn } => ("AWS", role_arn.as_ref().unwrap_or(arn)),
        Principal::Holder => return None,
    };
    let mut statement = vec![
        ("Effect".to_owned(), Json::text("Allow")),
        ("Principal".to_owned(), Json::object([(kind, Json::text(name))])),
        ("Action".to_owned(), Json::text(&request.action)),
    ];
    if let Principal::WebIdentity { .. } = request.principal {
        // Without the token's claims the statement would be for every token of the provider.
        statement.push(("Condition".to_owned(), token?.conditions()));
    }
    Some(Json::Object(statement))
}

/// The edits that make this statement match, and the document after them; `None` if it is not meant for this token.
fn edit(
    document: &Document,
    request: &Request,
    token: &Token<'_>,
    trace: &StatementTrace<'_>,
    patterns: Patterns,
) -> Option<(Vec<Edit>, Json)> {
    let mut edits = Vec::new();
    let mut json = document.json.clone();
    let mut next = token.edits(&json, trace, patterns)?;
    for _ in 0..ROUNDS {
        for edit in &next {
            edit.apply(&mut json)?;
        }
        edits.append(&mut next);
        let corrected = Document::read(json.clone()).ok()?;
        let evaluation = evaluate(&corrected, request);
        let now = evaluation.statements.get(trace.index)?;
        if now.matched != Tri::False {
            return token.is_named(now).then_some((edits, json));
        }
        next = token.edits(&json, now, patterns)?;
    }
    None
}

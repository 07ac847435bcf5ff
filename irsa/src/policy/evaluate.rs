//! Does this policy allow this request?

use super::compare::{self, Comparison, compare, lower};
use super::document::{
    Clause, Condition, Document, Effect, PrincipalEntry, PrincipalKind, Statement, Version,
};
use super::operator::{Operator, Quantifier, Test};
use super::request::{Context, Found, Principal, Request};
use super::trace::{ConditionTrace, Decision, Evaluation, PartTrace, Reason, StatementTrace};
use super::tri::Tri;
use super::variable::{self, Unresolved};
use super::wildcard::{matches, wild};

/// Judges every statement, and decides: an explicit deny wins, then an allow, else it is denied.
pub fn evaluate<'a>(document: &'a Document, request: &'a Request) -> Evaluation<'a> {
    let statements: Vec<_> = document
        .statements
        .iter()
        .enumerate()
        .map(|(index, statement)| judge(index, statement, document.version, request))
        .collect();
    Evaluation { document, request, decision: decide(&statements), statements }
}

fn decide(statements: &[StatementTrace<'_>]) -> Decision {
    let with = |effect, matched| {
        let wanted = move |trace: &&StatementTrace<'_>| trace.effect == effect && trace.matched == matched;
        statements.iter().filter(wanted).map(|trace| trace.index)
    };
    if let Some(statement) = with(Effect::Deny, Tri::True).next() {
        return Decision::ExplicitDeny { statement };
    }
    let allowed = with(Effect::Allow, Tri::True).next();
    let may_allow: Vec<_> = match allowed {
        Some(_) => Vec::new(),
        None => with(Effect::Allow, Tri::Unknown).collect(),
    };
    if allowed.is_none() && may_allow.is_empty() {
        return Decision::NoMatch;
    }
    let mut open: Vec<_> = may_allow.into_iter().chain(with(Effect::Deny, Tri::Unknown)).collect();
    match allowed {
        Some(statement) if open.is_empty() => Decision::Allow { statement },
        _ => {
            open.sort_unstable();
            Decision::Unknown { statements: open }
        }
    }
}

fn judge<'a>(
    index: usize,
    statement: &'a Statement,
    version: Version,
    request: &'a Request,
) -> StatementTrace<'a> {
    let principal = principal(statement.principal.as_ref(), &request.principal);
    let action = part(Some(&statement.action), |pattern| compare::action(pattern, &request.action).into());
    let resource = resource(statement.resource.as_ref(), version, request);
    let conditions: Vec<_> = statement
        .conditions
        .iter()
        .map(|condition| judge_condition(condition, version, &request.context))
        .collect();
    let parts = [principal.outcome, action.outcome, resource.outcome];
    let matched = Tri::all(parts.into_iter().chain(conditions.iter().map(|condition| condition.outcome)));
    let (sid, effect) = (statement.sid.as_deref(), statement.effect);
    StatementTrace { index, sid, effect, matched, principal, action, resource, conditions }
}

/// Judges a clause by its entries. A statement that lacks the part puts no limit to it.
fn part<T>(clause: Option<&Clause<T>>, names: impl Fn(&T) -> Tri) -> PartTrace<'_, T> {
    let Some(clause) = clause else { return PartTrace { clause: None, outcome: Tri::True, entry: None } };
    let outcomes: Vec<Tri> = clause.entries.iter().map(names).collect();
    let entry = outcomes.iter().position(|outcome| *outcome == Tri::True);
    let named = Tri::any(outcomes);
    PartTrace { clause: Some(clause), outcome: if clause.negated { !named } else { named }, entry }
}

fn principal<'a>(
    clause: Option<&'a Clause<PrincipalEntry>>,
    principal: &Principal,
) -> PartTrace<'a, PrincipalEntry> {
    if clause.is_none() && *principal != Principal::Holder {
        // A statement of a trust policy names somebody; IAM would not store this one.
        return PartTrace { clause, outcome: Tri::Unknown, entry: None };
    }
    let trace = part(clause, |entry| names(entry, principal));
    // `NotPrincipal` excepts a role only if it lists its account as well, and a session only with its role.
    let undecided = clause.is_some_and(|clause| clause.negated)
        && matches!(principal, Principal::Aws { .. })
        && trace.outcome == Tri::False;
    PartTrace { outcome: if undecided { Tri::Unknown } else { trace.outcome }, ..trace }
}

/// Whether a principal of a statement names who asks. There are no wildcards but the `*` for everyone.
fn names(entry: &PrincipalEntry, principal: &Principal) -> Tri {
    let value = entry.value.as_str();
    match (&entry.kind, principal) {
        (_, Principal::Holder) => Tri::Unknown,
        (PrincipalKind::Anyone, _) => Tri::True,
        // The same as `"*"`, says the documentation of the element.
        (PrincipalKind::Aws, _) if value == "*" => Tri::True,
        (PrincipalKind::Federated, Principal::WebIdentity { .. })
        | (PrincipalKind::Service, Principal::Service(_))
            if value == "*" =>
        {
            Tri::Unknown
        }
        (PrincipalKind::Federated, Principal::WebIdentity { provider_arn, .. }) => {
            (value == provider_arn).into()
        }
        (PrincipalKind::Service, Principal::Service(name)) => (value == name).into(),
        (PrincipalKind::Aws, Principal::Aws { arn, role_arn }) => {
            let account = arn.split(':').nth(4).unwrap_or_default();
            let is_account = value == account
                || value.strip_suffix(":root").is_some_and(|head| {
                    head.strip_suffix(account)
                        .is_some_and(|head| head.starts_with("arn:") && head.ends_with(":iam::"))
                });
            (is_account || value == arn || role_arn.as_deref() == Some(value)).into()
        }
        _ => Tri::False,
    }
}

fn resource<'a>(
    clause: Option<&'a Clause<String>>,
    version: Version,
    request: &Request,
) -> PartTrace<'a, String> {
    part(clause, |text| {
        if text == "*" {
            return Tri::True;
        }
        let Some(found) = &request.resource else { return Tri::Unknown };
        match variable::resolve(text, version, true, &request.context) {
            Ok(pattern) => match compare::resource(&pattern, found) {
                Comparison::Match => Tri::True,
                Comparison::Differ | Comparison::Invalid => Tri::False,
                Comparison::Unknown | Comparison::Unspecified => Tri::Unknown,
            },
            Err(Unresolved::Null) => Tri::False,
            Err(Unresolved::Several | Unresolved::Unknown) => Tri::Unknown,
        }
    })
}

fn judge_condition<'a>(
    condition: &'a Condition,
    version: Version,
    context: &'a Context,
) -> ConditionTrace<'a> {
    let found = context.get(&condition.key);
    let (outcome, reason) = match (condition.operator, found) {
        (None, _) => (Tri::Unknown, Reason::UnknownOperator),
        (_, Found::Unknown(_)) => (Tri::Unknown, Reason::KeyUnknown),
        (Some(operator), _) if operator.test == Test::Null => {
            presence(condition, matches!(found, Found::Absent))
        }
        (Some(operator), Found::Absent) => match operator.if_absent() {
            Tri::True => (Tri::True, Reason::AbsentPasses),
            Tri::False => (Tri::False, Reason::KeyAbsent),
            Tri::Unknown => (Tri::Unknown, Reason::AbsentUnspecified),
        },
        (Some(operator), Found::Present(values)) => {
            let judge = |value: &String| judge_value(condition, operator, value, version, context);
            judge_values(operator, values.iter().map(judge).collect())
        }
    };
    ConditionTrace { condition, found, outcome, reason }
}

/// `Null`: `true` demands that the key is absent, `false` that it is there.
fn presence(condition: &Condition, absent: bool) -> (Tri, Reason) {
    let wanted = if absent { "true" } else { "false" };
    if condition.values.iter().any(|value| value.eq_ignore_ascii_case(wanted)) {
        return (Tri::True, Reason::PresenceAsAsked);
    }
    let is_boolean = |value: &String| ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word));
    match condition.values.iter().position(|value| !is_boolean(value)) {
        Some(expected) => (Tri::False, Reason::Invalid { expected }),
        None => (Tri::False, Reason::PresenceNotAsAsked),
    }
}

/// Puts together the judgements of the request's values; there is at least one.
fn judge_values(operator: Operator, judged: Vec<(Tri, Reason)>) -> (Tri, Reason) {
    let outcomes = || judged.iter().map(|(outcome, _)| *outcome);
    let reason_of = |wanted| judged.iter().find(|(outcome, _)| *outcome == wanted).map(|(_, reason)| *reason);
    let outcome = match operator.quantifier {
        Some(Quantifier::ForAllValues) => Tri::all(outcomes()),
        Some(Quantifier::ForAnyValue) => Tri::any(outcomes()),
        None if judged.len() == 1 => Tri::any(outcomes()),
        // Whether IAM takes any value, all or none: if no value passes, the condition does not.
        None => match Tri::any(outcomes()) {
            Tri::False => Tri::False,
            Tri::True | Tri::Unknown => return (Tri::Unknown, Reason::SeveralValues),
        },
    };
    let reason = match operator.quantifier {
        Some(Quantifier::ForAllValues) if outcome == Tri::True && judged.len() > 1 => Reason::SetPasses,
        _ => reason_of(outcome).unwrap_or(Reason::SeveralValues),
    };
    (outcome, reason)
}

/// One value of the request beside all values of the policy: one must match; if negated, none may.
fn judge_value(
    condition: &Condition,
    operator: Operator,
    found: &str,
    version: Version,
    context: &Context,
) -> (Tri, Reason) {
    let mut open = None;
    let mut invalid = None;
    for (expected, value) in condition.values.iter().enumerate() {
        match compare(operator, value, found, version, context) {
            Comparison::Match if operator.negated => return (Tri::False, Reason::Forbidden { expected }),
            Comparison::Match => return (Tri::True, Reason::Matches { expected }),
            Comparison::Differ => {}
            Comparison::Invalid => invalid = invalid.or(Some(expected)),
            Comparison::Unknown => open = open.or(Some(Reason::VariableUnknown { expected })),
            Comparison::Unspecified => open = open.or(Some(Reason::Unspecified { expected })),
        }
    }
    match (open, invalid) {
        (Some(reason), _) => (Tri::Unknown, reason),
        // What is no value of its type matches nothing. Whether its negation is then true is not documented.
        (None, Some(expected)) if operator.negated => (Tri::Unknown, Reason::Unspecified { expected }),
        (None, Some(expected)) => (Tri::False, Reason::Invalid { expected }),
        (None, None) if operator.negated => (Tri::True, Reason::NoneMatches),
        (None, None) => (Tri::False, near_miss(condition, operator, found, version, context)),
    }
}

/// Why nothing matches, where one step would have done.
fn near_miss(
    condition: &Condition,
    operator: Operator,
    found: &str,
    version: Version,
    context: &Context,
) -> Reason {
    let position = |near: &dyn Fn(&str) -> bool| condition.values.iter().position(|value| near(value));
    let folded = |text: &str| {
        let pattern = variable::resolve(text, version, operator.test == Test::StringLike, context);
        pattern.is_ok_and(|pattern| matches(&lower(&pattern), &found.to_lowercase()))
    };
    match operator.test {
        Test::StringEquals | Test::StringEqualsIgnoreCase => {
            if let Some(expected) = position(&|text| text.contains(['*', '?']) && matches(&wild(text), found))
            {
                return Reason::WildcardIsLiteral { expected };
            }
        }
        Test::StringLike => {}
        _ => return Reason::Differs,
    }
    position(&folded).map_or(Reason::Differs, |expected| Reason::CaseDiffers { expected })
}

//! What in a statement is evidently meant for a token, and the edits that make it fit.

use super::document::{Clause, PrincipalEntry, PrincipalKind};
use super::edit::{Edit, EditKind};
use super::json::{Json, Path};
use super::operator::Test;
use super::request::{Found, Principal, Request};
use super::trace::{ConditionTrace, Reason, StatementTrace};
use super::tri::Tri;

/// How many characters a mistyped value may differ in.
const TYPO: usize = 2;

/// A token, as trust policies see it.
pub(super) struct Token<'a> {
    provider_arn: &'a str,
    issuer: &'a str,
    action: &'a str,
    sub: &'a str,
    aud: &'a [String],
    /// Subjects that nobody has: their service accounts do not exist.
    vacant: &'a [String],
}

impl<'a> Token<'a> {
    /// The token of a request; `None` if its claims are not known.
    pub(super) fn of(request: &'a Request) -> Option<Self> {
        let Principal::WebIdentity { provider_arn, issuer } = &request.principal else { return None };
        let claim = |name| request.context.get(&format!("{issuer}:{name}"));
        let (Found::Present([sub]), Found::Present(aud)) = (claim("sub"), claim("aud")) else { return None };
        Some(Self { provider_arn, issuer, action: &request.action, sub, aud, vacant: &[] })
    }

    /// The same where it is known that nobody has these subjects.
    pub(super) fn beside(self, vacant: &'a [String]) -> Self {
        Self { vacant, ..self }
    }

    /// Conditions that this token satisfies, and no other subject's.
    pub(super) fn conditions(&self) -> Json {
        let (sub_key, aud_key) = (format!("{}:sub", self.issuer), format!("{}:aud", self.issuer));
        let sub = (sub_key.as_str(), Json::text(self.sub));
        match self.aud {
            [aud] => {
                Json::object([("StringEquals", Json::object([(aud_key.as_str(), Json::text(aud)), sub]))])
            }
            several => {
                let several = Json::Array(several.iter().map(Json::text).collect());
                Json::object([
                    ("StringEquals", Json::object([sub])),
                    ("ForAnyValue:StringEquals", Json::object([(aud_key.as_str(), several)])),
                ])
            }
        }
    }

    /// One edit for each part of the statement that is certainly wrong; `None` if one of them is not to be edited.
    pub(super) fn edits(
        &self,
        json: &Json,
        trace: &StatementTrace<'_>,
        patterns: Patterns,
    ) -> Option<Vec<Edit>> {
        if trace.resource.outcome == Tri::False {
            return None;
        }
        let mut edits = Vec::new();
        if trace.principal.outcome == Tri::False {
            edits.push(self.principal(json, trace)?);
        }
        if trace.action.outcome == Tri::False {
            edits.push(self.action(json, trace)?);
        }
        for failed in trace.failed_conditions() {
            edits.push(self.condition(json, trace, failed, patterns)?);
        }
        Some(edits)
    }

    /// True if the statement names this subject. One that names none would be opened to all of the cluster.
    pub(super) fn is_named(&self, statement: &StatementTrace<'_>) -> bool {
        statement.conditions.iter().any(|trace| {
            self.claim(&trace.condition.key) == Some("sub") && matches!(trace.reason, Reason::Matches { .. })
        })
    }

    /// The condition key of a claim.
    pub(super) fn key(&self, claim: &str) -> String {
        format!("{}:{claim}", self.issuer)
    }

    /// Its audiences.
    pub(super) fn aud(&self) -> &'a [String] {
        self.aud
    }

    /// Its subject.
    pub(super) fn sub(&self) -> &'a str {
        self.sub
    }

    /// ARN of the provider that vouches for it.
    pub(super) fn provider_arn(&self) -> &'a str {
        self.provider_arn
    }

    /// `sub` or `aud`, if the key asks for that claim of this token's issuer.
    pub(super) fn claim(&self, key: &str) -> Option<&'static str> {
        let (issuer, claim) = known_claim(key);
        claim.filter(|_| issuer.eq_ignore_ascii_case(self.issuer))
    }

    /// The provider in place of a principal that is it but for its account or form, or in place of the only one, if the
    /// conditions are this issuer's.
    fn principal(&self, json: &Json, trace: &StatementTrace<'_>) -> Option<Edit> {
        let clause = trace.principal.clause.filter(|clause| !clause.negated)?;
        if let Some(entry) = clause.entries.iter().position(|entry| {
            entry.kind == PrincipalKind::Federated
                && without_scheme(&entry.value) == without_scheme(self.issuer)
        }) {
            let place = entry_place(json, clause, entry)?;
            return Some(replace(place, &clause.entries.get(entry)?.value, self.provider_arn));
        }
        let [only] = clause.entries.as_slice() else { return None };
        // One that nobody without a token of this issuer satisfies: no one else loses the role.
        let is_ours = |trace: &ConditionTrace<'_>| {
            trace.condition.operator.is_some_and(|operator| operator.if_absent() == Tri::False)
                && without_scheme(known_claim(&trace.condition.key).0) == without_scheme(self.issuer)
        };
        trace.conditions.iter().any(is_ours).then(|| Edit {
            place: clause.place.clone(),
            kind: EditKind::ReplacePrincipal,
            from: only.value.clone(),
            to: self.provider_arn.to_owned(),
        })
    }

    /// The action in place of another way to assume the role, which a provider of tokens cannot use; else beside it.
    fn action(&self, json: &Json, trace: &StatementTrace<'_>) -> Option<Edit> {
        let clause = trace.action.clause.filter(|clause| !clause.negated)?;
        let only_tokens = trace.principal.clause.is_none_or(|clause| {
            let is_saml = |entry: &PrincipalEntry| entry.value.contains(":saml-provider/");
            clause.is_federated_only() && !clause.entries.iter().any(is_saml)
        });
        let is_assume = |action: &String| action.to_ascii_lowercase().starts_with("sts:assumerole");
        match clause.entries.iter().position(is_assume) {
            Some(index) if only_tokens => {
                let place = value_place(json, &clause.place, index)?;
                Some(replace(place, clause.entries.get(index)?, self.action))
            }
            _ => Some(add(&clause.place, &clause.entries, self.action)),
        }
    }

    fn condition(
        &self,
        json: &Json,
        statement: &StatementTrace<'_>,
        trace: &ConditionTrace<'_>,
        patterns: Patterns,
    ) -> Option<Edit> {
        let condition = trace.condition;
        let operator = condition.operator?;
        if operator.negated {
            return None;
        }
        match trace.reason {
            Reason::KeyAbsent => self.absent(statement, trace),
            Reason::WildcardIsLiteral { expected } => match (patterns, self.claim(&condition.key)?) {
                (Patterns::Count, "sub") => like(statement, trace),
                // No token has a subject with a wildcard in it, so nobody loses it.
                (Patterns::GiveWay, "sub") => {
                    let place = value_place(json, &condition.place, expected)?;
                    Some(replace(place, condition.values.get(expected)?, self.sub))
                }
                (_, claim) => Some(add(&condition.place, &condition.values, self.value(claim)?)),
            },
            Reason::CaseDiffers { expected } => {
                let claim = self.claim(&condition.key)?;
                let from = condition.values.get(expected)?;
                // Kubernetes has no upper case in names.
                let to = match patterns {
                    Patterns::Count if from.contains(['*', '?']) => from.to_ascii_lowercase(),
                    _ => self.value(claim)?.into(),
                };
                Some(replace(value_place(json, &condition.place, expected)?, from, &to))
            }
            Reason::Differs => self.differs(json, statement, trace),
            _ => None,
        }
    }

    /// A claim under a mistyped issuer gets this token's; a key that no web identity has goes, if the subject is named.
    fn absent(&self, statement: &StatementTrace<'_>, trace: &ConditionTrace<'_>) -> Option<Edit> {
        let key = &trace.condition.key;
        let (issuer, claim) = known_claim(key);
        let is_ours = without_scheme(issuer) == without_scheme(self.issuer);
        let place = trace.condition.place.clone();
        let clause = statement.principal.clause?;
        if let Some(claim) = claim {
            let ours_alone = statement.principal.outcome == Tri::True && clause.entries.len() == 1;
            let to = format!("{}:{claim}", self.issuer);
            return ((is_ours || ours_alone) && is_free(statement, trace, &to)).then(|| Edit {
                place,
                kind: EditKind::RenameKey,
                from: key.clone(),
                to,
            });
        }
        // Another issuer's claims may be there in its tokens.
        let never_there = is_ours || !issuer.contains('.');
        (never_there && clause.is_federated_only()).then(|| Edit {
            place,
            kind: EditKind::RemoveCondition,
            from: key.clone(),
            to: String::new(),
        })
    }

    /// A claim of this token with other values than the token's.
    fn differs(
        &self,
        json: &Json,
        statement: &StatementTrace<'_>,
        trace: &ConditionTrace<'_>,
    ) -> Option<Edit> {
        let condition = trace.condition;
        let claim = self.claim(&condition.key)?;
        let own = self.value(claim)?;
        let other = if claim == "sub" { "aud" } else { "sub" };
        // Key and value swapped: each has what belongs to the other.
        if let Some(index) = condition.values.iter().position(|value| self.is(other, value)) {
            let to = format!("{}:{other}", self.issuer);
            return if is_free(statement, trace, &to) && condition.values.len() == 1 {
                let (place, from) = (condition.place.clone(), condition.key.clone());
                Some(Edit { place, kind: EditKind::RenameKey, from, to })
            } else {
                Some(replace(value_place(json, &condition.place, index)?, condition.values.get(index)?, own))
            };
        }
        if claim == "aud" {
            return Some(add(&condition.place, &condition.values, own));
        }
        // Nobody has this name, so that nobody loses anything.
        let is_typo = |value: &String| {
            is_misspelled(value, own) || (is_near(value, own) && self.vacant.contains(value))
        };
        if let Some(index) = condition.values.iter().position(is_typo) {
            return Some(replace(
                value_place(json, &condition.place, index)?,
                condition.values.get(index)?,
                own,
            ));
        }
        // Another service account, which may exist: it keeps what it has.
        let near = condition.values.iter().any(|value| is_near(value, own));
        near.then(|| add(&condition.place, &condition.values, own))
    }

    /// True if the token has this value in this claim.
    fn is(&self, claim: &str, value: &str) -> bool {
        match claim {
            "sub" => value == self.sub,
            _ => self.aud.iter().any(|aud| aud == value),
        }
    }

    /// The claim, where it has one value.
    fn value(&self, claim: &str) -> Option<&'a str> {
        match (claim, self.aud) {
            ("sub", _) => Some(self.sub),
            ("aud", [aud]) => Some(aud),
            _ => None,
        }
    }
}

/// What becomes of a pattern that matches nobody as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patterns {
    /// The subject takes its place: it alone is let in.
    GiveWay,
    /// It begins to count: all whom it covers are let in.
    Count,
}

/// The operator with wildcards in place of the one without.
fn like(statement: &StatementTrace<'_>, trace: &ConditionTrace<'_>) -> Option<Edit> {
    let condition = trace.condition;
    if condition.operator?.test != Test::StringEquals {
        return None;
    }
    let from = condition.operator_name.clone();
    let to = from.replacen("Equals", "Like", 1);
    let taken = |other: &ConditionTrace<'_>| {
        other.condition.operator_name == to && other.condition.key == condition.key
    };
    let free = to != from && !statement.conditions.iter().any(taken);
    free.then(|| Edit { place: condition.place.clone(), kind: EditKind::ReplaceOperator, from, to })
}

/// The issuer and the claim of a condition key.
fn claim(key: &str) -> (&str, &str) {
    key.rsplit_once(':').unwrap_or(("", key))
}

/// The issuer of a condition key, and its claim if that is one that Kubernetes' tokens have.
pub fn known_claim(key: &str) -> (&str, Option<&'static str>) {
    let (issuer, claim) = claim(key);
    (issuer, ["sub", "aud"].into_iter().find(|known| known.eq_ignore_ascii_case(claim)))
}

/// An issuer without what people put around it: the scheme, a slash, the provider's ARN.
pub fn without_scheme(issuer: &str) -> String {
    let issuer = issuer.rsplit_once("oidc-provider/").map_or(issuer, |(_, issuer)| issuer);
    let issuer = issuer.trim().trim_start_matches("https://").trim_end_matches('/');
    issuer.to_ascii_lowercase()
}

/// True if the operator of this condition does not have that key yet.
fn is_free(statement: &StatementTrace<'_>, trace: &ConditionTrace<'_>, key: &str) -> bool {
    !statement.conditions.iter().any(|other| {
        other.condition.operator_name == trace.condition.operator_name
            && other.condition.key.eq_ignore_ascii_case(key)
    })
}

const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// The subject of a service account's tokens.
pub(super) fn subject(namespace: &str, name: &str) -> String {
    format!("{SERVICE_ACCOUNT}{namespace}:{name}")
}

/// Namespace and name of a subject of Kubernetes, if the text can be one.
pub(super) fn service_account(sub: &str) -> Option<(&str, &str)> {
    let (namespace, name) = sub.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')?;
    let plain = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
    };
    (plain(namespace) && plain(name)).then_some((namespace, name))
}

/// True if the value can be no subject at all and was meant to be this one: without prefix, with `/` for `:`.
fn is_misspelled(value: &str, sub: &str) -> bool {
    if service_account(value).is_some() || value.contains(['*', '?']) {
        return false;
    }
    let Some((namespace, name)) = service_account(sub) else { return false };
    let value = value.trim().replace('/', ":");
    value
        .strip_suffix(&format!("{namespace}:{name}"))
        .is_some_and(|head| head.is_empty() || head.ends_with(':'))
        || strsim::levenshtein(&value, sub) <= TYPO
}

/// True if the value is another service account whose name says that this one is meant: a slip of the pen, or a
/// release's name before or after it.
fn is_near(value: &str, sub: &str) -> bool {
    let (Some((namespace, name)), Some((own_namespace, own_name))) =
        (service_account(value), service_account(sub))
    else {
        return false;
    };
    let extends = |long: &str, short: &str| {
        long.strip_suffix(short).is_some_and(|head| head.ends_with('-'))
            || long.strip_prefix(short).is_some_and(|tail| tail.starts_with('-'))
    };
    strsim::levenshtein(value, sub) <= TYPO
        || (namespace == own_namespace && (extends(name, own_name) || extends(own_name, name)))
}

fn replace(place: Path, from: &str, to: &str) -> Edit {
    Edit { place, kind: EditKind::ReplaceValue, from: from.to_owned(), to: to.to_owned() }
}

fn add(place: &Path, from: &[String], to: &str) -> Edit {
    Edit { place: place.clone(), kind: EditKind::AddValue, from: from.join(", "), to: to.to_owned() }
}

/// The place of one value, which may stand alone or in a list.
fn value_place(json: &Json, place: &Path, index: usize) -> Option<Path> {
    match json.at(&place.0)? {
        Json::Array(_) => Some(place.index(index)),
        _ => Some(place.clone()),
    }
}

/// The place of a federated principal, given its index among all principals.
fn entry_place(json: &Json, clause: &Clause<PrincipalEntry>, index: usize) -> Option<Path> {
    let before = clause.entries.get(..index)?;
    let among_its_kind = before.iter().filter(|entry| entry.kind == PrincipalKind::Federated).count();
    value_place(json, &clause.place.key("Federated"), among_its_kind)
}

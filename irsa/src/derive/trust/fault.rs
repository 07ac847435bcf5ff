//! Why a trust policy does not accept a token: one fault, with every mismatch of the nearest statement.

use super::Token;
use super::issuer_match::{IssuerMatch, issuer_match};
use crate::policy::{
    Clause, ConditionTrace, Decision, Document, Effect, Evaluation, Path, PrincipalEntry, PrincipalKind,
    Reason, StatementTrace, Tri, known_claim,
};

/// What is wrong with a trust policy: one for each failure mode, in the order in which they must be repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// A statement denies it.
    Deny,
    /// The provider is in another account than the role.
    ProviderOtherAccount,
    /// Another kind of principal is trusted: a service, an account, another kind of provider.
    WrongPrincipal,
    /// Another cluster is trusted.
    OtherCluster,
    /// The issuer is misspelt.
    IssuerTypo,
    /// Another action is allowed.
    WrongAction,
    /// One statement requires the claims of two clusters at once.
    TwoClustersAnded,
    /// A condition that no token of Kubernetes satisfies.
    UnavailableKey,
    /// The values of `sub` and `aud` are swapped.
    KeyValueSwapped,
    /// A wildcard under an operator that does not support wildcards.
    WildcardInStringEquals,
    /// Upper case where Kubernetes has lower case.
    Case,
    /// Another audience.
    AudMismatch,
    /// Another service account.
    SubMismatch,
    /// Another session name.
    SessionName,
}

/// Why the policy does not accept the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The failure mode: that of the first mismatch.
    pub kind: FaultKind,
    /// The path of the nearest statement; of the denying one for [`FaultKind::Deny`]. `None` if nothing is allowed at all.
    pub place: Option<Path>,
    /// Its name.
    pub sid: Option<String>,
    /// The statement's mismatches, in the order of repair; what it denies for [`FaultKind::Deny`].
    pub misses: Vec<Miss>,
    /// True if the statement has conditions, on more than the claims, that the token's request satisfies or may satisfy:
    /// a network, a time, a session name.
    pub other_conditions: bool,
}

impl Fault {
    /// The statement as people name it: `Statement[0] (AllowCheckout)`.
    pub fn statement(&self) -> String {
        let place = self.place.as_ref().map(Path::to_string).unwrap_or_default();
        match &self.sid {
            Some(sid) => format!("{place} ({sid})"),
            None => place,
        }
    }
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// The failure mode that it would be on its own.
    pub kind: FaultKind,
    /// Where it stands in the policy.
    pub place: Path,
    /// What is compared.
    pub what: String,
    /// What the token's request has; `None` if the policy's value speaks for itself.
    pub expected: Option<String>,
    /// What the policy has; the nearest value first.
    pub found: Vec<String>,
    /// True if the policy excludes what it lists, instead of allowing it.
    pub excludes: bool,
}

impl Miss {
    /// True if the call has the key with another value, and the key is no claim of the token: its condition counts.
    pub fn is_of_the_call(&self) -> bool {
        self.kind == FaultKind::UnavailableKey && self.expected.is_some()
    }
}

/// The fault, if the policy certainly does not accept the token. `nearest` is the statement that a repair would change.
pub(super) fn of(evaluation: &Evaluation<'_>, token: &Token, nearest: Option<usize>) -> Option<Fault> {
    let (statement, misses) = match evaluation.decision {
        Decision::Allow { .. } | Decision::Unknown { .. } => return None,
        Decision::ExplicitDeny { statement } => {
            let trace = evaluation.statements.get(statement)?;
            (trace, denied(evaluation.document, trace))
        }
        Decision::NoMatch => {
            let chosen = nearest.and_then(|index| evaluation.statements.get(index));
            let Some(trace) = chosen.or_else(|| nearest_of(evaluation, token)) else {
                return Some(nothing_allowed(evaluation.document));
            };
            (trace, misses(trace, token))
        }
    };
    let sid = statement.sid.map(str::to_owned);
    let place = evaluation.document.statements.get(statement.index)?.place.clone();
    let other = |condition: &ConditionTrace<'_>| {
        condition.reason != Reason::KeyAbsent && claim_of(condition, token).is_none()
    };
    let other_conditions = statement.conditions.iter().any(other);
    let kind = misses.first()?.kind;
    Some(Fault { kind, place: Some(place), sid, misses, other_conditions })
}

/// A policy without a statement that allows anything.
fn nothing_allowed(document: &Document) -> Fault {
    let place = Path::default().key("Statement");
    let found = document.statements.iter().map(|_| "Deny".to_owned()).collect();
    let what = "effects of the statements".to_owned();
    let expected = Some("Allow".to_owned());
    let kind = FaultKind::WrongPrincipal;
    Fault {
        kind,
        place: None,
        sid: None,
        misses: vec![Miss { kind, place, what, expected, found, excludes: false }],
        other_conditions: false,
    }
}

/// The allowing statement that is most likely meant: by its principal, by the fewest mismatches, by the subject.
fn nearest_of<'e, 'a>(evaluation: &'e Evaluation<'a>, token: &Token) -> Option<&'e StatementTrace<'a>> {
    let allows = evaluation.statements.iter().filter(|trace| trace.effect == Effect::Allow);
    allows.min_by_key(|trace| {
        let misses = misses(trace, token);
        let principal = match trace.principal.outcome {
            Tri::False => misses.iter().map(|miss| miss.kind).find(is_of_principal),
            Tri::True | Tri::Unknown => None,
        };
        let rank = match principal {
            None => 0,
            Some(FaultKind::ProviderOtherAccount | FaultKind::IssuerTypo) => 1,
            Some(FaultKind::OtherCluster) => 2,
            Some(_) => 3,
        };
        let nearest_sub = misses.iter().find(|miss| miss.kind == FaultKind::SubMismatch);
        let subject =
            nearest_sub.and_then(|miss| miss.found.first()).map_or(0, |sub| distance(sub, &token.sub));
        (rank, misses.len(), subject)
    })
}

fn is_of_principal(kind: &FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::ProviderOtherAccount
            | FaultKind::WrongPrincipal
            | FaultKind::OtherCluster
            | FaultKind::IssuerTypo
    )
}

/// What the denying statement says.
fn denied(document: &Document, trace: &StatementTrace<'_>) -> Vec<Miss> {
    let miss = |place: &Path, what: String, found: Vec<String>| Miss {
        kind: FaultKind::Deny,
        place: place.clone(),
        what,
        expected: None,
        found,
        excludes: true,
    };
    let conditions: Vec<Miss> = trace
        .conditions
        .iter()
        .map(|condition| {
            let stated = condition.condition;
            let absent = matches!(condition.reason, Reason::AbsentPasses);
            let why =
                if absent { " (the token does not have that key, which satisfies the operator)" } else { "" };
            let what = format!("denied if {} {}{why}", stated.operator_name, stated.key);
            miss(&stated.place, what, stated.values.clone())
        })
        .collect();
    if !conditions.is_empty() {
        return conditions;
    }
    let place = document.statements.get(trace.index).map(|statement| statement.place.clone());
    vec![miss(&place.unwrap_or_default(), "denied unconditionally".to_owned(), vec!["Deny".to_owned()])]
}

/// The statement's mismatches, in the order of repair.
fn misses(trace: &StatementTrace<'_>, token: &Token) -> Vec<Miss> {
    let mut misses = Vec::new();
    if let (Tri::False, Some(clause)) = (trace.principal.outcome, trace.principal.clause) {
        misses.push(Miss {
            kind: wrong_principal(clause, trace, token),
            place: clause.place.clone(),
            what: if clause.negated { "who is excluded" } else { "who is trusted" }.to_owned(),
            expected: Some(format!("Federated {}", token.provider_arn)),
            found: clause.entries.iter().map(shown).collect(),
            excludes: clause.negated,
        });
    }
    if let (Tri::False, Some(clause)) = (trace.action.outcome, trace.action.clause) {
        misses.push(Miss {
            kind: FaultKind::WrongAction,
            place: clause.place.clone(),
            what: if clause.negated { "excluded actions" } else { "allowed actions" }.to_owned(),
            expected: Some("sts:AssumeRoleWithWebIdentity".to_owned()),
            found: clause.entries.clone(),
            excludes: clause.negated,
        });
    }
    let principal = misses.iter().map(|miss| miss.kind).find(is_of_principal);
    misses.extend(trace.failed_conditions().map(|failed| condition(trace, failed, principal, token)));
    misses.sort_by_key(|miss| miss.kind);
    misses
}

/// A principal as the policy writes it.
pub(super) fn shown(entry: &PrincipalEntry) -> String {
    let kind = match &entry.kind {
        PrincipalKind::Anyone => return entry.value.clone(),
        PrincipalKind::Aws => "AWS",
        PrincipalKind::Federated => "Federated",
        PrincipalKind::Service => "Service",
        PrincipalKind::Other(name) => name,
    };
    format!("{kind} {}", entry.value)
}

fn wrong_principal(clause: &Clause<PrincipalEntry>, trace: &StatementTrace<'_>, token: &Token) -> FaultKind {
    if clause.negated {
        return FaultKind::WrongPrincipal;
    }
    let providers = clause.entries.iter().filter(|entry| entry.kind == PrincipalKind::Federated);
    let kinds = providers.map(|entry| {
        let provider = Provider::of(&entry.value);
        match issuer_match(provider.issuer, &token.issuer) {
            // The issuer alone, or an ARN of another partition.
            IssuerMatch::Same if provider.account.is_none_or(|account| account == token.account()) => {
                FaultKind::WrongPrincipal
            }
            IssuerMatch::Same => FaultKind::ProviderOtherAccount,
            IssuerMatch::Typo => FaultKind::IssuerTypo,
            // The conditions are for this cluster, so only the principal was left unchanged.
            IssuerMatch::OtherCluster if names_own_issuer(trace, token) => FaultKind::IssuerTypo,
            IssuerMatch::OtherCluster => FaultKind::OtherCluster,
            IssuerMatch::Foreign if names_service_accounts(trace) && provider.account.is_some() => {
                FaultKind::OtherCluster
            }
            IssuerMatch::Foreign => FaultKind::WrongPrincipal,
        }
    });
    let nearness = |kind: &FaultKind| match kind {
        FaultKind::ProviderOtherAccount => 0,
        FaultKind::IssuerTypo => 1,
        FaultKind::OtherCluster => 2,
        _ => 3,
    };
    kinds.min_by_key(nearness).unwrap_or(FaultKind::WrongPrincipal)
}

/// What a federated principal names.
struct Provider<'a> {
    /// `None` if it is not the ARN of an OIDC provider.
    account: Option<&'a str>,
    issuer: &'a str,
}

impl<'a> Provider<'a> {
    fn of(value: &'a str) -> Self {
        match value.split_once(":oidc-provider/") {
            Some((head, issuer)) => Self { account: head.rsplit(':').next(), issuer },
            None => Self { account: None, issuer: value },
        }
    }
}

fn names_own_issuer(trace: &StatementTrace<'_>, token: &Token) -> bool {
    trace.conditions.iter().any(|condition| claim_of(condition, token).is_some())
}

/// True if the statement allows a Kubernetes subject.
fn names_service_accounts(trace: &StatementTrace<'_>) -> bool {
    let values = trace.conditions.iter().flat_map(|condition| &condition.condition.values);
    values.into_iter().any(|value| value.starts_with("system:serviceaccount:"))
}

/// The claim of this token that a condition asks for.
fn claim_of(trace: &ConditionTrace<'_>, token: &Token) -> Option<&'static str> {
    let (issuer, claim) = known_claim(&trace.condition.key);
    claim.filter(|_| issuer.eq_ignore_ascii_case(&token.issuer))
}

fn condition(
    statement: &StatementTrace<'_>,
    trace: &ConditionTrace<'_>,
    principal: Option<FaultKind>,
    token: &Token,
) -> Miss {
    let stated = trace.condition;
    let place = stated.place.clone();
    if trace.reason == Reason::KeyAbsent {
        let kind = absent(statement, trace, principal, token);
        let claim = known_claim(&stated.key).1.filter(|_| kind != FaultKind::UnavailableKey);
        let expected = claim.map(|claim| format!("{}:{claim}", token.issuer));
        let what = match kind {
            FaultKind::UnavailableKey => {
                format!("key under {} that the token's request does not have", stated.operator_name)
            }
            _ => format!("key under {}", stated.operator_name),
        };
        return Miss { kind, place, what, expected, found: vec![stated.key.clone()], excludes: false };
    }
    let (kind, has) = match claim_of(trace, token) {
        Some("sub") => (value(trace, FaultKind::SubMismatch, token), token.sub.clone()),
        Some("aud") => (value(trace, FaultKind::AudMismatch, token), token.aud.join(", ")),
        _ if stated.key.eq_ignore_ascii_case(SESSION_NAME) => {
            (FaultKind::SessionName, trace.found.values().join(", "))
        }
        _ => (FaultKind::UnavailableKey, trace.found.values().join(", ")),
    };
    let label = match claim_of(trace, token) {
        Some("sub") => "subject",
        Some("aud") => "audience",
        _ => &stated.key,
    };
    let mut found = stated.values.clone();
    found.sort_by_cached_key(|value| distance(value, &has));
    let what = format!("{label} under {}", stated.operator_name);
    let excludes = stated.operator.is_some_and(|operator| operator.negated);
    Miss { kind, place, what, expected: Some(has), found, excludes }
}

/// The condition key for the name of the session.
pub(super) const SESSION_NAME: &str = "sts:RoleSessionName";

/// A key that the token's request does not have.
fn absent(
    statement: &StatementTrace<'_>,
    trace: &ConditionTrace<'_>,
    principal: Option<FaultKind>,
    token: &Token,
) -> FaultKind {
    let (issuer, Some(claim)) = known_claim(&trace.condition.key) else { return FaultKind::UnavailableKey };
    let like = issuer_match(issuer, &token.issuer);
    let of_own = |other: &ConditionTrace<'_>| claim_of(other, token) == Some(claim);
    let providers = statement.principal.clause.map_or(0, |clause| clause.entries.len());
    let for_both = statement.conditions.iter().any(of_own) || (principal.is_none() && providers > 1);
    match like {
        IssuerMatch::OtherCluster | IssuerMatch::Foreign if for_both => FaultKind::TwoClustersAnded,
        IssuerMatch::OtherCluster | IssuerMatch::Foreign => principal.unwrap_or(FaultKind::IssuerTypo),
        IssuerMatch::Same | IssuerMatch::Typo => FaultKind::IssuerTypo,
    }
}

/// A claim with other values than the token's.
fn value(trace: &ConditionTrace<'_>, otherwise: FaultKind, token: &Token) -> FaultKind {
    let is_subject = |value: &String| value.starts_with("system:serviceaccount:");
    let values = &trace.condition.values;
    let swapped = match otherwise {
        FaultKind::AudMismatch => values.iter().all(is_subject),
        _ => values.iter().any(|value| token.aud.contains(value)),
    };
    match trace.reason {
        _ if trace.condition.operator.is_some_and(|operator| operator.negated) => otherwise,
        Reason::WildcardIsLiteral { .. } => FaultKind::WildcardInStringEquals,
        Reason::CaseDiffers { .. } => FaultKind::Case,
        _ if swapped && !values.is_empty() => FaultKind::KeyValueSwapped,
        _ => otherwise,
    }
}

/// How far a value is from the token's. Only similar values matter, so very long values are not compared.
fn distance(value: &str, own: &str) -> usize {
    const LONGEST: usize = 512;
    if value.len() > LONGEST { usize::MAX } else { strsim::levenshtein(value, own) }
}

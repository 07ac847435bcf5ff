//! The OIDC provider for the tokens' issuer in the role's account: whether it is there and, if not, the likeliest reason. One
//! answer for all checks, so that one missing provider is one finding.

use super::Derived;
use super::arn::RoleArn;
use super::issuer::{Issuer, Teller, eks_id, near_miss};
use super::trial::Refusal;
use crate::aws_error::{Kind, Stage};
use crate::facts::aws::Role;
use crate::facts::{Fact, Facts, Source, Sourced, Unknown, Why};
use crate::policy::{Document, Effect, Json, PrincipalKind};

/// Whether there is a provider.
#[derive(Debug)]
pub enum Provider<'f> {
    /// STS found it, or IAM shows it; its ARN.
    Found(String),
    /// There is none.
    Missing(Box<Missing<'f>>),
    /// It cannot be told: what would have to be known.
    Unknown(Vec<Unknown>),
}

/// A provider that is not there.
#[derive(Debug)]
pub struct Missing<'f> {
    /// The account that it must be in: the role's.
    pub account: String,
    /// The ARN that it must have.
    pub arn: String,
    /// The issuer that it must be for.
    pub issuer: Issuer<'f>,
    /// STS's own word.
    pub refusal: Option<Refusal<'f>>,
    /// Where its absence was read.
    pub source: Source,
    /// True if another explanation is possible.
    pub inferred: bool,
    /// The likeliest reason.
    pub because: Because<'f>,
}

/// Why there is none, strongest evidence first.
#[derive(Debug)]
pub enum Because<'f> {
    /// No provider can be for such an issuer.
    NotPublic,
    /// The role of that name in the user's own account trusts the issuer: the ARN names the wrong account.
    WrongAccount(&'f Sourced<Role>),
    /// There is one whose URL misses the issuer.
    UrlVariant {
        /// Its ARN.
        arn: String,
        /// What differs.
        words: &'static str,
        /// Where it was read.
        source: Source,
    },
    /// The role trusts the service accounts of another issuer.
    OtherIssuer(Vec<Trusted>),
    /// Nothing but the absence itself.
    Unexplained,
}

/// An OIDC provider that a trust policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// Its ARN, as written.
    pub arn: String,
    /// Where it stands.
    pub source: Source,
    /// True if a condition of the same statement speaks of service accounts.
    pub for_service_accounts: bool,
}

impl Trusted {
    /// The URL within the ARN, without `https://`.
    pub fn url(&self) -> &str {
        url_of(&self.arn)
    }
}

impl<'f> Provider<'f> {
    /// Works it out for the role that AWS is asked about.
    pub fn of(derived: &Derived<'f>) -> Self {
        let facts = derived.facts;
        let issuer = match Issuer::of(facts) {
            Ok(issuer) => issuer,
            Err(unknowns) => return Self::Unknown(unknowns.into_iter().cloned().collect()),
        };
        let plan = derived.plan();
        let role = plan.role_arn.as_deref().and_then(|raw| RoleArn::parse(raw).ok());
        let Some(role) = role else { return Self::Unknown(Vec::new()) };
        let url = issuer.url.strip_prefix("https://").unwrap_or(issuer.url);
        let arn = format!("arn:{}:iam::{}:oidc-provider/{url}", role.partition, role.account);

        let passed = derived.trial.passed(Stage::Provider) || derived.second_trial.passed(Stage::Provider);
        let listed = listed(facts, role.account);
        let shown =
            facts.aws.provider.known().is_some() || listed.is_some_and(|(arns, _)| arns.contains(&arn));
        if passed || shown {
            return Self::Found(arn);
        }
        let refusal = derived.trial.refusal().filter(|refusal| refusal.kind == Kind::NoProvider).copied();
        let absent = match (&refusal, &facts.aws.provider, listed) {
            (Some(refusal), ..) => refusal.source.clone(),
            (None, Fact::Absent { source }, _) | (None, _, Some((_, source))) => source.clone(),
            (None, Fact::Unknown(_), None) if !issuer.is_public() => issuer.source.clone(),
            (None, Fact::Unknown(unknown), None) => return Self::Unknown(vec![unknown.clone()]),
            (None, Fact::Known(_), None) => return Self::Found(arn),
        };
        let in_doubt = match &facts.aws.second_trial {
            Fact::Unknown(unknown) => !matches!(unknown.why, Why::NotAsked(_)),
            Fact::Known(_) | Fact::Absent { .. } => false,
        };
        let because = because(facts, &issuer, role.account, refusal.is_some());
        Self::Missing(Box::new(Missing {
            account: role.account.to_owned(),
            inferred: if refusal.is_some() { in_doubt } else { issuer.by == Teller::Eks },
            arn,
            issuer,
            refusal,
            source: absent,
            because,
        }))
    }

    /// The missing provider, if it is missing.
    pub fn missing(&self) -> Option<&Missing<'f>> {
        match self {
            Self::Missing(missing) => Some(missing),
            Self::Found(_) | Self::Unknown(_) => None,
        }
    }
}

fn because<'f>(facts: &'f Facts, issuer: &Issuer<'f>, account: &str, refused: bool) -> Because<'f> {
    if !issuer.is_public() {
        return Because::NotPublic;
    }
    let url = issuer.url.strip_prefix("https://").unwrap_or(issuer.url);
    if let Some(namesake) = facts.aws.namesake.known().filter(|role| refused && trusts(role, url)) {
        return Because::WrongAccount(namesake);
    }
    let trusted = facts.aws.role.known().map(trusted).unwrap_or_default();
    let listed = listed(facts, account)
        .into_iter()
        .flat_map(|(arns, source)| arns.iter().map(move |arn| (arn, source)));
    let named = trusted.iter().map(|trusted| (&trusted.arn, &trusted.source));
    let variant =
        listed.chain(named).find_map(|(arn, source)| Some((arn, source, near_miss(url_of(arn), url)?)));
    if let Some((arn, source, words)) = variant {
        return Because::UrlVariant { arn: arn.clone(), words, source: source.clone() };
    }
    let others = other_issuers(trusted, issuer);
    if others.is_empty() { Because::Unexplained } else { Because::OtherIssuer(others) }
}

/// The providers of other Kubernetes issuers, where the policy names none of this one.
fn other_issuers(trusted: Vec<Trusted>, issuer: &Issuer<'_>) -> Vec<Trusted> {
    let url = issuer.url.strip_prefix("https://").unwrap_or(issuer.url);
    if trusted.iter().any(|trusted| trusted.url() == url || near_miss(trusted.url(), url).is_some()) {
        return Vec::new();
    }
    trusted
        .into_iter()
        .filter(|trusted| eks_id(trusted.url()).is_some() || trusted.for_service_accounts)
        .collect()
}

/// The providers of an account, if that is the account which was asked, and where they were read.
fn listed<'f>(facts: &'f Facts, account: &str) -> Option<(&'f [String], &'f Source)> {
    facts.aws.caller.known().filter(|caller| caller.value.account == account)?;
    facts.aws.providers.known().map(|providers| (providers.value.arns.as_slice(), &providers.source))
}

/// The OIDC providers that a role's trust policy lets in; none if it cannot be read.
fn trusted(role: &Sourced<Role>) -> Vec<Trusted> {
    let Ok(document) = Document::parse(&role.value.trust) else { return Vec::new() };
    let allowing = document.statements.into_iter().filter(|statement| statement.effect == Effect::Allow);
    allowing
        .flat_map(|statement| {
            let mut values = statement.conditions.iter().flat_map(|condition| &condition.values);
            let for_service_accounts = values.any(|value| value.starts_with("system:serviceaccount:"));
            let principal = statement.principal.filter(|principal| !principal.negated);
            principal.into_iter().flat_map(move |principal| {
                let source = role.source.at(format!("Role.AssumeRolePolicyDocument.{}", principal.place));
                let federated = principal.entries.into_iter().filter(|entry| {
                    entry.kind == PrincipalKind::Federated && entry.value.contains(":oidc-provider/")
                });
                federated.map(move |entry| Trusted {
                    arn: entry.value,
                    source: source.clone(),
                    for_service_accounts,
                })
            })
        })
        .collect()
}

/// True if the role's trust policy names the provider of the issuer in the role's own account.
fn trusts(role: &Sourced<Role>, url: &str) -> bool {
    let account = |arn: &str| arn.split(':').nth(4).map(str::to_owned);
    trusted(role)
        .iter()
        .any(|trusted| trusted.url() == url && account(&trusted.arn) == account(&role.value.arn))
}

/// The URL within the ARN of a provider.
fn url_of(arn: &str) -> &str {
    arn.split_once(":oidc-provider/").map_or("", |(_, url)| url)
}

/// The statement that lets one service account in, and nothing else.
pub fn statement(provider_arn: &str, audience: &str, subject: &str) -> Json {
    let url = url_of(provider_arn);
    let conditions =
        [(format!("{url}:aud"), Json::text(audience)), (format!("{url}:sub"), Json::text(subject))];
    Json::object([
        ("Effect", Json::text("Allow")),
        ("Principal", Json::object([("Federated", Json::text(provider_arn))])),
        ("Action", Json::text("sts:AssumeRoleWithWebIdentity")),
        ("Condition", Json::object([("StringEquals", Json::Object(conditions.into()))])),
    ])
}

/// A trust policy of one statement, on one line.
pub fn new_trust(statement: Json) -> String {
    let version = ("Version", Json::text("2012-10-17"));
    Json::object([version, ("Statement", Json::Array(vec![statement]))]).line()
}

/// A trust policy with one more statement, on one line; `None` if it cannot be read.
pub fn extended_trust(trust: &str, statement: Json) -> Option<String> {
    let Ok(Json::Object(mut members)) = serde_json::from_str(trust) else { return None };
    match members.iter_mut().find(|(name, _)| name == "Statement").map(|(_, value)| value)? {
        Json::Array(statements) => statements.push(statement),
        single => *single = Json::Array(vec![single.clone(), statement]),
    }
    Some(Json::Object(members).line())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/shop";

    #[test]
    fn a_statement_is_added_and_nothing_else_changes() {
        let added = statement(ARN, "sts.amazonaws.com", "system:serviceaccount:shop:checkout").line();
        let old = r#"{"Version":"2012-10-17","Id":"z","Statement":{"Effect":"Deny","Action":"*"}}"#;
        let new =
            extended_trust(old, statement(ARN, "sts.amazonaws.com", "system:serviceaccount:shop:checkout"));
        let expected = format!(
            r#"{{"Version":"2012-10-17","Id":"z","Statement":[{{"Effect":"Deny","Action":"*"}},{added}]}}"#
        );
        assert_eq!(new.as_deref(), Some(expected.as_str()));
        assert!(added.contains(r#""oidc.example.com/shop:sub":"system:serviceaccount:shop:checkout""#));
        assert_eq!(extended_trust("not a policy", Json::Null), None);
    }
}

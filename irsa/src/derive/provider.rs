//! The OIDC provider for the tokens' issuer in the role's account: whether it exists and, if not, the likeliest reason. One
//! answer for all checks, so that one missing provider is one finding.

use super::Derived;
use super::issuer::{Issuer, Teller, near_miss};
use super::sts_answer::{Refusal, StsVerdict};
use super::trust::FaultKind;
use crate::aws::arn::Arn;
use crate::aws::arn::RoleArn;
use crate::aws_error::{Kind, Stage};
use crate::facts::aws::Role;
use crate::facts::{Fact, Facts, Source, Sourced, Unknown};
use crate::policy::{Document, Effect, PrincipalKind};

/// Whether there is a provider.
#[derive(Debug)]
pub enum Provider<'f> {
    /// STS found it, or IAM shows it; its ARN.
    Found(String),
    /// There is none.
    Missing(Box<Missing<'f>>),
    /// Not known: what would have to be known.
    Unknown(Vec<Unknown>),
}

/// A provider that does not exist.
#[derive(Debug)]
pub struct Missing<'f> {
    /// The account that it must be in: the role's.
    pub account: String,
    /// The ARN that it must have.
    pub arn: String,
    /// The issuer that it must be for.
    pub issuer: Issuer<'f>,
    /// STS's own refusal.
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
    /// There is one whose URL differs slightly from the issuer.
    UrlVariant {
        /// Its ARN.
        arn: String,
        /// What differs.
        words: &'static str,
        /// Where it was read.
        source: Source,
    },
    /// The role trusts another cluster, or this cluster's former issuer.
    OtherCluster,
    /// Nothing but the absence itself.
    Unexplained,
}

impl<'f> Provider<'f> {
    /// Works it out for the role that AWS is asked about.
    pub fn of(derived: &Derived<'f>) -> Self {
        let facts = derived.facts;
        let issuer = match Issuer::of(derived) {
            Ok(issuer) => issuer,
            Err(unknowns) => return Self::Unknown(unknowns.into_iter().cloned().collect()),
        };
        let plan = derived.plan();
        let role = plan.role_arn.as_deref().and_then(|raw| RoleArn::parse(raw).ok());
        let Some(role) = role else { return Self::Unknown(Vec::new()) };
        let url = issuer.url.strip_prefix("https://").unwrap_or(issuer.url);
        let arn = format!("arn:{}:iam::{}:oidc-provider/{url}", role.partition, role.account);

        let passed =
            derived.sts_answer.passed(Stage::Provider) || derived.second_sts_answer.passed(Stage::Provider);
        let listed = listed(facts, role.account);
        let shown =
            facts.aws.provider.known().is_some() || listed.is_some_and(|(arns, _)| arns.contains(&arn));
        if passed || shown {
            return Self::Found(arn);
        }
        let refusal =
            derived.sts_answer.refusal().filter(|refusal| refusal.kind == Kind::NoProvider).copied();
        let absent = match (&refusal, &facts.aws.provider, listed) {
            (Some(refusal), ..) => refusal.source.clone(),
            (None, Fact::Absent { source }, _) | (None, _, Some((_, source))) => source.clone(),
            (None, Fact::Unknown(_), None) if !issuer.is_public() => issuer.source.clone(),
            (None, Fact::Unknown(unknown), None) => return Self::Unknown(vec![unknown.clone()]),
            (None, Fact::Known(_), None) => return Self::Found(arn),
        };
        let in_doubt = matches!(derived.second_sts_answer, StsVerdict::Open(_));
        let because = because(derived, &issuer, role.account, refusal.is_some());
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
}

fn because<'f>(derived: &Derived<'f>, issuer: &Issuer<'f>, account: &str, refused: bool) -> Because<'f> {
    let facts = derived.facts;
    if !issuer.is_public() {
        return Because::NotPublic;
    }
    let url = issuer.url.strip_prefix("https://").unwrap_or(issuer.url);
    if let Some(namesake) = facts.aws.namesake.known().filter(|role| refused && trusts(role, url)) {
        return Because::WrongAccount(namesake);
    }
    let trusted = facts.aws.role.known().map(trusted).unwrap_or_default();
    let listed = listed(facts, account).map(|(arns, source)| (arns, source.clone()));
    let listed = listed.iter().flat_map(|(arns, source)| arns.iter().map(move |arn| (arn, source)));
    let named = trusted.iter().map(|(arn, source)| (arn, source));
    let variant =
        listed.chain(named).find_map(|(arn, source)| Some((arn, source, near_miss(url_of(arn), url)?)));
    if let Some((arn, source, words)) = variant {
        return Because::UrlVariant { arn: arn.clone(), words, source: source.clone() };
    }
    match derived.trust().fault().map(|fault| fault.kind) {
        Some(FaultKind::OtherCluster) => Because::OtherCluster,
        _ => Because::Unexplained,
    }
}

/// The providers of an account, if that is the account that was asked, and where they were read.
fn listed<'f>(facts: &'f Facts, account: &str) -> Option<(&'f [String], &'f Source)> {
    facts.aws.caller.known().filter(|caller| caller.value.account == account)?;
    facts.aws.providers.known().map(|providers| (providers.value.arns.as_slice(), &providers.source))
}

/// The OIDC providers that a role's trust policy trusts, and where it names them; none if it cannot be read.
fn trusted(role: &Sourced<Role>) -> Vec<(String, Source)> {
    let Ok(document) = Document::parse(&role.value.trust) else { return Vec::new() };
    let allowing = document.statements.into_iter().filter(|statement| statement.effect == Effect::Allow);
    let principals =
        allowing.filter_map(|statement| statement.principal).filter(|principal| !principal.negated);
    principals
        .flat_map(|principal| {
            let source = role.source.at(format!("Role.AssumeRolePolicyDocument.{}", principal.place));
            let federated = principal.entries.into_iter().filter(|entry| {
                entry.kind == PrincipalKind::Federated && entry.value.contains(":oidc-provider/")
            });
            federated.map(move |entry| (entry.value, source.clone()))
        })
        .collect()
}

/// True if the role's trust policy names the provider of the issuer in the role's own account.
fn trusts(role: &Sourced<Role>, url: &str) -> bool {
    let account = |arn: &str| Arn::account_of(arn).map(str::to_owned);
    trusted(role).iter().any(|(arn, _)| url_of(arn) == url && account(arn) == account(&role.value.arn))
}

/// The URL within the ARN of a provider.
fn url_of(arn: &str) -> &str {
    arn.split_once(":oidc-provider/").map_or("", |(_, url)| url)
}

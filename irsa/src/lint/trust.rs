//! The trust policies of a change: for the service accounts that name their roles, and each statement by itself, for a service
//! account that it can be meant for.

use crate::aws::arn::RoleArn;
use crate::aws::partition::{is_region_shaped, partition_of_region};
use crate::derive::Derived;
use crate::derive::trust::{IssuerMatch, Trust, is_eks, issuer_match};
use crate::facts::Facts;
use crate::policy::{Document, Effect, PrincipalKind, Statement, known_claim};

use super::Options;
use super::case::{self, COVERED, NO_ACCOUNT, NO_ISSUER, WITNESS, WebIdentity, of_witness};
use super::change::{Change, Provider, Role};
use super::findings::{Found, OF_POLICIES, OF_SERVICE_ACCOUNTS, OF_TRUST};
use super::policy::{Asker, NOBODY, Tree};

/// The audience of IRSA's tokens, in every partition.
pub(super) const AUDIENCE: &str = "sts.amazonaws.com";
/// How a subject of Kubernetes begins.
const SUBJECT: &str = "system:serviceaccount:";
/// In how many letters a misspelt audience differs.
const TYPO: usize = 3;

/// A statement that trusts an OIDC provider.
#[derive(Debug)]
pub(super) struct OidcStatement {
    /// The issuer, without scheme and slash.
    pub issuer: String,
    /// The partition and the account of the provider, where its ARN tells them.
    partition: Option<String>,
    account: Option<String>,
    /// The values that are required of `sub` and of `aud`, or seem to be.
    subjects: Vec<String>,
    audiences: Vec<String>,
}

/// The statements of a policy that trust providers of Kubernetes, as far as that is known.
pub(super) fn oidc_statements(tree: &Tree, change: &Change) -> Vec<OidcStatement> {
    let Ok(document) = Document::parse(&tree.filled(&NOBODY).json.line()) else { return Vec::new() };
    let allowing = document.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    allowing.flat_map(|statement| of_statement(statement, change)).collect()
}

fn of_statement(statement: &Statement, change: &Change) -> Vec<OidcStatement> {
    let Some(principals) = statement.principal.as_ref().filter(|clause| !clause.negated) else {
        return Vec::new();
    };
    let claim = |wanted: &str| -> Vec<String> {
        let of_claim = statement.conditions.iter().filter(|it| known_claim(&it.key).1 == Some(wanted));
        of_claim.flat_map(|condition| condition.values.clone()).collect()
    };
    let (subjects, audiences) = (claim("sub"), claim("aud"));
    let keyed = statement.conditions.iter().find_map(|condition| match known_claim(&condition.key) {
        (issuer, Some(_)) if !issuer.contains("${") => Some(bare(issuer).to_owned()),
        _ => None,
    });
    let federated = principals.entries.iter().filter(|entry| entry.kind == PrincipalKind::Federated);
    let named = federated.filter_map(|entry| {
        let (head, issuer) = match entry.value.split_once(":oidc-provider/") {
            Some((head, issuer)) => (Some(head), issuer),
            None => (None, entry.value.as_str()),
        };
        let issuer = if issuer.contains("${") { keyed.clone()? } else { bare(issuer).to_owned() };
        let part = |index: usize| {
            let part = head.and_then(|head| head.split(':').nth(index));
            part.filter(|part| !part.contains("${")).map(str::to_owned)
        };
        let is_of_kubernetes = is_eks(&issuer)
            || subjects
                .iter()
                .chain(&audiences)
                .any(|value| value.to_ascii_lowercase().contains("serviceaccount"))
            || change.issuers().any(|known| known == issuer && is_eks(known));
        is_of_kubernetes.then(|| OidcStatement {
            issuer,
            partition: part(1).filter(|partition| partition.starts_with("aws")),
            account: part(4).filter(|account| account.len() == 12),
            subjects: subjects.clone(),
            audiences: audiences.clone(),
        })
    });
    named.collect()
}

/// The issuer that EKS's tokens carry, for a URL that was meant to be one; without scheme. A URL of somebody else's is what it is.
pub(super) fn issuer_of(url: &str) -> Option<String> {
    let url = bare(url.trim());
    let (host, path) = url.split_once('/').unwrap_or((url, ""));
    let host = host.split(':').next()?.to_ascii_lowercase();
    if !is_eks(&host) {
        return Some(url.to_owned());
    }
    let region = host.split('.').find(|label| is_region_shaped(label))?;
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    // Partitions of their own have their own names, which are left as they are.
    let known = ["aws", "aws-cn", "aws-us-gov"].contains(&partition_of_region(region));
    let host = if known { format!("oidc.eks.{region}.{suffix}") } else { host.clone() };
    let id = path.rsplit('/').next().filter(|id| !id.is_empty())?;
    Some(format!("{host}/id/{}", id.to_ascii_uppercase()))
}

/// The issuers of all providers that a policy allows, as far as they are known.
fn providers(tree: &Tree) -> Vec<String> {
    let Ok(document) = Document::parse(&tree.filled(&NOBODY).json.line()) else { return Vec::new() };
    let allowing = document.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let entries = allowing.filter_map(|statement| statement.principal.as_ref()).flat_map(|it| &it.entries);
    let issuers = entries.filter_map(|entry| entry.value.split_once(":oidc-provider/"));
    issuers.map(|(_, issuer)| issuer).filter(|issuer| !issuer.contains("${")).map(str::to_owned).collect()
}

/// An issuer without scheme and slash.
pub(super) fn bare(issuer: &str) -> &str {
    let issuer = issuer.strip_prefix("https://").or_else(|| issuer.strip_prefix("http://")).unwrap_or(issuer);
    issuer.trim_end_matches('/')
}

impl Change {
    /// The issuers of its providers, without scheme, as far as they are known.
    pub(super) fn issuers(&self) -> impl Iterator<Item = &str> {
        self.providers.iter().filter_map(|provider| provider.issuer.as_deref())
    }

    fn provider_of(&self, issuer: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.issuer.as_deref() == Some(issuer))
    }

    /// The issuer that is meant by this one: one of the change's own that it is a misspelling of, or itself.
    fn meant<'i>(&'i self, issuer: &'i str) -> &'i str {
        let near = |own: &&str| issuer_match(issuer, own) == IssuerMatch::Typo;
        if self.issuers().any(|own| own == issuer) {
            return issuer;
        }
        self.issuers().find(near).unwrap_or(issuer)
    }
}

/// Who asks for the role.
struct Caller<'c> {
    issuer: &'c str,
    role_arn: &'c str,
    namespace: &'c str,
    name: &'c str,
    audience: &'c str,
}

impl Caller<'_> {
    /// The facts with the role, whose policy is filled for this caller.
    fn ask(&self, facts: &Facts, role: &Role, trust: &Tree, change: &Change) -> Option<Facts> {
        let arn = RoleArn::parse(self.role_arn).ok()?;
        let Self { issuer, namespace, name, .. } = self;
        let principal = format!("arn:{}:iam::{}:oidc-provider/{issuer}", arn.partition, arn.account);
        let subject = format!("{SUBJECT}{namespace}:{name}");
        let keys = [("sub", subject.as_str()), ("aud", self.audience)];
        let filled = trust.filled(&Asker { principal: &principal, issuer, keys: &keys });
        // Its own, but for the partition, which is judged by itself.
        let own_arn = role
            .path_and_name()
            .map(|name| format!("arn:{}:iam::{}:role/{name}", arn.partition, arn.account));
        let fact = case::role(role, own_arn.as_deref().unwrap_or(self.role_arn), &filled);
        Some(WebIdentity { role: fact, issuer, provider: change.provider_of(issuer) }.of(facts))
    }
}

/// A service account that names a role of the change.
pub(super) struct Naming<'c> {
    /// What is known of it.
    pub facts: &'c Facts,
    /// The annotation, raw.
    pub role_arn: &'c str,
    /// The audience of its tokens.
    pub audience: &'c str,
    /// What is reported of it otherwise.
    pub except: &'c [&'c str],
}

/// Judges the trust policy of a role for a service account that names it.
pub(super) fn of_service_account(
    naming: &Naming<'_>,
    role: &Role,
    change: &Change,
    options: &Options,
    found: &mut Found,
) {
    let Some(trust) = &role.trust else { return };
    let statements = oidc_statements(trust, change);
    let mut issuers: Vec<&str> = match &options.issuer {
        Some(issuer) => vec![bare(issuer)],
        None => statements.iter().map(|one| change.meant(&one.issuer)).collect(),
    };
    let others = providers(trust);
    // Who is trusted may be no provider of Kubernetes, or none at all: then any issuer will do to say so.
    if issuers.is_empty() {
        if super::association::is_meant(role) {
            return;
        }
        issuers.extend(change.issuers().filter(|issuer| is_eks(issuer)).take(1));
        issuers.extend(others.iter().map(String::as_str));
    }
    if issuers.is_empty() {
        issuers.push(NO_ISSUER);
    }
    let Naming { facts, role_arn, audience, except } = naming;
    let caller = |issuer| Caller {
        issuer,
        role_arn,
        namespace: &facts.namespace_name,
        name: &facts.service_account_name,
        audience,
    };
    let asked = issuers.into_iter().filter_map(|issuer| caller(issuer).ask(facts, role, trust, change));
    // For how many reasons it is refused.
    let refused = |facts: &Facts| {
        let derived = Derived::of(facts);
        match derived.trust() {
            Trust::Judged(judged) => judged.fault.as_ref().map_or(0, |fault| fault.misses.len()),
            Trust::NotApplicable(_) | Trust::Unknown(_) => 0,
        }
    };
    if let Some(best) = asked.min_by_key(refused) {
        found.run(&best, &[OF_SERVICE_ACCOUNTS, OF_TRUST], except);
    }
}

/// Judges each statement of a role by itself, for a service account that it can be meant for. Where there are several, another one may
/// make up for it.
pub(super) fn of_role(role: &Role, change: &Change, found: &mut Found) {
    let Some(trust) = &role.trust else { return };
    let alone: Vec<Tree> =
        trust.statements().into_iter().map(|statement| trust.with_only(statement)).collect();
    let meant: Vec<(&Tree, OidcStatement)> = alone
        .iter()
        .flat_map(|alone| oidc_statements(alone, change).into_iter().map(move |one| (alone, one)))
        .collect();
    // What is odd about the policy is odd for everybody.
    if let Some(facts) = meant.first().and_then(|(_, one)| one.ask(role, trust, change)) {
        found.run(&facts, &[OF_POLICIES], &[]);
    }
    let several = meant.len() > 1;
    let judge = |found: &mut Found| {
        for facts in meant.iter().filter_map(|(alone, one)| one.ask(role, alone, change)) {
            found.run(&facts, &[OF_TRUST], &[]);
        }
    };
    if several { found.warn(judge) } else { judge(found) }
}

impl OidcStatement {
    /// The facts of a service account that can be meant.
    fn ask(&self, role: &Role, trust: &Tree, change: &Change) -> Option<Facts> {
        let (role_arn, issuer) = (self.role_arn(role), change.meant(&self.issuer));
        let ((namespace, name), audience) = (self.witness(), self.audience());
        let prefix = crate::derive::webhook::DEFAULT_PREFIX;
        let annotations =
            [(&*format!("{prefix}/role-arn"), role_arn.as_str()), (&*format!("{prefix}/audience"), audience)];
        let facts = of_witness(&namespace, &name, &annotations)?;
        let caller = Caller { issuer, role_arn: &role_arn, namespace: &namespace, name: &name, audience };
        caller.ask(&facts, role, trust, change)
    }

    /// An ARN of the role in the provider's account.
    fn role_arn(&self, role: &Role) -> String {
        let partition = self.partition.as_deref().unwrap_or("aws");
        let account = role.account().or(self.account.as_deref()).unwrap_or(NO_ACCOUNT);
        let name = role.path_and_name().unwrap_or_else(|| role.label.clone());
        let arn = format!("arn:{partition}:iam::{account}:role/{name}");
        let is_role = RoleArn::parse(&arn).is_ok();
        if is_role { arn } else { format!("arn:{partition}:iam::{account}:role/role") }
    }

    /// A service account that may be meant.
    fn witness(&self) -> (String, String) {
        let all = || self.subjects.iter().chain(&self.audiences);
        let of_kubernetes = |value: &&String| value.to_ascii_lowercase().contains("serviceaccount");
        let value = all().find(of_kubernetes).or_else(|| self.subjects.first());
        let value = value.map(String::as_str).unwrap_or_default().trim().to_ascii_lowercase();
        let mut parts = value.rsplit([':', '/']);
        let (name, namespace) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        (plausible(namespace, WITNESS.0), plausible(name, WITNESS.1))
    }

    /// The audience that the tokens have: the usual one, unless the policy requires one that is no misspelling of it.
    fn audience(&self) -> &str {
        let usual = |value: &&String| {
            strsim::damerau_levenshtein(&value.to_ascii_lowercase(), AUDIENCE) <= TYPO
                || value.contains(AUDIENCE)
                || value.starts_with("sts.")
                || value.to_ascii_lowercase().contains("serviceaccount")
                || value.contains(['*', '?', '$'])
                || value.is_empty()
        };
        if self.audiences.iter().any(|value| usual(&value)) {
            return AUDIENCE;
        }
        self.audiences.first().map_or(AUDIENCE, String::as_str)
    }
}

/// A name that Kubernetes allows and the pattern covers.
fn plausible(text: &str, otherwise: &str) -> String {
    let covered = text.replace('*', COVERED).replace('?', "x");
    let is_name = !covered.is_empty()
        && covered.len() < 64
        && covered.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
    if is_name { covered } else { otherwise.to_owned() }
}

/// The namespace of a service account whose manifest names none: the one that the role trusts under that name, else one that it
/// trusts at all.
pub(super) fn namespace_by_trust(role: &Role, name: &str, change: &Change) -> Option<String> {
    let statements = oidc_statements(role.trust.as_ref()?, change);
    let subjects = statements.iter().flat_map(|one| &one.subjects);
    let parts = subjects.filter_map(|subject| subject.strip_prefix(SUBJECT)?.split_once(':'));
    let plain =
        |(namespace, _): &(&str, &str)| !namespace.is_empty() && !namespace.contains(['*', '?', '$', ':']);
    let mut all: Vec<(&str, &str)> = parts.filter(plain).collect();
    all.sort_by_key(|(_, other)| *other != name);
    all.first().map(|(namespace, _)| (*namespace).to_owned())
}

/// The partition that the issuers of a policy or of the change are in, where EKS's host tells it.
pub(super) fn partition_of_issuer(issuer: &str) -> Option<&'static str> {
    let host = issuer.split('/').next()?;
    let region = match host.strip_prefix("oidc.eks.").or_else(|| host.strip_prefix("oidc-eks.")) {
        Some(rest) => rest.split('.').next()?,
        None => return None,
    };
    is_region_shaped(region).then(|| partition_of_region(region))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::issuer::near_miss;

    #[test]
    fn the_issuer_that_a_url_was_meant_to_be() {
        let issuer = "oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3";
        for url in [
            "https://oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3",
            "oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3",
            "http://oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3/",
            "https://oidc.eks.eu-west-1.amazonaws.com:443/id/4F1E27D9A0B84C6E93D5720AB81C6EF3",
            "https://oidc-eks.eu-west-1.api.aws/id/4f1e27d9a0b84c6e93d5720ab81c6ef3",
        ] {
            assert_eq!(issuer_of(url).as_deref(), Some(issuer), "{url}");
        }
        let china = "https://oidc.eks.cn-north-1.amazonaws.com.cn/id/4F1E27D9A0B84C6E93D5720AB81C6EF3";
        assert_eq!(near_miss(bare(china), &issuer_of(china).unwrap()), None);
        let github = "token.actions.githubusercontent.com";
        assert_eq!(issuer_of(&format!("https://{github}")).as_deref(), Some(github));
    }
}

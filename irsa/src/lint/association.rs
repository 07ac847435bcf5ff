//! EKS Pod Identity: the roles of associations, and roles that trust its service and are in no association.

use crate::aws::arn::RoleArn;
use crate::derive::trust::pod_identity::SERVICE;
use crate::documents::{Place, Store};
use crate::facts::Facts;
use crate::policy::{Document, Effect, PrincipalKind};
use crate::severity::Severity;
use crate::target::{Kind, Target};

use super::UNKNOWN;
use super::case::{self, NO_ACCOUNT, WITNESS, of_target, of_witness};
use super::change::{Association, Change, Placed, Role};
use super::findings::{Found, OF_ASSOCIATIONS};
use super::policy::{Asker, NOBODY, Tree};
use super::problem::Problem;
use super::text::Text;

/// In how many letters a misspelt service differs.
const TYPO: usize = 3;

/// The facts with the association of their service account, if the change has one.
pub(super) fn beside(change: &Change, facts: Facts) -> Facts {
    let own = change.associations.iter().find(|association| {
        association.namespace.may_be(&facts.namespace_name)
            && association.service_account.may_be(&facts.service_account_name)
    });
    match own {
        Some(association) => case::associated(&facts, association, (UNKNOWN, None), None),
        None => facts,
    }
}

/// Judges an association, and the roles that it names.
pub(super) fn of_association(association: &Association, change: &Change, store: &Store, found: &mut Found) {
    for role in [Some(&association.role), association.target_role.as_ref()].into_iter().flatten() {
        malformed(role, association, found);
    }
    let (Some(namespace), Some(name)) = (association.namespace.whole(), association.service_account.whole())
    else {
        return;
    };
    let Some(role) = change.role_of(&association.role.value) else { return };
    judge(association, (namespace, name), role, change, store, found);
}

fn judge(
    association: &Association,
    (namespace, name): (&str, &str),
    role: &Role,
    change: &Change,
    store: &Store,
    found: &mut Found,
) {
    let target = Target { kind: Kind::ServiceAccount, name: name.to_owned() };
    let own = of_target(store, namespace, &target);
    let Some(facts) = own.or_else(|| of_witness(namespace, name, &[])) else { return };
    let tags = [
        ("aws:RequestTag/kubernetes-namespace", namespace),
        ("aws:RequestTag/kubernetes-service-account", name),
    ];
    let filled = |principal: &str, trust: &Tree| trust.filled(&Asker { principal, issuer: "", keys: &tags });
    let arn = arn_of(&association.role.value, role);
    let first = role.trust.as_ref().map(|trust| case::role(role, &arn, &filled(SERVICE, trust)));
    // The second role trusts the first by its ARN, which has to be known.
    let target = association.target_role.as_ref().filter(|_| association.role.value.whole().is_some());
    let target = target.and_then(|target| {
        let role = change.role_of(&target.value)?;
        let trust = role.trust.as_ref()?;
        let own = arn_of(&target.value, role);
        let fact = case::role(role, &own, &filled(&arn, trust));
        Some((own, fact))
    });
    let target = target.as_ref().map(|(own, fact)| (own.as_str(), Some(fact.clone())));
    found.run(&case::associated(&facts, association, (&arn, first), target), &[OF_ASSOCIATIONS], &[]);
}

/// The ARN by which a role is named, or one that it may have.
fn arn_of(named: &Text, role: &Role) -> String {
    let name = || role.path_and_name().filter(|name| !name.is_empty()).unwrap_or_else(|| role.label.clone());
    let named = named.whole().map(str::to_owned).or_else(|| role.arn.clone());
    named.unwrap_or_else(|| format!("arn:aws:iam::{NO_ACCOUNT}:role/{}", name()))
}

fn malformed(role: &Placed<Text>, association: &Association, found: &mut Found) {
    let Some(problem) = role.value.whole().and_then(|arn| RoleArn::parse(arn).err()) else { return };
    let raw = role.value.shown();
    found.add(Problem {
        place: Place { file: association.file.clone(), position: role.at },
        id: "role-arn-malformed",
        severity: Severity::Error,
        summary: format!("the role ARN of the EKS Pod Identity association {}", problem.words()),
        what: String::from("role ARN"),
        expected: Some(
            crate::aws::arn::repaired(&raw)
                .unwrap_or_else(|| String::from("arn:aws:iam::<12 digits>:role/<path and name>")),
        ),
        found: Some(raw),
        fix: Some(String::from("correct the ARN")),
    });
}

/// Judges a role that is meant for EKS Pod Identity and that no association of the change names.
pub(super) fn of_role(role: &Role, change: &Change, found: &mut Found) {
    let is_named =
        |text: &Placed<Text>| change.role_of(&text.value).is_some_and(|named| std::ptr::eq(named, role));
    let named = change.associations.iter().any(|association| {
        is_named(&association.role) || association.target_role.as_ref().is_some_and(is_named)
    });
    let Some(trust) = role.trust.as_ref().filter(|_| !named && is_meant(role)) else { return };
    // Values that the policy pins are those of the service account that it is meant for.
    let pinned = |tag: &str, otherwise: &str| {
        let key = format!("aws:requesttag/{tag}");
        let document = Document::parse(&trust.filled(&NOBODY).json.line()).ok();
        let conditions = document.into_iter().flat_map(|it| it.statements).flat_map(|it| it.conditions);
        let mut values =
            conditions.filter(|it| it.key.eq_ignore_ascii_case(&key)).flat_map(|condition| condition.values);
        let plain = |value: &String| !value.contains(['*', '?', '$']) && !value.is_empty();
        values.find(plain).unwrap_or_else(|| otherwise.to_owned())
    };
    let (namespace, name) =
        (pinned("kubernetes-namespace", WITNESS.0), pinned("kubernetes-service-account", WITNESS.1));
    let association = Association {
        file: String::new(),
        at: role.at,
        namespace: Text::known(namespace.as_str()),
        service_account: Text::known(name.as_str()),
        role: Placed { value: Text::gap("role"), at: role.at },
        target_role: None,
        session_tags: true,
    };
    // An association elsewhere may have its session tags disabled.
    found.warn(|found| {
        judge(&association, (&namespace, &name), role, change, &Store::default(), found);
    });
}

/// True if a statement allows the service, or one whose name was meant to be its.
pub(super) fn is_meant(role: &Role) -> bool {
    let Some(trust) = &role.trust else { return false };
    let Ok(document) = Document::parse(&trust.filled(&NOBODY).json.line()) else { return false };
    let allowing = document.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let mut trusted =
        allowing.filter_map(|statement| statement.principal.as_ref()).flat_map(|it| &it.entries);
    trusted.any(|entry| {
        let value = entry.value.to_ascii_lowercase();
        entry.kind == PrincipalKind::Service
            && (strsim::damerau_levenshtein(&value, SERVICE) <= TYPO
                || value.starts_with("pods.eks.")
                || value == "eks-pods.amazonaws.com")
    })
}

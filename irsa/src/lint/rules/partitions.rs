//! ARNs of another partition than EKS's issuer beside them.

use crate::aws::arn::{Arn, RoleArn};
use crate::documents::Place;
use crate::lint::change::{Change, Object, Role};
use crate::lint::findings::Found;
use crate::lint::policy::{Tree, Value};
use crate::lint::problem::Problem;
use crate::lint::trust::{oidc_statements, partition_of_issuer};
use crate::severity::Severity;

use super::annotations::role_of;

const ID: &str = "wrong-partition";

/// The ARN of a provider whose issuer is in a region of another partition.
pub(super) fn of_providers(change: &Change, found: &mut Found) {
    for role in &change.roles {
        let Some(trust) = &role.trust else { continue };
        for statement in trust.statements() {
            let Some(federated) = statement.get("Principal").and_then(|it| it.get("Federated")) else {
                continue;
            };
            let all = match &federated.value {
                Value::List(items) => items.iter().collect(),
                _ => vec![federated],
            };
            all.into_iter().for_each(|one| provider(one, role, found));
        }
    }
}

fn provider(tree: &Tree, role: &Role, found: &mut Found) {
    let Value::Text(text) = &tree.value else { return };
    let shown = text.shown();
    let Some((_, issuer)) = shown.split_once(":oidc-provider/") else { return };
    let (Some(right), Some(arn)) = (partition_of_issuer(issuer), Arn::split(&shown)) else { return };
    if arn.partition.contains("${") || arn.partition == right {
        return;
    }
    found.add(Problem {
        place: Place { file: role.file.clone(), position: tree.at },
        id: ID,
        severity: Severity::Error,
        summary: format!(
            "role {} trusts a provider in partition {}; its issuer is in {right}",
            role.shown(),
            arn.partition
        ),
        what: String::from("ARN of the provider"),
        expected: Some(format!("arn:{right}:iam::{}:{}", arn.account, arn.resource)),
        found: Some(shown.clone()),
        fix: Some(String::from("correct the partition")),
    });
}

/// The role of a service account in another partition than the issuer that its trust policy names, or than the only one of the
/// change. True if it is reported.
pub(in crate::lint) fn of_naming(
    object: &Object,
    role: Option<&Role>,
    change: &Change,
    found: &mut Found,
) -> bool {
    let Some((raw, value)) = role_of(object) else { return false };
    let Ok(arn) = RoleArn::parse(raw) else { return false };
    let trusted = role.and_then(|role| role.trust.as_ref()).map(|trust| oidc_statements(trust, change));
    let issuers: Vec<String> = match trusted.filter(|trusted| !trusted.is_empty()) {
        Some(trusted) => trusted.into_iter().map(|one| one.issuer).collect(),
        None => change.issuers().map(str::to_owned).collect(),
    };
    let mut partitions: Vec<&str> = issuers.iter().filter_map(|issuer| partition_of_issuer(issuer)).collect();
    partitions.dedup();
    let [right] = partitions.as_slice() else { return false };
    if arn.partition == *right {
        return false;
    }
    found.add(Problem {
        place: Place { file: object.file.clone(), position: value.at },
        id: ID,
        severity: Severity::Error,
        summary: format!(
            "{} names a role in partition {}; the cluster is in {right}",
            object.shown(),
            arn.partition
        ),
        what: String::from("role ARN"),
        expected: Some(format!("arn:{right}:iam::{}:role/{}", arn.account, arn.path_and_name)),
        found: Some(raw.to_owned()),
        fix: Some(String::from("correct the partition")),
    });
    true
}

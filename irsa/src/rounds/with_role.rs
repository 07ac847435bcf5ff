//! The service accounts of a namespace that should have a role: what is diagnosed where nothing is named.

use std::collections::BTreeSet;

use futures_util::join;

use super::error::CollectError;
use super::objects::{Objects, no_namespace};
use crate::facts::Fact;
use crate::facts::kubernetes::resource::Query;
use crate::facts::kubernetes::{Namespace, ServiceAccount};
use crate::target::{Kind, Target};

/// The service accounts with an annotation that names a role, however its key is spelt, and those of `associated`, in the order of
/// their names.
///
/// # Errors
/// They cannot be listed, there is no such namespace, or none of them has a role.
pub async fn with_role(
    reader: &impl Objects,
    namespace: &str,
    associated: &BTreeSet<String>,
) -> Result<Vec<Target>, CollectError> {
    let all = Query::default();
    let (accounts, is_there) =
        join!(reader.list::<ServiceAccount>(Some(namespace), &all), reader.get::<Namespace>(None, namespace));
    if is_there.is_absent() {
        return Err(no_namespace(reader, namespace, None).await);
    }
    let accounts = match accounts {
        Fact::Known(accounts) => accounts.value.items,
        Fact::Absent { .. } => Vec::new(),
        Fact::Unknown(unknown) => return Err(unknown.into()),
    };
    let has_role = |account: &ServiceAccount| {
        let mut annotations = account.metadata.annotations.iter();
        annotations.any(|(key, value)| names_role(key, value)) || associated.contains(&account.metadata.name)
    };
    let names: BTreeSet<String> = accounts
        .into_iter()
        .filter(|account| has_role(&account.value))
        .map(|account| account.value.metadata.name)
        .collect();
    if names.is_empty() {
        return Err(CollectError::NoneWithRole { namespace: namespace.to_owned() });
    }
    Ok(names.into_iter().map(|name| Target { kind: Kind::ServiceAccount, name }).collect())
}

/// By what it says, or else by its key, whose value may be misspelt.
fn names_role(key: &str, value: &str) -> bool {
    let is_arn = value.trim().starts_with("arn:") && value.contains(":role/");
    is_arn || key.to_ascii_lowercase().replace(['-', '_'], "").ends_with("/rolearn")
}

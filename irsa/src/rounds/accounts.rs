//! Service accounts of the same name in other namespaces, and the keys of Secrets.

use super::objects::Objects;
use crate::facts::kubernetes::resource::Query;
use crate::facts::kubernetes::{Secret, ServiceAccount};
use crate::facts::{Fact, Listing, Source, Unknown, Why};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn names_no_role(account: &Fact<ServiceAccount>) -> bool {
    match account {
        Fact::Known(account) => {
            let role = |key: &String| key.ends_with("/role-arn");
            !account.value.metadata.annotations.iter().any(|(key, value)| role(key) && !value.is_empty())
        }
        Fact::Absent { .. } => true,
        Fact::Unknown(_) => false,
    }
}

pub(super) async fn namesakes_of(
    reader: &impl Objects,
    namespace: &str,
    names: &BTreeSet<String>,
) -> BTreeMap<String, Fact<Listing<ServiceAccount>>> {
    let lists = names.iter().map(|name| async move {
        let query = Query { fields: vec![("metadata.name", name.clone())], ..Query::default() };
        let listing = match reader.list::<ServiceAccount>(None, &query).await {
            Fact::Known(mut listing) => {
                listing.value.items.retain(|account| account.value.metadata.namespace != namespace);
                Fact::Known(listing)
            }
            other => other,
        };
        (name.clone(), listing)
    });
    join_all(lists).await.into_iter().collect()
}

/// A secret's keys are known only through `managedFields`; without them, they are not known.
pub(super) fn keys_or_unknown(name: &str, secret: Fact<Secret>) -> Fact<Secret> {
    match secret {
        Fact::Known(secret)
            if secret.value.keys.is_empty()
                && secret.value.metadata.managed_fields.iter().all(|entry| entry.data_keys.is_empty())
                && matches!(secret.source, Source::Api { .. }) =>
        {
            Fact::Unknown(Unknown {
                what: format!("key names of Secret {name}"),
                why: Why::Failed(String::from(
                    "its managedFields list no keys, and values of Secrets are never read",
                )),
                grant: None,
            })
        }
        other => other,
    }
}

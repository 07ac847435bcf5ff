//! Where Kubernetes objects are read from.

use std::future::Future;

use jiff::Timestamp;

use super::error::CollectError;
use crate::documents::Store;
use crate::facts::kubernetes::ServerVersion;
use crate::facts::kubernetes::resource::{Query, Resource};
use crate::facts::{Fact, Listing, Sourced, Why};
use crate::target::Target;

/// Where Kubernetes objects are read from. All of them answer in the same form, so that everything after them is the same.
pub trait Objects {
    /// True if reading costs no time: rarely present objects may then be read as well.
    const AT_HAND: bool;

    /// One object.
    fn get<T: Resource>(&self, namespace: Option<&str>, name: &str) -> impl Future<Output = Fact<T>>;

    /// A list.
    fn list<T: Resource>(
        &self,
        namespace: Option<&str>,
        query: &Query,
    ) -> impl Future<Output = Fact<Listing<T>>>;

    /// One object without which there is nothing to diagnose.
    ///
    /// # Errors
    /// There is no answer, or reading it is not allowed.
    fn target<T: Resource>(
        &self,
        namespace: &str,
        name: &str,
    ) -> impl Future<Output = Result<Fact<T>, CollectError>>;

    /// The server's version.
    fn version(&self) -> impl Future<Output = Fact<ServerVersion>>;

    /// The server's clock, as told by the answers so far.
    fn clock(&self) -> Fact<Timestamp>;
}

impl Objects for Store {
    const AT_HAND: bool = true;

    async fn get<T: Resource>(&self, namespace: Option<&str>, name: &str) -> Fact<T> {
        Self::get(self, namespace, name)
    }

    async fn list<T: Resource>(&self, namespace: Option<&str>, query: &Query) -> Fact<Listing<T>> {
        Self::list(self, namespace, query)
    }

    async fn target<T: Resource>(&self, namespace: &str, name: &str) -> Result<Fact<T>, CollectError> {
        Ok(Self::get(self, Some(namespace), name))
    }

    async fn version(&self) -> Fact<ServerVersion> {
        Self::version(self)
    }

    fn clock(&self) -> Fact<Timestamp> {
        Self::clock(self)
    }
}

/// The object without which there is nothing to diagnose.
pub(super) async fn require<T: Resource>(
    objects: &impl Objects,
    namespace: &str,
    target: &Target,
) -> Result<Sourced<T>, CollectError> {
    let fact = objects.target::<T>(namespace, &target.name).await?;
    match fact {
        Fact::Known(found) => Ok(found),
        Fact::Absent { .. } => Err(not_found::<T>(objects, namespace, target).await),
        Fact::Unknown(unknown) if unknown.why == Why::NotInFiles => {
            Err(not_found::<T>(objects, namespace, target).await)
        }
        Fact::Unknown(unknown) => Err(CollectError::Unreadable {
            what: unknown.what,
            why: unknown.why.to_string(),
            grant: unknown.grant.map(|grant| grant.to_string()),
        }),
    }
}

/// The same, for an object that is read again among the facts.
pub(super) async fn require_unless_used<T: Resource>(
    objects: &impl Objects,
    namespace: &str,
    target: &Target,
) -> Result<(), CollectError> {
    match require::<T>(objects, namespace, target).await {
        Ok(_) => Ok(()),
        // The pods alone may be enough; the refusal is among the facts.
        Err(CollectError::Unreadable { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn not_found<T: Resource>(objects: &impl Objects, namespace: &str, target: &Target) -> CollectError {
    let near = match objects.list::<T>(Some(namespace), &Query::default()).await {
        Fact::Known(listing) => {
            near_names(&target.name, listing.value.items.iter().map(|item| item.value.meta().name.as_str()))
        }
        Fact::Absent { .. } | Fact::Unknown(_) => Vec::new(),
    };
    CollectError::NotFound {
        kind: target.kind.word(),
        name: target.name.clone(),
        namespace: namespace.to_owned(),
        near,
    }
}

/// Up to three similar names: a few letters off, or the name of a workload whose pods' names begin with it.
fn near_names<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut near: Vec<(usize, String)> = names
        .filter_map(|name| {
            let distance = strsim::damerau_levenshtein(wanted, name);
            let close = distance <= 2 + wanted.len() / 8;
            (!name.is_empty() && (close || name.starts_with(wanted))).then(|| (distance, name.to_owned()))
        })
        .collect();
    near.sort();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

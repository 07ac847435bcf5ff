//! Where Kubernetes objects are read from.

use std::collections::BTreeSet;
use std::future::Future;

use futures_util::join;
use jiff::Timestamp;

use super::error::CollectError;
use crate::documents::Store;
use crate::facts::kubernetes::resource::{Query, Resource};
use crate::facts::kubernetes::{Meta, Namespace, ServerVersion};
use crate::facts::{Fact, Listing, Sourced, Why};
use crate::target::Target;
use crate::text::near::{self, did_you_mean};
use crate::text::shell;

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
        Fact::Unknown(unknown) => Err(unknown.into()),
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

/// It is not there: what was meant, where it is instead, or that there is no such namespace; as far as these can be read.
async fn not_found<T: Resource>(objects: &impl Objects, namespace: &str, target: &Target) -> CollectError {
    let all = Query::default();
    let of_name = Query { fields: vec![("metadata.name", target.name.clone())], ..Query::default() };
    let (here, everywhere, is_there) = join!(
        objects.list::<T>(Some(namespace), &all),
        objects.list::<T>(None, &of_name),
        objects.get::<Namespace>(None, namespace),
    );
    let elsewhere: BTreeSet<String> = listed(&everywhere)
        .filter(|meta| meta.name == target.name && !meta.namespace.is_empty() && meta.namespace != namespace)
        .map(|meta| meta.namespace.clone())
        .collect();
    let (kind, name, namespace) = (target.kind.word(), target.name.clone(), namespace.to_owned());
    let elsewhere: Vec<String> = elsewhere.into_iter().collect();
    let hint = match elsewhere.as_slice() {
        [] => None,
        [only] => Some(format!("; {kind}/{name} is in namespace {only}: use -n {}", shell::quote(only))),
        [first, ..] => Some(format!(
            "; a {kind}/{name} is in each of the namespaces {}: use -n {} or another",
            elsewhere.join(", "),
            shell::quote(first)
        )),
    };
    if is_there.is_absent() {
        return no_namespace(objects, &namespace, hint).await;
    }
    let near = || near::names(&name, listed(&here).map(|meta| meta.name.as_str()));
    let hint = hint.unwrap_or_else(|| did_you_mean(&near()));
    CollectError::NotFound { kind, name, namespace, hint }
}

/// There is no such namespace: what was meant, if it is not known better, as far as namespaces can be listed.
pub(super) async fn no_namespace(
    objects: &impl Objects,
    namespace: &str,
    hint: Option<String>,
) -> CollectError {
    let hint = match hint {
        Some(hint) => hint,
        None => {
            let all = objects.list::<Namespace>(None, &Query::default()).await;
            did_you_mean(&near::names(namespace, listed(&all).map(|meta| meta.name.as_str())))
        }
    };
    CollectError::NoNamespace { namespace: namespace.to_owned(), hint }
}

fn listed<T: Resource>(listing: &Fact<Listing<T>>) -> impl Iterator<Item = &Meta> {
    listing.known().into_iter().flat_map(|listing| &listing.value.items).map(|item| item.value.meta())
}

//! The API server as the one whom [`irsa::rounds`] asks.

use irsa::facts::kubernetes::ServerVersion;
use irsa::facts::kubernetes::resource::{Query, Resource};
use irsa::facts::{Fact, Listing};
use irsa::rounds::{CollectError, Objects};
use jiff::Timestamp;

use super::{Api, NoAnswer};

impl Objects for Api {
    const AT_HAND: bool = false;

    async fn get<T: Resource>(&self, namespace: Option<&str>, name: &str) -> Fact<T> {
        Self::get(self, namespace, name).await
    }

    async fn list<T: Resource>(&self, namespace: Option<&str>, query: &Query) -> Fact<Listing<T>> {
        Self::list(self, namespace, query).await
    }

    async fn target<T: Resource>(&self, namespace: &str, name: &str) -> Result<Fact<T>, CollectError> {
        let fact = self.try_get::<T>(Some(namespace), name).await;
        fact.map_err(|error| unreadable::<T>(self, &error, namespace, name))
    }

    async fn version(&self) -> Fact<ServerVersion> {
        Self::version(self).await
    }

    fn clock(&self) -> Fact<Timestamp> {
        Self::clock(self)
    }
}

fn unreadable<T: Resource>(api: &Api, error: &NoAnswer, namespace: &str, name: &str) -> CollectError {
    let what = format!("{} {namespace}/{name}", T::SINGULAR);
    match error {
        NoAnswer::TimedOut => CollectError::Unreachable {
            address: api.address().to_owned(),
            cause: format!("no answer within {} s (--request-timeout)", api.timeout().as_secs()),
        },
        NoAnswer::Unreachable(cause) => {
            CollectError::Unreachable { address: api.address().to_owned(), cause: cause.clone() }
        }
        NoAnswer::Unreadable(why) => CollectError::Unreadable { what, why: why.clone(), grant: None },
        NoAnswer::Status { code, message, .. } => CollectError::Unreadable {
            what,
            why: if message.is_empty() { code.to_string() } else { format!("{message} ({code})") },
            grant: (code.as_u16() == 403).then(|| T::grant("get", Some(namespace)).to_string()),
        },
    }
}

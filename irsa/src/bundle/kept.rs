//! How facts stand in a bundle, and how they come back out of it.
//!
//! What is written of a type is all of it: [`kept!`] names every field, and does not compile without one. A Kubernetes object is a
//! document of its own, as `kubectl get -o yaml` prints it, which the facts refer to; what several subjects have in common is there
//! once.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::documents::Store;
use crate::facts::aws::Aws;
use crate::facts::issuer::Issuer;
use crate::facts::kubernetes::resource::Resource;
use crate::facts::kubernetes::{
    ConfigMap, DaemonSet, EndpointSlice, Event, MutatingWebhookConfiguration, Namespace, NetworkPolicy, Node,
    Pod, ReplicaSet, Secret, ServerVersion, ServiceAccount,
};
use crate::facts::probed::ProbeFacts;
use crate::facts::{
    Cluster, Fact, Facts, Listing, LoggedError, Owner, Request, Source, Sourced, Subject, Unknown,
};

/// Why a fact cannot be written or read.
#[derive(Debug, Error)]
pub(super) enum Unfit {
    /// It does not have the form of such a fact.
    #[error("{0}")]
    Form(#[from] serde_json::Error),
    /// A field is missing.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// A document that the facts refer to is missing.
    #[error("the document of {0} is missing")]
    NoDocument(String),
}

/// Facts while they are written.
#[derive(Default)]
pub(super) struct Pen {
    /// The documents of the objects, by reference.
    pub(super) objects: BTreeMap<String, Value>,
    /// Which of the subjects is being written.
    pub(super) subject: usize,
    field: &'static str,
    /// In which subject what they have in common was written, by its field and its place in memory.
    common: HashMap<(&'static str, usize), usize>,
}

/// Facts while they are read.
pub(super) struct Reader<'s> {
    /// The objects.
    pub(super) store: &'s Store,
    /// Which of the subjects is being read.
    pub(super) subject: usize,
    field: &'static str,
    common: HashMap<(&'static str, usize), Box<dyn Any>>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self { store, subject: 0, field: "", common: HashMap::new() }
    }
}

/// What a bundle holds.
pub(super) trait Kept: Sized {
    fn write(&self, pen: &mut Pen) -> Result<Value, Unfit>;
    fn read(value: Value, reader: &mut Reader<'_>) -> Result<Self, Unfit>;
}

/// The key of a value that is the same as that of an earlier subject.
pub(super) const SAME: &str = "sameAsOf";

impl<T: Kept + 'static> Kept for Arc<T> {
    fn write(&self, pen: &mut Pen) -> Result<Value, Unfit> {
        let place = (pen.field, Arc::as_ptr(self).addr());
        if let Some(earlier) = pen.common.get(&place) {
            return Ok(json!({ SAME: earlier }));
        }
        pen.common.insert(place, pen.subject);
        T::write(self, pen)
    }

    fn read(value: Value, reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        if let Some(earlier) = value.get(SAME).and_then(Value::as_u64) {
            let place = usize::try_from(earlier).ok().map(|earlier| (reader.field, earlier));
            let known = place.and_then(|place| reader.common.get(&place)?.downcast_ref::<Self>());
            return known.cloned().ok_or(Unfit::Missing(SAME));
        }
        let place = (reader.field, reader.subject);
        let read = Self::new(T::read(value, reader)?);
        reader.common.insert(place, Box::new(Self::clone(&read)));
        Ok(read)
    }
}

/// What has a form of its own in JSON.
macro_rules! plain {
    ($($type:ty),* $(,)?) => {
        $(impl Kept for $type {
            fn write(&self, _: &mut Pen) -> Result<Value, Unfit> {
                Ok(serde_json::to_value(self)?)
            }

            fn read(value: Value, _: &mut Reader<'_>) -> Result<Self, Unfit> {
                Ok(serde_json::from_value(value)?)
            }
        })*
    };
}

plain!(
    String,
    Request,
    Aws,
    Issuer,
    Fact<Owner>,
    Fact<Timestamp>,
    Fact<ServerVersion>,
    Fact<ProbeFacts>,
    Fact<Listing<LoggedError>>,
);

/// Facts that are objects.
macro_rules! objects {
    ($($type:ty),* $(,)?) => {
        $(impl Kept for Fact<$type> {
            fn write(&self, pen: &mut Pen) -> Result<Value, Unfit> {
                fact(self, |known| object(known, pen))
            }

            fn read(value: Value, reader: &mut Reader<'_>) -> Result<Self, Unfit> {
                read_fact(value, |known| read_object(known, reader))
            }
        })*
    };
}

objects!(ServiceAccount, Namespace, Node, Pod, ReplicaSet, ConfigMap, Secret);

/// Lists of objects.
macro_rules! listings {
    ($($type:ty),* $(,)?) => {
        $(impl Kept for Fact<Listing<$type>> {
            fn write(&self, pen: &mut Pen) -> Result<Value, Unfit> {
                fact(self, |Sourced { value: Listing { items, cut }, source }| {
                    let items: Result<Vec<Value>, Unfit> = items.iter().map(|item| object(item, pen)).collect();
                    Ok(json!({ "items": items?, "cut": cut, "source": source }))
                })
            }

            fn read(value: Value, reader: &mut Reader<'_>) -> Result<Self, Unfit> {
                read_fact(value, |mut known| {
                    let Value::Array(items) = taken(&mut known, "items")? else {
                        return Err(Unfit::Missing("items"));
                    };
                    let items: Result<Vec<_>, Unfit> =
                        items.into_iter().map(|item| read_object(item, reader)).collect();
                    let cut: Option<Unknown> = serde_json::from_value(taken(&mut known, "cut")?)?;
                    let source = serde_json::from_value(taken(&mut known, "source")?)?;
                    Ok(Sourced { value: Listing { items: items?, cut }, source })
                })
            }
        })*
    };
}

listings!(ServiceAccount, NetworkPolicy, Pod, Event, MutatingWebhookConfiguration, EndpointSlice, DaemonSet);

/// What is not known has one form for all.
fn fact<T>(fact: &Fact<T>, known: impl FnOnce(&Sourced<T>) -> Result<Value, Unfit>) -> Result<Value, Unfit> {
    let unseen: Fact<()> = match fact {
        Fact::Known(found) => {
            let mut value = known(found)?;
            if let Value::Object(fields) = &mut value {
                fields.insert(String::from("state"), "known".into());
            }
            return Ok(value);
        }
        Fact::Absent { source } => Fact::Absent { source: source.clone() },
        Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
    };
    Ok(serde_json::to_value(unseen)?)
}

fn read_fact<T>(
    value: Value,
    known: impl FnOnce(Value) -> Result<Sourced<T>, Unfit>,
) -> Result<Fact<T>, Unfit> {
    if value.get("state").and_then(Value::as_str) == Some("known") {
        return known(value).map(Fact::Known);
    }
    Ok(match serde_json::from_value::<Fact<()>>(value)? {
        Fact::Known(_) => return Err(Unfit::Missing("state")),
        Fact::Absent { source } => Fact::Absent { source },
        Fact::Unknown(unknown) => Fact::Unknown(unknown),
    })
}

/// An object, which has a document of its own unless that would be another's.
fn object<T: Resource + Serialize>(found: &Sourced<T>, pen: &mut Pen) -> Result<Value, Unfit> {
    let Sourced { value, source } = found;
    let mut document = serde_json::to_value(value)?;
    let (name, namespace) = (&value.meta().name, &value.meta().namespace);
    let path = if T::NAMESPACED { format!("{namespace}/{name}") } else { name.clone() };
    let reference = format!("{}/{path}", T::SINGULAR);
    // Such a manifest would be taken for the object of any namespace.
    let is_named = !name.is_empty() && T::NAMESPACED != namespace.is_empty();
    if let (true, Value::Object(fields)) = (is_named, &mut document) {
        let version = [T::GROUP, T::VERSION].join("/");
        fields.insert(String::from("apiVersion"), version.trim_start_matches('/').into());
        fields.insert(String::from("kind"), T::KIND.into());
        let known = pen.objects.entry(reference.clone()).or_insert_with(|| document.clone());
        if *known == document {
            return Ok(json!({ "object": reference, "source": source }));
        }
    }
    Ok(json!({ "value": document, "source": source }))
}

fn read_object<T: Resource>(mut value: Value, reader: &Reader<'_>) -> Result<Sourced<T>, Unfit> {
    let source: Source = serde_json::from_value(taken(&mut value, "source")?)?;
    let Some(reference) = value.get("object").and_then(Value::as_str) else {
        let value = serde_json::from_value(taken(&mut value, "value")?)?;
        return Ok(Sourced { value, source });
    };
    let path = reference.strip_prefix(T::SINGULAR).and_then(|rest| rest.strip_prefix('/'));
    let named = path.and_then(|path| match T::NAMESPACED {
        true => path.split_once('/').map(|(namespace, name)| (Some(namespace), name)),
        false => Some((None, path)),
    });
    match named.map(|(namespace, name)| reader.store.get::<T>(namespace, name)) {
        Some(Fact::Known(found)) => Ok(Sourced { value: found.value, source }),
        _ => Err(Unfit::NoDocument(reference.to_owned())),
    }
}

fn taken(value: &mut Value, field: &'static str) -> Result<Value, Unfit> {
    value.get_mut(field).map(Value::take).ok_or(Unfit::Missing(field))
}

/// A type is all of its fields: one that is added is not forgotten.
macro_rules! kept {
    ($($name:ident { $($field:ident),* $(,)? })*) => {
        $(impl Kept for $name {
            fn write(&self, pen: &mut Pen) -> Result<Value, Unfit> {
                let Self { $($field),* } = self;
                let mut fields = Map::new();
                $(
                    pen.field = stringify!($field);
                    fields.insert(stringify!($field).to_owned(), $field.write(pen)?);
                )*
                Ok(Value::Object(fields))
            }

            fn read(mut value: Value, reader: &mut Reader<'_>) -> Result<Self, Unfit> {
                $(
                    reader.field = stringify!($field);
                    let $field = Kept::read(taken(&mut value, stringify!($field))?, reader)?;
                )*
                Ok(Self { $($field),* })
            }
        })*
    };
}

kept!(
    Facts {
        request,
        subject,
        service_account_name,
        namespace_name,
        service_account,
        namespace,
        service_accounts,
        network_policies,
        namesakes,
        owner,
        replica_set,
        owner_pod,
        siblings,
        events,
        node,
        config_maps,
        secrets,
        agent_pods,
        cluster,
        aws,
        issuer,
        app_errors,
        probed,
    }
    Cluster {
        server_clock,
        version,
        webhooks,
        root_ca,
        webhook_config_map,
        webhook_workload,
        webhook_endpoints,
        agents,
    }
);

impl<T> Kept for BTreeMap<String, Fact<T>>
where
    Fact<T>: Kept,
{
    fn write(&self, pen: &mut Pen) -> Result<Value, Unfit> {
        let all: Result<Map<String, Value>, Unfit> =
            self.iter().map(|(name, fact)| Ok((name.clone(), fact.write(pen)?))).collect();
        all.map(Value::Object)
    }

    fn read(value: Value, reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        let Value::Object(all) = value else { return Err(Unfit::Missing(reader.field)) };
        all.into_iter().map(|(name, fact)| Ok((name, Kept::read(fact, reader)?))).collect()
    }
}

impl Kept for Subject {
    fn write(&self, pen: &mut Pen) -> Result<Value, Unfit> {
        Ok(match self {
            Self::Pod(pod) => json!({ "pod": object(pod, pen)? }),
            Self::Template(owner) => json!({ "template": owner }),
            Self::ServiceAccount => json!("service-account"),
        })
    }

    fn read(mut value: Value, reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        if let Some(pod) = value.get_mut("pod") {
            return Ok(Self::Pod(read_object(pod.take(), reader)?));
        }
        match value.get_mut("template") {
            Some(owner) => Ok(Self::Template(read_plain(owner.take())?)),
            None => Ok(Self::ServiceAccount),
        }
    }
}

fn read_plain<T: DeserializeOwned>(value: Value) -> Result<T, Unfit> {
    Ok(serde_json::from_value(value)?)
}

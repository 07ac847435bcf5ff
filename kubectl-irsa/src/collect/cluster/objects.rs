//! The objects of the API server, as [`irsa::rounds`] asks for them. Every answer, including a refusal or silence, becomes a
//! [`Fact`].

use std::sync::PoisonError;

use std::fmt;
use std::marker::PhantomData;

use http::StatusCode;
use irsa::facts::kubernetes::resource::{Query, Resource};
use irsa::facts::kubernetes::{Meta, ServerVersion};
use irsa::facts::{Fact, Listing, Source, Sourced, Unknown, Why};
use irsa::rounds::{CollectError, Objects};
use jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject, GetParams, GroupVersionKind, ListParams};
use kube::core::{Request, Resource as _};
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::answer::unexpected;
use super::api::{Answer, encode};
use super::own::{Own, Type};
use super::{Api, NoAnswer};

/// Objects asked for at once; what kubectl asks for.
const PAGE: u32 = 500;
/// Pages read before a list is called incomplete: 50,000 objects, of which pods take about 3 KiB each.
const PAGES: u32 = 100;

impl Objects for Api {
    const AT_HAND: bool = false;

    /// Reads one object.
    async fn get<T: Resource>(&self, namespace: Option<&str>, name: &str) -> Fact<T> {
        match self.object(namespace, name).await {
            Ok(fact) => fact,
            Err(error) => {
                let what = match namespace {
                    Some(namespace) => format!("{} {namespace}/{name}", T::SINGULAR),
                    None => format!("{} {name}", T::SINGULAR),
                };
                Fact::Unknown(self.unknown(what, &error, Some(T::grant("get", namespace))))
            }
        }
    }

    async fn target<T: Resource>(&self, namespace: &str, name: &str) -> Result<Fact<T>, CollectError> {
        let fact = self.object(Some(namespace), name).await;
        fact.map_err(|error| unreadable::<T>(self, &error, namespace, name))
    }

    /// Reads a list, page by page. Items are read one by one, so that a single odd object does not hide the others.
    async fn list<T: Resource>(&self, namespace: Option<&str>, query: &Query) -> Fact<Listing<T>> {
        let what = match namespace {
            Some(namespace) => format!("{} of namespace {namespace}", T::PLURAL),
            None => T::PLURAL.to_owned(),
        };
        let mut items = Vec::new();
        let mut cut = None;
        let mut wanted = parameters(query);
        let own = Type::of_resource::<T>();
        for page_number in 1.. {
            let request = path::<T>(namespace).list(&wanted);
            let page: Page<T> = match self.read(Answer::Page, &[own.clone().list()], request).await {
                Ok(page) => page,
                Err(error) if page_number == 1 => {
                    return Fact::Unknown(self.unknown(what, &error, Some(T::grant("list", namespace))));
                }
                Err(error) => {
                    cut = Some(self.unknown(format!("the rest of {what}"), &error, None));
                    break;
                }
            };
            for item in page.items.0 {
                match item.and_then(|item| whole(item.item_of(&own)?, None)) {
                    Ok(value) => {
                        let Meta { name, namespace, .. } = value.meta();
                        let own = (!namespace.is_empty()).then_some(namespace.as_str());
                        let source = source("list", format!("{}/{name}", T::SINGULAR), own);
                        items.push(Sourced { value, source });
                    }
                    Err(error) => {
                        let why = Why::Failed(format!("an object could not be read: {}", error.words()));
                        cut = Some(Unknown { what: format!("some of {what}"), why, grant: None });
                    }
                }
            }
            wanted.continue_token = page.metadata.continue_token.filter(|token| !token.is_empty());
            if wanted.continue_token.is_none() {
                break;
            }
            if page_number == PAGES {
                let why = Why::Incomplete(format!("more than {} exist; the rest was not read", PAGE * PAGES));
                cut = Some(Unknown { what: format!("the rest of {what}"), why, grant: None });
                break;
            }
        }
        let source = source("list", T::PLURAL, namespace);
        Fact::Known(Sourced { value: Listing { items, cut }, source })
    }

    /// `GET /version`, which anyone may ask.
    async fn version(&self) -> Fact<ServerVersion> {
        match self.document::<WireVersion>("/version", "application/json").await {
            Ok(WireVersion { git_version }) => {
                let value = ServerVersion { git_version };
                Fact::Known(Sourced { value, source: source("get", "/version", None) })
            }
            Err(error) => {
                Fact::Unknown(self.unknown(String::from("version of the API server"), &error, None))
            }
        }
    }

    /// The server's time, from the `Date` header of its first answer.
    fn clock(&self) -> Fact<Timestamp> {
        match *self.clock.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(value) => Fact::Known(Sourced { value, source: source("get", "Date header", None) }),
            None => Fact::not_asked("the API server's clock", "no answer carried a Date header"),
        }
    }
}

impl Api {
    async fn object<T: Resource>(&self, namespace: Option<&str>, name: &str) -> Result<Fact<T>, NoAnswer> {
        let source = source("get", format!("{}/{name}", T::SINGULAR), namespace);
        let (path, name_in_path, newest) = (path::<T>(namespace), encode(name), GetParams::default());
        let (own, request) = match T::METADATA_ONLY {
            true => (Type::partial(), path.get_metadata(&name_in_path, &newest)),
            false => (Type::of_resource::<T>(), path.get(&name_in_path, &newest)),
        };
        match self.read::<T>(Answer::Object, &[own], request).await.and_then(|it| whole(it, Some(name))) {
            Ok(value) => Ok(Fact::Known(Sourced { value, source })),
            Err(NoAnswer::Status { code: StatusCode::NOT_FOUND, about_object: true, .. }) => {
                Ok(Fact::Absent { source })
            }
            Err(error) => Err(error),
        }
    }

    /// The names in the first page of a list, without the objects: for completion, which shows no more.
    pub async fn names<T: Resource>(&self, namespace: Option<&str>) -> Result<Vec<String>, NoAnswer> {
        let request = path::<T>(namespace).list_metadata(&parameters(&Query::default()));
        // Who does not know the partial form answers with the whole one.
        let types = [Type::partial().list(), Type::of_resource::<T>().list()];
        let page: Page<Named> = self.read(Answer::Page, &types, request).await?;
        Ok(page.items.0.into_iter().filter_map(|item| Some(item.ok()?.untyped().metadata.name)).collect())
    }
}

/// The object, if it has the name and what no object of its kind can be without.
fn whole<T: Resource>(object: T, name: Option<&str>) -> Result<T, NoAnswer> {
    let own = &object.meta().name;
    let words = match name {
        Some(name) if own != name => "the answer is not the requested object",
        None if own.is_empty() => "it has no name",
        _ if !object.is_whole() => "it lacks what every object of its kind has",
        _ => return Ok(object),
    };
    Err(NoAnswer::Unreadable(String::from(words)))
}

/// `GET /version`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireVersion {
    git_version: String,
}

/// A page of a list.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    metadata: PageMeta,
    items: Items<T>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    #[serde(rename = "continue")]
    continue_token: Option<String>,
}

/// Objects, each read or with what is wrong with it. Of those that are still to be read only the text is in memory.
struct Items<T>(Vec<Result<Own<T>, NoAnswer>>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Each<T> {
            type Value = Items<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            // Go's empty list. Today's API server makes it `[]` (storage/etcd3/store.go: "Ensure that we never return a nil Items
            // pointer"), older ones did not. It counts because the list says what it is of.
            fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
                Ok(Items(Vec::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = all.next_element::<Value>()? {
                    let item = Own::deserialize(item);
                    items.push(item.map_err(|error| NoAnswer::Unreadable(unexpected(&error))));
                }
                Ok(Items(items))
            }
        }

        from.deserialize_any(Each(PhantomData))
    }
}

/// An object, for its name.
#[derive(Deserialize)]
struct Named {
    metadata: NameOnly,
}

#[derive(Deserialize)]
struct NameOnly {
    name: String,
}

/// Where the objects of a resource are.
fn path<T: Resource>(namespace: Option<&str>) -> Request {
    let kind = GroupVersionKind::gvk(T::GROUP, T::VERSION, T::KIND);
    let kind = ApiResource::from_gvk_with_plural(&kind, T::PLURAL);
    let namespace = namespace.filter(|_| T::NAMESPACED).map(encode);
    Request::new(DynamicObject::url_path(&kind, namespace.as_deref()))
}

fn parameters(query: &Query) -> ListParams {
    let labels = query.labels.as_ref().map(|labels| labels.to_query()).filter(|labels| !labels.is_empty());
    let fields: Vec<String> = query.fields.iter().map(|(field, value)| format!("{field}={value}")).collect();
    ListParams {
        label_selector: labels,
        field_selector: (!fields.is_empty()).then(|| fields.join(",")),
        limit: Some(PAGE),
        ..ListParams::default()
    }
}

fn source(verb: &str, object: impl Into<String>, namespace: Option<&str>) -> Source {
    Source::Api {
        verb: verb.to_owned(),
        object: object.into(),
        namespace: namespace.map(str::to_owned),
        field: String::new(),
    }
}

fn unreadable<T: Resource>(api: &Api, error: &NoAnswer, namespace: &str, name: &str) -> CollectError {
    let what = format!("{} {namespace}/{name}", T::SINGULAR);
    match error {
        NoAnswer::Late(late) => {
            CollectError::Unreachable { address: api.address.clone(), cause: late.to_string() }
        }
        NoAnswer::Unreachable(cause) => {
            CollectError::Unreachable { address: api.address.clone(), cause: cause.clone() }
        }
        NoAnswer::Unreadable(why) => CollectError::Unreadable { what, why: why.clone(), grant: None },
        NoAnswer::Status { code, message, .. } => CollectError::Unreadable {
            what,
            why: if message.is_empty() { code.to_string() } else { format!("{message} ({code})") },
            grant: (code.as_u16() == 403).then(|| T::grant("get", Some(namespace)).to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use irsa::facts::kubernetes::{Deployment, MutatingWebhookConfiguration, Pod};
    use k8s_openapi::api::core::v1 as core;

    use super::*;

    #[test]
    fn a_name_does_not_become_a_path() {
        let of = |namespace: &str, name: &str| {
            let request = path::<Pod>(Some(namespace)).get(&encode(name), &GetParams::default());
            request.unwrap().uri().to_string()
        };
        assert_eq!(of("shop", "checkout"), "/api/v1/namespaces/shop/pods/checkout");
        assert_eq!(of("a/../b", "x?y#z%ä"), "/api/v1/namespaces/a%2F..%2Fb/pods/x%3Fy%23z%25%C3%A4");
    }

    #[test]
    fn paths_are_those_of_the_typed_objects() {
        use k8s_openapi::api::admissionregistration::v1 as admission;
        use k8s_openapi::api::apps::v1 as apps;
        assert_eq!(path::<Pod>(Some("shop")).url_path, core::Pod::url_path(&(), Some("shop")));
        assert_eq!(path::<Deployment>(None).url_path, apps::Deployment::url_path(&(), None));
        assert_eq!(
            path::<MutatingWebhookConfiguration>(Some("shop")).url_path,
            admission::MutatingWebhookConfiguration::url_path(&(), None)
        );
    }
}

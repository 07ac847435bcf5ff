//! Whether an answer is the API server's own. Serde reads leniently: `{}`, `[]` and an object of any other kind are an empty pod to
//! it, and so "there is none". One look at what each answer says of itself keeps these from being the API server's word.

use std::fmt;
use std::marker::PhantomData;

use irsa::facts::kubernetes::resource::Resource;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::NoAnswer;
use super::answer::unexpected;
use crate::collect::foreign::foreign;
use crate::collect::web::{BETWEEN, is_page};

/// Characters that are kept of a kind that was not asked for.
const SHOWN: usize = 60;

/// A type of the API: what an answer must say that it is. kubectl takes none that does not say it, either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Type {
    api_version: String,
    kind: String,
}

impl Type {
    /// That of a typed object.
    pub(crate) fn of<K: kube::Resource<DynamicType = ()>>() -> Self {
        Self { api_version: K::api_version(&()).into_owned(), kind: K::kind(&()).into_owned() }
    }

    /// That of an object whose type is not one of ours.
    pub(crate) fn named(api_version: String, kind: &str) -> Self {
        Self { api_version, kind: kind.to_owned() }
    }

    /// That of a resource.
    pub(super) fn of_resource<T: Resource>() -> Self {
        let api_version = match T::GROUP {
            "" => T::VERSION.to_owned(),
            group => format!("{group}/{}", T::VERSION),
        };
        Self { api_version, kind: T::KIND.to_owned() }
    }

    /// An object of which only the metadata was asked for.
    pub(super) fn partial() -> Self {
        Self { api_version: String::from("meta.k8s.io/v1"), kind: String::from("PartialObjectMetadata") }
    }

    /// An error, and that a deletion is done.
    pub(crate) fn status() -> Self {
        Self { api_version: String::from("v1"), kind: String::from("Status") }
    }

    /// The list of it.
    pub(super) fn list(self) -> Self {
        Self { kind: format!("{}List", self.kind), ..self }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind, self.api_version)
    }
}

/// An object, with what it says that it is. Nobody gets it without saying what it has to be.
pub(crate) struct Own<T> {
    head: Head,
    value: T,
}

#[derive(Default)]
struct Head {
    api_version: String,
    kind: String,
}

impl<T> Own<T> {
    /// The object, if it is of one of these types.
    pub(crate) fn among(self, types: &[Type]) -> Result<T, NoAnswer> {
        let Head { api_version, kind } = &self.head;
        match types.iter().any(|wanted| wanted.kind == *kind && wanted.api_version == *api_version) {
            true => Ok(self.value),
            false => Err(other(&self.head, types)),
        }
    }

    /// An item of a list, which need not repeat what the list says.
    pub(super) fn item_of(self, wanted: &Type) -> Result<T, NoAnswer> {
        match self.head.kind.is_empty() && self.head.api_version.is_empty() {
            true => Ok(self.value),
            false => self.among(std::slice::from_ref(wanted)),
        }
    }

    /// What is no resource, and so says nothing of itself: a document, whose own type knows what it must have.
    pub(super) fn untyped(self) -> T {
        self.value
    }

    /// What need not be of any type, for its words.
    pub(super) fn whatever(&self) -> &T {
        &self.value
    }
}

fn other(found: &Head, wanted: &[Type]) -> NoAnswer {
    let wanted = wanted.first().map_or_else(String::new, Type::to_string);
    let short = |text: &str| foreign(text).chars().take(SHOWN).collect::<String>();
    NoAnswer::Unreadable(match (found.kind.as_str(), found.api_version.as_str()) {
        ("", _) => format!("the answer does not say that it is the requested {wanted}"),
        (kind, api_version) => {
            format!("the answer is a {} of {}, not the requested {wanted}", short(kind), short(api_version))
        }
    })
}

/// Reads a body, in which nothing but a JSON object can be an answer.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<Own<T>, NoAnswer> {
    serde_json::from_slice(body).map_err(|error| instead(body, &error))
}

/// What came in its place.
fn instead(body: &[u8], error: &serde_json::Error) -> NoAnswer {
    let text = body.trim_ascii();
    if text.is_empty() {
        return NoAnswer::Unreadable(String::from("the answer is empty"));
    }
    if is_page(text) {
        return page();
    }
    match serde_json::from_slice::<Own<serde::de::IgnoredAny>>(text) {
        Ok(Own { head: Head { kind, .. }, .. }) if kind == "Status" => {
            NoAnswer::Unreadable(String::from("the answer is a Status, not what was requested"))
        }
        _ => NoAnswer::Unreadable(unexpected(error)),
    }
}

/// What is said of a web page.
pub(super) fn page() -> NoAnswer {
    NoAnswer::Unreadable(format!("the answer is a web page: {BETWEEN}"))
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Own<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
            type Value = Own<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, all: A) -> Result<Self::Value, A::Error> {
                let mut head = Head::default();
                let others = Others { all, head: &mut head };
                let value = T::deserialize(MapAccessDeserializer::new(others))?;
                Ok(Own { head, value })
            }
        }

        from.deserialize_map(Object(PhantomData))
    }
}

/// The fields of an object but `kind` and `apiVersion`, which are set aside: the object is read once.
struct Others<'h, A> {
    all: A,
    head: &'h mut Head,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Others<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.all.next_key::<String>()? {
            match key.as_str() {
                "kind" => self.head.kind = self.all.next_value()?,
                "apiVersion" => self.head.api_version = self.all.next_value()?,
                _ => return seed.deserialize(key.into_deserializer()).map(Some),
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.all.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use irsa::facts::kubernetes::Pod;
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &str) -> Result<Pod, String> {
        match decode::<Pod>(body.as_bytes()).and_then(|own| own.among(&[Type::of_resource::<Pod>()])) {
            Ok(pod) => Ok(pod),
            Err(NoAnswer::Unreadable(words)) => Err(words),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_does_not_say_what_it_is_is_nothing() {
        for (body, words) in [
            ("", "the answer is empty"),
            (" \n", "the answer is empty"),
            ("null", "a field is missing or has the wrong type, at line 1, column 4"),
            ("[]", "a field is missing or has the wrong type, at line 1, column 0"),
            ("[\"Pod\",\"v1\"]", "a field is missing or has the wrong type, at line 1, column 0"),
            ("{}", "the answer does not say that it is the requested Pod of v1"),
            ("{\"metadata\":{\"name\":\"x\"}}", "the answer does not say that it is the requested Pod of v1"),
            ("{\"kind\":\"Pod\"}", "the answer is a Pod of , not the requested Pod of v1"),
            (
                "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\"}",
                "the answer is a Status, not what was requested",
            ),
            (
                "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\":[]}",
                "the answer is a PodList of v1, not the requested Pod of v1",
            ),
            (
                "<html><body>Sign in</body></html>",
                "the answer is a web page: a proxy or a captive portal stands between",
            ),
            ("{\"kind\": [<", "a field is missing or has the wrong type, at line 1, column 9"),
        ] {
            assert_eq!(read(body).map(|pod| pod.metadata.name.clone()), Err(words.to_owned()), "{body}");
        }
    }

    #[test]
    fn what_it_says_may_stand_anywhere() {
        for body in [
            json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "x"}}).to_string(),
            String::from(
                "{\"metadata\":{\"name\":\"x\"},\"apiVersion\":\"v1\",\"new\":[{}],\"kind\":\"Pod\"}",
            ),
        ] {
            assert_eq!(read(&body).map(|pod| pod.metadata.name.clone()), Ok(String::from("x")), "{body}");
        }
    }

    #[test]
    fn an_item_says_nothing_or_what_the_list_says() {
        let item = |value: Value| {
            let own = Own::<Pod>::deserialize(value).unwrap();
            own.item_of(&Type::of_resource::<Pod>()).is_ok()
        };
        assert!(item(json!({"metadata": {}})));
        assert!(item(json!({"kind": "Pod", "apiVersion": "v1"})));
        assert!(!item(json!({"kind": "Secret", "apiVersion": "v1"})));
        assert!(!item(json!({"apiVersion": "v1"})));
    }
}

//! The objects that were in the files, by kind.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use super::answers::Answer;
use super::shape::{self, Misfit};
use super::yaml::{Node, value_positions};
use super::{DocumentError, Place, file_source, misfit_of};
use crate::facts::kubernetes::resource::{Kinds, Query, Resource, every_kind};
use crate::facts::kubernetes::{Event, Pod, ServerVersion};
use crate::facts::{Fact, Listing, Source, Sourced, Unknown, Why};
use crate::target::{Kind, Target};

/// Everything that the files contain.
#[derive(Debug, Default)]
pub struct Store {
    /// By kind.
    shelves: BTreeMap<&'static str, Shelf>,
    pub(super) clock: Option<Sourced<Timestamp>>,
    /// True if the user has set it.
    pub(super) is_clock_given: bool,
    pub(super) version: Option<Sourced<ServerVersion>>,
    pub(super) answers: Vec<Answer>,
    pub(super) bundles: Vec<Bundled>,
}

/// The facts of a bundle, as they are written.
#[derive(Debug)]
pub(crate) struct Bundled {
    /// Where they stand.
    pub(crate) place: Place,
    /// The whole document.
    pub(crate) value: Value,
}

impl Bundled {
    /// True if they are about that target.
    pub(crate) fn is_of(&self, namespace: &str, target: &Target) -> bool {
        self.names() == [namespace, target.kind.word(), &target.name]
    }

    /// The target's namespace, kind and name.
    fn names(&self) -> [&str; 3] {
        ["namespace", "kind", "name"].map(|field| self.value["target"][field].as_str().unwrap_or_default())
    }
}

/// The objects of one kind, in the order of the files.
#[derive(Debug, Default)]
struct Shelf {
    objects: Vec<Held>,
    by_name: HashMap<String, Vec<usize>>,
}

/// One object.
#[derive(Debug)]
pub(super) struct Held {
    kind: &'static str,
    /// Empty for cluster-wide objects, and for manifests that do not name a namespace.
    namespace: String,
    name: String,
    source: Source,
    /// Of the type that belongs to the kind.
    value: Box<dyn Any + Send + Sync>,
}

/// Reads an object of one kind: the node, the file and the document's number.
type Reader = fn(&Node, &str, usize) -> Result<Held, Misfit>;

/// The reader of a kind, if any check reads that kind. The same kind means other things in other API groups; an object
/// that names no group is matched by its kind alone.
pub(super) fn reader(kind: &str, group: Option<&str>) -> Option<Reader> {
    struct Find<'a>(&'a str, Option<&'a str>, Option<Reader>);
    impl Kinds for Find<'_> {
        fn of<T: Resource>(&mut self) {
            if self.0 == T::KIND && self.1.is_none_or(|group| group == T::GROUP) {
                self.2 = Some(hold::<T>);
            }
        }
    }
    let mut find = Find(kind, group, None);
    every_kind(&mut find);
    find.2
}

fn hold<T: Resource>(node: &Node, file: &str, document: usize) -> Result<Held, Misfit> {
    let value: T = shape::read(node)?;
    let name = value.meta().name.clone();
    let namespace = if T::NAMESPACED { value.meta().namespace.clone() } else { String::new() };
    let source = file_source(file, document, &format!("{}/{name}", T::SINGULAR), node);
    Ok(Held { kind: T::KIND, namespace, name, source, value: Box::new(value) })
}

impl Held {
    fn fits(&self, namespace: Option<&str>) -> bool {
        self.namespace.is_empty() || namespace.is_none_or(|wanted| wanted == self.namespace)
    }

    fn get<T: Resource>(&self) -> Option<Sourced<&T>> {
        self.value.downcast_ref().map(|value| Sourced { value, source: self.source.clone() })
    }
}

impl Shelf {
    fn named(&self, name: &str) -> impl Iterator<Item = &Held> {
        self.by_name.get(name).into_iter().flatten().filter_map(|index| self.objects.get(*index))
    }

    /// The objects of a namespace, or of all.
    fn within(&self, namespace: Option<&str>) -> impl Iterator<Item = &Held> {
        self.objects.iter().filter(move |held| {
            // A manifest next to the live object of that name is the same object in its intended state.
            let superseded = || {
                held.namespace.is_empty()
                    && !held.name.is_empty()
                    && self
                        .named(&held.name)
                        .any(|other| !other.namespace.is_empty() && other.fits(namespace))
            };
            held.fits(namespace) && !superseded()
        })
    }
}

impl Store {
    /// Adds one object by its kind; its fields are addressed by where their values stand. `None` if no check reads such objects.
    pub(crate) fn take(
        &mut self,
        node: &Node,
        (kind, group): (&str, Option<&str>),
        file: &str,
        document: usize,
    ) -> Option<Result<(), DocumentError>> {
        let read = reader(kind, group)?(node, file, document);
        Some(read.map_err(|misfit| misfit_of(file, node, kind, &misfit)).map(|mut held| {
            if let Source::File { positions, .. } = &mut held.source {
                *positions = value_positions(node);
            }
            self.put(held);
        }))
    }

    /// Every object that can be diagnosed: its kind, namespace and name, in the order of the files.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (Kind, &str, &str)> {
        let kinds = self.shelves.iter().filter_map(|(kind, shelf)| Some((Kind::of_word(kind)?, shelf)));
        kinds.flat_map(|(kind, shelf)| {
            let named = shelf.objects.iter().filter(|held| !held.name.is_empty());
            named.map(move |held| (kind, held.namespace.as_str(), held.name.as_str()))
        })
    }

    pub(super) fn put(&mut self, held: Held) {
        let shelf = self.shelves.entry(held.kind).or_default();
        let same = shelf.by_name.entry(held.name.clone()).or_default();
        let known = same.iter().copied().find(|index| {
            // Objects with `generateName` have no name yet, and are many.
            let of_known = shelf.objects.get(*index).map(|known| known.namespace.as_str());
            !held.name.is_empty() && of_known == Some(held.namespace.as_str())
        });
        match known.and_then(|index| shelf.objects.get_mut(index)) {
            Some(slot) => *slot = held,
            None => {
                same.push(shelf.objects.len());
                shelf.objects.push(held);
            }
        }
    }

    /// Adds what is in another.
    pub(super) fn absorb(&mut self, other: Self) {
        other.shelves.into_values().flat_map(|shelf| shelf.objects).for_each(|held| self.put(held));
        self.answers.extend(other.answers);
        self.bundles.extend(other.bundles);
        self.version = other.version.or(self.version.take());
        // The latest: nothing in the files is newer than that.
        if let Some(clock) = other.clock
            && self.clock.as_ref().is_none_or(|known| known.value < clock.value)
        {
            self.clock = Some(clock);
        }
    }

    fn shelf<T: Resource>(&self) -> Option<&Shelf> {
        self.shelves.get(T::KIND)
    }

    /// The object of that name. Without a namespace: in any namespace.
    pub fn get<T: Resource>(&self, namespace: Option<&str>, name: &str) -> Fact<T> {
        let namespace = namespace.filter(|_| T::NAMESPACED);
        let mut fitting: Vec<&Held> = self
            .shelf::<T>()
            .into_iter()
            .flat_map(|shelf| shelf.named(name))
            .filter(|held| held.fits(namespace))
            .collect();
        // One that names its namespace takes precedence over a manifest that does not.
        fitting.sort_by_key(|held| held.namespace.is_empty());
        match fitting.first().and_then(|held| held.get::<T>()) {
            Some(Sourced { value, source }) => Fact::Known(Sourced { value: value.clone(), source }),
            None => {
                let place = namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
                not_in_files(format!("{} {place}{name}", T::SINGULAR))
            }
        }
    }

    /// The objects of a namespace, or of all, that match the query. Never complete: the files may contain only some.
    pub fn list<T: Resource>(&self, namespace: Option<&str>, query: &Query) -> Fact<Listing<T>> {
        let namespace = namespace.filter(|_| T::NAMESPACED);
        let within = namespace.map(|namespace| format!(" of namespace {namespace}")).unwrap_or_default();
        let what = format!("{}{within}", T::PLURAL);
        if let Some((field, _)) = query.fields.iter().find(|(field, _)| !has_field::<T>(field)) {
            let why = Why::Failed(format!("{} cannot be selected by {field}", T::PLURAL));
            return Fact::Unknown(Unknown { what, why, grant: None });
        }
        let Some((shelf, first)) = self.shelf::<T>().and_then(|shelf| Some((shelf, shelf.objects.first()?)))
        else {
            return not_in_files(what);
        };
        let items = shelf
            .within(namespace)
            .filter_map(Held::get::<T>)
            .filter(|found| {
                let meta = found.value.meta();
                query.labels.as_ref().is_none_or(|wanted| wanted.first_unmet(&meta.labels).is_none())
                    && query.fields.iter().all(|(field, wanted)| field_is(found.value, field, wanted))
            })
            .map(|found| Sourced { value: found.value.clone(), source: found.source })
            .collect();
        let mut source = first.source.clone();
        if let Source::File { object, .. } = &mut source {
            T::PLURAL.clone_into(object);
        }
        let cut = Some(Unknown { what: format!("other {what}"), why: Why::NotInFiles, grant: None });
        Fact::Known(Sourced { value: Listing { items, cut }, source })
    }

    /// The facts of bundles.
    pub(crate) fn bundles(&self) -> &[Bundled] {
        &self.bundles
    }

    /// The time that the user has set (`--at`).
    pub(crate) fn given_clock(&self) -> Option<&Sourced<Timestamp>> {
        self.clock.as_ref().filter(|_| self.is_clock_given)
    }

    /// The time of the files: `--at`, or the latest `observedAt` in them.
    pub fn clock(&self) -> Fact<Timestamp> {
        self.clock
            .clone()
            .map_or_else(|| not_in_files(String::from("the time at which the files were saved")), Fact::Known)
    }

    /// The API server's version, if `kubectl version -o json` was saved too.
    pub fn version(&self) -> Fact<ServerVersion> {
        let missing = || not_in_files(String::from("the version of the API server"));
        self.version.clone().map_or_else(missing, Fact::Known)
    }

    /// The namespaces with an object of that kind (`Pod` or `pod`) and name. A manifest that names no namespace counts as one in
    /// `default`, where `kubectl apply` would put it, unless a namespace is known for that name.
    pub fn namespace_of(&self, kind: &str, name: &str) -> Vec<String> {
        let shelves = self.shelves.iter().filter(|(known, _)| known.eq_ignore_ascii_case(kind));
        let bundled = self.bundles.iter().map(Bundled::names).filter(|[_, of_kind, of_name]| {
            Kind::of_word(of_kind).is_some_and(|known| known.kind().eq_ignore_ascii_case(kind))
                && *of_name == name
        });
        let found: BTreeSet<&str> = shelves
            .flat_map(|(_, shelf)| shelf.named(name))
            .map(|held| held.namespace.as_str())
            .chain(bundled.map(|[namespace, ..]| namespace))
            .collect();
        let named: Vec<String> =
            found.iter().filter(|namespace| !namespace.is_empty()).map(|name| (*name).to_owned()).collect();
        if named.is_empty() && !found.is_empty() { vec![String::from("default")] } else { named }
    }

    /// The names of all objects of a kind, sorted: for "did you mean".
    pub fn names<T: Resource>(&self, namespace: Option<&str>) -> Vec<String> {
        let namespace = namespace.filter(|_| T::NAMESPACED);
        let names: BTreeSet<&str> = self
            .shelf::<T>()
            .into_iter()
            .flat_map(|shelf| shelf.within(namespace))
            .map(|held| held.name.as_str())
            .filter(|name| !name.is_empty())
            .collect();
        names.into_iter().map(str::to_owned).collect()
    }
}

fn not_in_files<T>(what: String) -> Fact<T> {
    Fact::Unknown(Unknown { what, why: Why::NotInFiles, grant: None })
}

/// True if the API server can select objects of that kind by that field.
fn has_field<T: Resource>(field: &str) -> bool {
    match field {
        "metadata.name" => true,
        "metadata.namespace" => T::NAMESPACED,
        "spec.serviceAccountName" | "spec.nodeName" => T::KIND == "Pod",
        "involvedObject.kind" | "involvedObject.name" | "involvedObject.uid" | "reason" => T::KIND == "Event",
        _ => false,
    }
}

fn field_is<T: Resource>(object: &T, field: &str, wanted: &str) -> bool {
    let meta = object.meta();
    let any: &dyn Any = object;
    let pod = any.downcast_ref::<Pod>();
    let about = any.downcast_ref::<Event>().map(|event| &event.involved_object);
    match field {
        "metadata.name" => meta.name == wanted,
        "metadata.namespace" => meta.namespace.is_empty() || meta.namespace == wanted,
        "spec.serviceAccountName" => pod.is_some_and(|pod| {
            pod.spec.service_account() == if wanted.is_empty() { "default" } else { wanted }
        }),
        "spec.nodeName" => pod.is_some_and(|pod| *pod.spec.node_name == wanted),
        "involvedObject.kind" => about.is_some_and(|about| about.kind == wanted),
        "reason" => any.downcast_ref::<Event>().is_some_and(|event| event.reason == wanted),
        "involvedObject.name" => about.is_some_and(|about| about.name == wanted),
        "involvedObject.uid" => about.is_some_and(|about| about.uid == wanted),
        _ => false,
    }
}

//! What will be wrong once a change is deployed: manifests, plans and templates, judged by the checks that also judge a cluster.
//!
//! [`read`] takes each document for what it is and makes a [`change::Change`] of all of them: each value with its file, line and
//! column, and what is not known before deployment as a gap. [`case`] makes facts of it, as if it were deployed on EKS, one
//! identity after the other; the checks of [`crate::checks`] judge them. What only files can have wrong is in [`rules`].
//!
//! A gap is never a fault. A comparison takes what is known on both sides and fills the rest in favour of the change.

mod association;
mod case;
mod change;
mod comments;
mod findings;
mod policy;
mod problem;
mod read;
mod rules;
mod text;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

use crate::checks::catalogue;
use crate::documents::{DocumentError, Place, Store};
use crate::target::{Kind, Target};

use case::of_target;
use change::{Change, Named, Object};
use comments::Ignored;
use findings::{Found, OF_SERVICE_ACCOUNTS, OF_WORKLOADS};

pub use change::Unchecked;
pub use problem::{Checked, Problem, Report};

/// A value that is not known before deployment. It has the form of a role's ARN, so that only comparisons with it mean nothing.
const UNKNOWN: &str = "arn:aws:iam::000000000000:role/known-after-apply";

/// What the files do not say.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The issuer of the cluster that the change is for.
    pub issuer: Option<String>,
    /// The namespace of objects that name none.
    pub namespace: Option<String>,
}

/// The files of a change, read one after the other.
#[derive(Debug, Default)]
pub struct Lint {
    change: Change,
    ignored: BTreeMap<String, Ignored>,
    files: usize,
}

impl Lint {
    /// Adds a file. `found` in a directory: what is of another kind is passed over.
    pub fn file(&mut self, name: &str, bytes: Vec<u8>, found: bool) {
        let text = String::from_utf8_lossy(&bytes);
        if text.contains("irsa-lint:") {
            self.ignored.insert(name.to_owned(), Ignored::of(&text));
        }
        drop(text);
        self.files += 1;
        read::file(&mut self.change, name, bytes, found);
    }

    /// Judges all of it.
    pub fn report(self, options: &Options) -> Report {
        let Self { change, ignored, files } = self;
        let mut found = Found::default();
        let mut forms = Forms::of(&change);
        for round in 0..forms.rounds() {
            let (store, new) = forms.round(round);
            of_objects(&change, &store, &new, options, &mut found);
            let first = change.associations.iter().filter(|_| round == 0);
            first.for_each(|one| association::of_association(one, &change, &store, &mut found));
        }
        let Forms { flawed, unchecked, .. } = forms;
        for role in &change.roles {
            trust::of_role(role, &change, &mut found);
            association::of_role(role, &change, &mut found);
        }
        rules::ALL.iter().for_each(|rule| (rule.run)(&change, &mut found));
        let checked = checked(&change, files);
        let mut report = Report { checked, ..Report::default() };
        for problem in found.all() {
            let of_file = ignored.get(&problem.place.file);
            if of_file.is_some_and(|ignored| ignored.covers(problem.place.position.line, problem.id)) {
                report.suppressed += 1;
            } else {
                report.problems.push(problem);
            }
        }
        let Change { mut unknowns, mut unread, skipped, foreign, .. } = change;
        unread.extend(flawed);
        unknowns.extend(unchecked);
        unknowns.sort_by_key(|one| (one.place.file.clone(), one.place.position.line, one.words.clone()));
        unknowns.dedup();
        Report { unchecked: unknowns, unread, skipped, foreign, ..report }
    }
}

/// Every id that can be reported, sorted.
pub fn ids() -> BTreeSet<&'static str> {
    let of_rules = rules::ALL.iter().flat_map(|rule| rule.ids).copied();
    findings::ids().chain(of_rules).collect()
}

/// The title of an id's page.
pub fn title(id: &str) -> String {
    catalogue::entry(id).map(|entry| entry.title).unwrap_or_default()
}

fn checked(change: &Change, files: usize) -> Checked {
    let objects = |is: fn(&Object) -> bool| change.objects.iter().filter(|object| is(object)).count();
    Checked {
        files,
        service_accounts: objects(|object| object.kind == "ServiceAccount"),
        workloads: objects(|object| object.template().is_some()),
        roles: change.roles.len(),
        providers: change.providers.len(),
        associations: change.associations.len(),
    }
}

/// What tells an object from others: kind, namespace and name.
type Key = (String, String, String);

/// The objects as they will be. An object that the files have several times, as the overlays of several environments do, is
/// judged in each of its forms: there are as many rounds as the most frequent one has forms, and at least one.
#[derive(Default)]
struct Forms<'c> {
    forms: BTreeMap<Key, Vec<&'c Object>>,
    /// What does not have the shape of its kind.
    flawed: Vec<DocumentError>,
    /// What is not judged.
    unchecked: Vec<Unchecked>,
}

/// More forms of one object are not judged.
const MOST_FORMS: usize = 32;

impl<'c> Forms<'c> {
    fn of(change: &'c Change) -> Self {
        let mut all = Self::default();
        for object in &change.objects {
            let meta = |key| object.meta(key).unwrap_or_default().to_owned();
            let key = (object.kind.clone(), meta("namespace"), meta("name"));
            let place = || Place { file: object.file.clone(), position: object.node.at };
            let is_target = object.kind == "ServiceAccount" || object.template().is_some();
            if is_target && key.2.is_empty() {
                let words = format!("{}: it has no name", object.kind);
                all.unchecked.push(Unchecked { place: place(), words });
            }
            let forms = all.forms.entry(key).or_default();
            if forms.len() < MOST_FORMS {
                forms.push(object);
            } else if is_target {
                let words = format!("{}: more than {MOST_FORMS} others have its name", object.shown());
                all.unchecked.push(Unchecked { place: place(), words });
            }
        }
        all
    }

    fn rounds(&self) -> usize {
        self.forms.values().map(Vec::len).max().unwrap_or(1)
    }

    /// The objects in one of their forms each, and those whose form is another one than in the round before.
    fn round(&mut self, round: usize) -> (Store, BTreeSet<Key>) {
        let (mut store, mut new) = (Store::default(), BTreeSet::new());
        for (key, forms) in &self.forms {
            let Some(object) = forms.get(round).or(forms.last()) else { continue };
            let is_new = round < forms.len();
            let kind = (object.kind.as_str(), object.group.as_deref());
            match store.take(&object.node, kind, &object.file, object.document) {
                Some(Err(error)) if is_new => self.flawed.push(error),
                Some(Ok(())) if is_new => drop(new.insert(key.clone())),
                _ => {}
            }
        }
        (store, new)
    }
}

/// Judges the service accounts and workloads of one store, as far as they, or the service accounts, are new.
fn of_objects(change: &Change, store: &Store, new: &BTreeSet<Key>, options: &Options, found: &mut Found) {
    let has_new_accounts = new.iter().any(|(kind, ..)| kind == "ServiceAccount");
    for (kind, namespace, name) in store.targets() {
        let is_new = new.contains(&(kind.kind().to_owned(), namespace.to_owned(), name.to_owned()));
        if !is_new && (kind == Kind::ServiceAccount || !has_new_accounts) {
            continue;
        }
        let target = Target { kind, name: name.to_owned() };
        let namespace = namespace_of(change, options, &target, namespace);
        let Some(facts) = of_target(store, &namespace, &target) else { continue };
        let facts = association::beside(change, facts);
        if kind != Kind::ServiceAccount {
            found.run(&facts, &[OF_WORKLOADS], &[]);
            continue;
        }
        let derived = crate::derive::Derived::of(&facts);
        let Some((raw, source)) = derived.annotation("role-arn") else {
            found.run(&facts, &[OF_SERVICE_ACCOUNTS], &[]);
            continue;
        };
        let role = match change.role(raw) {
            Some(Named::Certainly(role) | Named::Nearly(role)) => Some(role),
            None => None,
        };
        let object = change
            .objects
            .iter()
            .find(|object| object.kind == "ServiceAccount" && object.names_role_at(&source));
        let partition = object.is_some_and(|object| rules::partition_of_naming(object, role, change, found));
        // A role in the wrong partition trusts a provider of the right one.
        let except: &[&str] =
            if partition { &["trust-wrong-principal", "trust-provider-other-account"] } else { &[] };
        found.run(&facts, &[OF_SERVICE_ACCOUNTS], except);
        let audience = derived.annotation("audience").map_or(trust::AUDIENCE, |(audience, _)| audience);
        if let Some(role) = role {
            let naming = trust::Naming { facts: &facts, role_arn: raw, audience, except };
            trust::of_service_account(&naming, role, change, options, found);
        }
    }
}

/// The namespace of an object that may not name one.
fn namespace_of(change: &Change, options: &Options, target: &Target, namespace: &str) -> String {
    if !namespace.is_empty() {
        return namespace.to_owned();
    }
    if let Some(namespace) = &options.namespace {
        return namespace.clone();
    }
    let object = change.objects.iter().find(|object| {
        object.kind == target.kind.kind()
            && object.meta("namespace").is_none()
            && object.meta("name") == Some(&target.name)
    });
    let found = object.and_then(|object| match object.template() {
        // That of its service account, if the change has only one of that name.
        Some((_, spec)) => {
            let account = spec.text("serviceAccountName").unwrap_or("default");
            let mut accounts = change
                .objects
                .iter()
                .filter(|other| other.kind == "ServiceAccount" && other.meta("name") == Some(account));
            let first = accounts.next()?.meta("namespace")?;
            accounts.next().is_none().then(|| first.to_owned())
        }
        None => {
            let (raw, _) = rules::role_of(object)?;
            let (Named::Certainly(role) | Named::Nearly(role)) = change.role(raw)?;
            trust::namespace_by_trust(role, &target.name, change)
        }
    });
    found.unwrap_or_else(|| String::from("default"))
}

//! What every object has: metadata, owners, labels and how they are selected.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use super::null_default;
use crate::facts::alike::{Bare, Moment, Outline, Pen, Varying, outlined};

/// `metadata`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// Name.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub name: String,
    /// Namespace; empty for cluster-wide objects.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub namespace: String,
    /// UID.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub uid: Varying<String>,
    /// When the API server created it (its clock).
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub creation_timestamp: Moment,
    /// When its deletion was requested.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub deletion_timestamp: Moment,
    /// Labels.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub labels: Labels,
    /// Annotations, without `last-applied-configuration`: that repeats the object, including a Secret's values.
    #[serde(deserialize_with = "annotations", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub annotations: Labels,
    /// Owners.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub owner_references: Vec<OwnerReference>,
    /// Who wrote which field, and when.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "crate::facts::alike::Bare::is_bare")]
    pub managed_fields: Varying<Vec<ManagedFields>>,
}

/// Labels or annotations.
pub type Labels = BTreeMap<String, Varying<String>>;

impl Meta {
    /// The name, for what judges by it: no other object stands for this one then. What only says the name reads the field.
    pub fn judged_name(&self) -> &str {
        self.uid.counts();
        &self.name
    }

    /// The controller that owns the object.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller).or_else(|| self.owner_references.first())
    }

    /// The last writer of an annotation, by `managedFields`. Supporting evidence only: `time` moves with any later
    /// write of the same manager.
    pub fn annotation_writer(&self, key: &str) -> Option<&ManagedFields> {
        self.managed_fields
            .iter()
            .filter(|entry| entry.annotations.contains(key))
            .max_by_key(|entry| entry.time)
    }
}

impl Bare for Meta {
    fn is_bare(&self) -> bool {
        let Self {
            name,
            namespace,
            uid,
            creation_timestamp,
            deletion_timestamp,
            labels,
            annotations,
            owner_references,
            managed_fields,
        } = self;
        name.is_bare()
            && namespace.is_bare()
            && uid.is_bare()
            && creation_timestamp.is_bare()
            && deletion_timestamp.is_bare()
            && labels.is_bare()
            && annotations.is_bare()
            && owner_references.is_bare()
            && managed_fields.is_bare()
    }
}

impl Outline for Meta {
    fn outline<'f>(&'f self, pen: &mut Pen<'f>) {
        let Self {
            // Every report says it.
            name: _,
            namespace,
            uid,
            creation_timestamp,
            deletion_timestamp,
            labels,
            annotations,
            owner_references,
            managed_fields,
        } = self;
        namespace.outline(pen);
        uid.outline(pen);
        creation_timestamp.outline(pen);
        deletion_timestamp.outline(pen);
        labels.outline(pen);
        annotations.outline(pen);
        owner_references.outline(pen);
        managed_fields.outline(pen);
    }
}

fn annotations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
    let mut all: Labels = null_default(deserializer)?;
    all.remove("kubectl.kubernetes.io/last-applied-configuration");
    Ok(all)
}

object!(
    /// `metadata.ownerReferences[]`.
    OwnerReference {
        /// API version.
        api_version: String,
        /// Kind.
        kind: String,
        /// Name.
        name: String,
        /// UID.
        uid: String,
        /// True for the one that manages the object.
        controller: bool,
    }
);

/// `metadata.managedFields[]`, reduced to what is needed: who owns which annotation, which keys a Secret has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "RawManagedFields", into = "RawManagedFields")]
pub struct ManagedFields {
    /// Name of the writer: `helm`, `kubectl-annotate`, …
    pub manager: String,
    /// When it last wrote anything to the object.
    pub time: Option<Timestamp>,
    /// Annotation keys that it owns.
    pub annotations: BTreeSet<String>,
    /// Keys under `data` and `stringData` that it owns: the only way to learn a Secret's keys without its values.
    pub data_keys: BTreeSet<String>,
}

outlined!(ManagedFields { manager, time, annotations, data_keys });

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawManagedFields {
    manager: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
    #[serde(deserialize_with = "null_default")]
    fields_v1: OwnedFields,
}

/// Of the fields that a manager owns, a third of a pod, only these are kept.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct OwnedFields {
    #[serde(rename = "f:metadata", deserialize_with = "null_default")]
    metadata: OwnedMeta,
    #[serde(
        rename = "f:data",
        deserialize_with = "null_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    data: Keys,
    #[serde(
        rename = "f:stringData",
        deserialize_with = "null_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    string_data: Keys,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct OwnedMeta {
    #[serde(
        rename = "f:annotations",
        deserialize_with = "null_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    annotations: Keys,
}

/// Keys of a map, each behind `f:`.
type Keys = BTreeMap<String, Nothing>;

/// What a key stands before, which is not read.
#[derive(Default, Serialize)]
struct Nothing {}

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self {})
    }
}

impl From<ManagedFields> for RawManagedFields {
    fn from(fields: ManagedFields) -> Self {
        let keys = |names: BTreeSet<String>| {
            names.into_iter().map(|name| (format!("f:{name}"), Nothing {})).collect::<Keys>()
        };
        Self {
            manager: fields.manager,
            time: fields.time,
            fields_v1: OwnedFields {
                metadata: OwnedMeta { annotations: keys(fields.annotations) },
                data: keys(fields.data_keys),
                string_data: Keys::new(),
            },
        }
    }
}

impl From<RawManagedFields> for ManagedFields {
    fn from(raw: RawManagedFields) -> Self {
        let fields = raw.fields_v1;
        let named = |keys: Keys| {
            let named = keys.into_keys();
            named.filter_map(|key| key.strip_prefix("f:").map(str::to_owned)).collect::<BTreeSet<String>>()
        };
        let mut data_keys = named(fields.data);
        data_keys.append(&mut named(fields.string_data));
        Self {
            annotations: named(fields.metadata.annotations),
            data_keys,
            manager: raw.manager,
            time: raw.time,
        }
    }
}

object!(
    /// A reference by name in the pod's namespace.
    NameRef {
        /// Name.
        name: String,
        /// If it may be missing.
        optional: Option<bool>,
    }
);

object!(
    /// A label selector.
    LabelSelector {
        /// Labels that must be equal.
        match_labels: BTreeMap<String, String>,
        /// Set expressions.
        match_expressions: Vec<SelectorRequirement>,
    }
);

object!(
    /// `matchExpressions[]`.
    SelectorRequirement {
        /// Label key.
        key: String,
        /// `In`, `NotIn`, `Exists`, `DoesNotExist`.
        operator: String,
        /// Values.
        values: Vec<String>,
    }
);

impl LabelSelector {
    /// The first requirement that the labels do not meet, as a sentence part; `None` if they meet all.
    pub fn first_unmet(&self, labels: &Labels) -> Option<String> {
        for (key, value) in &self.match_labels {
            if labels.get(key).is_none_or(|label| **label != *value) {
                return Some(format!("{key}={value}"));
            }
        }
        self.match_expressions.iter().find_map(|requirement| {
            let has = labels.get(&requirement.key);
            let met = match requirement.operator.as_str() {
                "In" => has.is_some_and(|value| requirement.values.contains(value)),
                "NotIn" => has.is_none_or(|value| !requirement.values.contains(value)),
                "Exists" => has.is_some(),
                "DoesNotExist" => has.is_none(),
                _ => false,
            };
            let values = if requirement.values.is_empty() {
                String::new()
            } else {
                format!(" ({})", requirement.values.join(", "))
            };
            (!met).then(|| format!("{} {}{values}", requirement.key, requirement.operator))
        })
    }

    /// False if an object with these labels, and perhaps others, certainly does not meet all requirements.
    pub fn may_match(&self, known: &[(&str, &str)]) -> bool {
        let value = |key: &str| known.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        let equal = self.match_labels.iter().all(|(key, wanted)| value(key).is_none_or(|it| it == wanted));
        equal
            && self.match_expressions.iter().all(|requirement| {
                let Some(it) = value(&requirement.key) else { return true };
                let listed = requirement.values.iter().any(|listed| listed == it);
                match requirement.operator.as_str() {
                    "In" => listed,
                    "NotIn" => !listed,
                    "DoesNotExist" => false,
                    _ => true,
                }
            })
    }

    /// The labels that would have to change to meet all requirements: a value to set, or `None` to remove the label.
    pub fn changes(&self, labels: &Labels) -> Vec<(&str, Option<&str>)> {
        let equal = self
            .match_labels
            .iter()
            .filter(|(key, value)| labels.get(*key).is_none_or(|label| **label != **value));
        let equal = equal.map(|(key, value)| (key.as_str(), Some(value.as_str())));
        let sets = self.match_expressions.iter().filter_map(|requirement| {
            let alone = Self { match_labels: BTreeMap::new(), match_expressions: vec![requirement.clone()] };
            alone.first_unmet(labels)?;
            Some(match requirement.operator.as_str() {
                "In" => (requirement.key.as_str(), requirement.values.first().map(String::as_str)),
                "Exists" => (requirement.key.as_str(), Some("true")),
                _ => (requirement.key.as_str(), None),
            })
        });
        equal.chain(sets).collect()
    }

    /// The same as a query parameter of the API.
    pub fn to_query(&self) -> String {
        let equal = self.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        let sets = self.match_expressions.iter().map(|requirement| {
            let values = requirement.values.join(",");
            match requirement.operator.as_str() {
                "In" => format!("{} in ({values})", requirement.key),
                "NotIn" => format!("{} notin ({values})", requirement.key),
                "DoesNotExist" => format!("!{}", requirement.key),
                _ => requirement.key.clone(),
            }
        });
        equal.chain(sets).collect::<Vec<_>>().join(",")
    }
}

//! The environment that a container ends up with, as far as its spec tells.

use std::collections::BTreeMap;

use crate::facts::kubernetes::{Container, EnvValue, EnvVarSource, KeyRef};
use crate::facts::{Fact, Facts, Source, Unknown, Why};

/// The environment of one container: `envFrom` first, then `env`, later entries winning, as the kubelet does it.
#[derive(Debug, Default)]
pub struct Env<'f> {
    entries: BTreeMap<String, EnvEntry>,
    /// ConfigMaps and Secrets that could not be read: a variable that is not in `entries` may come from them.
    pub unread: Vec<&'f Unknown>,
}

/// One variable.
#[derive(Debug, Clone)]
pub struct EnvEntry {
    /// Its value, as far as it may be known, with references resolved.
    pub value: EnvValue,
    /// Where it is set.
    pub source: Source,
    /// Who sets it.
    pub origin: Origin,
}

/// Who sets a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `env[index]` of the container.
    Env(usize),
    /// `envFrom`: `Secret aws-keys`.
    EnvFrom(String),
}

impl EnvEntry {
    /// The value, if it is known text.
    pub fn text(&self) -> Option<&str> {
        self.value.text()
    }

    /// True unless it is known to be empty, which SDKs treat as unset.
    pub fn is_set(&self) -> bool {
        !self.value.is_empty()
    }

    /// False if the variable is taken from an optional key that may not exist.
    pub fn is_certain(&self) -> bool {
        let EnvValue::From(from) = &self.value else { return true };
        let mut keys = from.secret_key_ref.iter().chain(&from.config_map_key_ref);
        !keys.any(|key| key.optional == Some(true))
    }

    /// The unknown, if the value is not known.
    pub fn unread(&self, variable: &str, container: &str) -> Unknown {
        let why = self.shown();
        Unknown {
            what: format!("value of {variable} in container {container}"),
            why: Why::NotAsked(why.trim_matches(['(', ')']).to_owned()),
            grant: None,
        }
    }

    /// The value as evidence; says where it comes from if it was not read.
    pub fn shown(&self) -> String {
        match &self.value {
            EnvValue::Literal(text) => text.clone(),
            EnvValue::Withheld { empty: true } => String::new(),
            EnvValue::Withheld { empty: false } => String::from("(set; value not read)"),
            EnvValue::Unread => match &self.origin {
                Origin::EnvFrom(from) => format!("(from {from}; value not read)"),
                Origin::Env(_) => String::from("(value not read)"),
            },
            EnvValue::From(from) => from_words(from),
        }
    }
}

fn from_words(from: &EnvVarSource) -> String {
    if let Some(secret) = &from.secret_key_ref {
        format!("(key {} of Secret {}; value not read)", secret.key, secret.name)
    } else if let Some(config_map) = &from.config_map_key_ref {
        format!("(key {} of ConfigMap {})", config_map.key, config_map.name)
    } else if let Some(field) = &from.field_ref {
        format!("(field {} of the pod)", field.field_path)
    } else {
        String::from("(valueFrom)")
    }
}

impl<'f> Env<'f> {
    /// Reads the environment of a container whose spec stands at `path` of `source`.
    pub fn of(facts: &'f Facts, container: &'f Container, source: &Source, path: &str) -> Self {
        let mut env = Self::default();
        for (index, from) in container.env_from.iter().enumerate() {
            let at = source.at(format!("{path}.envFrom[{index}]"));
            if let Some(reference) = &from.config_map_ref {
                match facts.config_maps.get(&reference.name) {
                    Some(Fact::Known(config_map)) => {
                        for (key, value) in &config_map.value.data {
                            // The value was kept or dropped by its key; with a prefix the variable has another name.
                            let name = format!("{}{key}", from.prefix);
                            let origin = Origin::EnvFrom(format!("ConfigMap {}", reference.name));
                            env.set(name, value.clone(), at.clone(), origin);
                        }
                    }
                    Some(Fact::Unknown(unknown)) => env.unread.push(unknown),
                    Some(Fact::Absent { .. }) | None => {}
                }
            }
            if let Some(reference) = &from.secret_ref {
                match facts.secrets.get(&reference.name) {
                    Some(Fact::Known(secret)) => {
                        for key in &secret.value.keys {
                            let origin = Origin::EnvFrom(format!("Secret {}", reference.name));
                            env.set(format!("{}{key}", from.prefix), EnvValue::Unread, at.clone(), origin);
                        }
                    }
                    Some(Fact::Unknown(unknown)) => env.unread.push(unknown),
                    Some(Fact::Absent { .. }) | None => {}
                }
            }
        }
        for (index, variable) in container.env.iter().enumerate() {
            let at = source.at(format!("{path}.env[{index}]"));
            if EnvValue::is_read(&variable.name) && may_be_of_the_pod(&variable.value) {
                facts.subject.pod().inspect(|pod| pod.value.metadata.uid.counts());
            }
            // An optional reference to nothing leaves the variable as `envFrom` made it.
            if let Some(value) = env.resolve(facts, &variable.value) {
                env.set(variable.name.clone(), value, at, Origin::Env(index));
            }
        }
        env
    }

    fn set(&mut self, name: String, value: EnvValue, source: Source, origin: Origin) {
        self.entries.insert(name, EnvEntry { value, source, origin });
    }

    /// The variable, if the container certainly has it.
    pub fn get(&self, name: &str) -> Option<&EnvEntry> {
        self.entries.get(name)
    }

    /// The first of several variables that is set and not empty.
    pub fn first_set(&self, names: &[&'static str]) -> Option<(&'static str, &EnvEntry)> {
        names
            .iter()
            .find_map(|name| self.get(name).filter(|entry| entry.is_set()).map(|entry| (*name, entry)))
    }

    /// All variables, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &EnvEntry)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// `None` if the reference is optional and leads to nothing.
    fn resolve(&self, facts: &Facts, value: &EnvValue) -> Option<EnvValue> {
        Some(match value {
            EnvValue::Literal(text) => self.expand(text),
            EnvValue::From(from) if leads_nowhere(facts, from) => return None,
            EnvValue::From(from) => {
                resolve_reference(facts, from).unwrap_or_else(|| EnvValue::From(settled(facts, from)))
            }
            EnvValue::Withheld { .. } | EnvValue::Unread => value.clone(),
        })
    }

    /// `$(NAME)` is replaced by an earlier variable; an unknown name stays as it is; `$$(` is a literal `$(`.
    fn expand(&self, text: &str) -> EnvValue {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let tail = &rest[at..];
            if let Some(after) = tail.strip_prefix("$$") {
                out.push('$');
                rest = after;
            } else if let Some((name, after)) =
                tail.strip_prefix("$(").and_then(|inner| inner.split_once(')'))
            {
                match self.get(name).map(|entry| &entry.value) {
                    Some(EnvValue::Literal(value)) => out.push_str(value),
                    Some(_) => return EnvValue::Withheld { empty: false },
                    // It may be in what could not be read, or be one of the variables that the kubelet makes of services.
                    None if !self.unread.is_empty() || of_a_service(name) => {
                        return EnvValue::Withheld { empty: false };
                    }
                    None => out.push_str(&format!("$({name})")),
                }
                rest = after;
            } else {
                out.push('$');
                rest = &tail[1..];
            }
        }
        out.push_str(rest);
        EnvValue::Literal(out)
    }
}

/// True if the value may be one of the pod's own fields, which no other pod has. Of variables that are not read, it does not count.
fn may_be_of_the_pod(value: &EnvValue) -> bool {
    match value {
        EnvValue::Literal(text) => text.contains("$("),
        EnvValue::From(from) => from.field_ref.is_some(),
        EnvValue::Withheld { .. } | EnvValue::Unread => false,
    }
}

fn of_a_service(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT")
}

/// True if the reference is optional, and the object or key that it names is known to be absent.
fn leads_nowhere(facts: &Facts, from: &EnvVarSource) -> bool {
    fn lacks<T>(fact: Option<&Fact<T>>, has: impl Fn(&T) -> bool) -> bool {
        match fact {
            Some(Fact::Known(object)) => !has(&object.value),
            Some(Fact::Absent { .. }) => true,
            Some(Fact::Unknown(_)) | None => false,
        }
    }
    let optional = |key: &&KeyRef| key.optional == Some(true);
    let secret = from.secret_key_ref.as_ref().filter(optional);
    let config_map = from.config_map_key_ref.as_ref().filter(optional);
    secret.is_some_and(|key| lacks(facts.secrets.get(&key.name), |secret| secret.keys.contains(&key.key)))
        || config_map.is_some_and(|key| {
            lacks(facts.config_maps.get(&key.name), |config_map| config_map.data.contains_key(&key.key))
        })
}

/// The reference, no longer optional if the key it names is known to be there.
fn settled(facts: &Facts, from: &EnvVarSource) -> EnvVarSource {
    let mut from = from.clone();
    if let Some(key) = &mut from.secret_key_ref
        && let Some(Fact::Known(secret)) = facts.secrets.get(&key.name)
        && secret.value.keys.contains(&key.key)
    {
        key.optional = None;
    }
    from
}

fn resolve_reference(facts: &Facts, from: &EnvVarSource) -> Option<EnvValue> {
    if let Some(key) = &from.config_map_key_ref {
        return facts.config_maps.get(&key.name)?.known()?.value.data.get(&key.key).cloned();
    }
    let field = &from.field_ref.as_ref()?.field_path;
    let (spec, meta, ..) = facts.subject.spec()?;
    let quoted = |prefix: &str| field.strip_prefix(prefix)?.strip_suffix("']");
    let text = match field.as_str() {
        // A template does not know the names of its pods, and a pod does not know its node before it is scheduled.
        "metadata.name" => facts.subject.pod()?.value.metadata.name.clone(),
        "metadata.uid" => facts.subject.pod()?.value.metadata.uid.unjudged().clone(),
        "metadata.namespace" => facts.namespace_name.clone(),
        "spec.serviceAccountName" => facts.service_account_name.clone(),
        "spec.nodeName" if spec.node_name.is_empty() => return None,
        "spec.nodeName" => spec.node_name.unjudged().clone(),
        _ => {
            if let Some(key) = quoted("metadata.labels['") {
                meta.labels.get(key)?.unjudged().clone()
            } else {
                meta.annotations.get(quoted("metadata.annotations['")?)?.unjudged().clone()
            }
        }
    };
    Some(EnvValue::Literal(text))
}

impl Env<'_> {
    /// Adds a variable that something else is going to set.
    pub(super) fn add(&mut self, name: &str, entry: EnvEntry) {
        self.entries.insert(name.to_owned(), entry);
    }
}

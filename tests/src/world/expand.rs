//! From a base and a difference to whole documents.
//!
//! The header names the base; its other fields are a difference to the base's header, of which `about` and `expect` are
//! not inherited. A document with an `apiVersion` is an object that the base does not have; one without says what differs
//! in one that it has:
//!
//! ```yaml
//! base: eks
//! about: the service account of another namespace is trusted
//! without: [ConfigMap/kube-root-ca.crt]
//! expect: {verdict: broken, rootCause: trust-sub-mismatch}
//! ---
//! kind: ServiceAccount                # by kind, name and namespace, as far as they are needed to find it
//! metadata:
//!   name: checkout
//!   annotations: {team: shop}
//! ---
//! kind: PodTemplate                   # in the Deployment, its ReplicaSet, and what the pods were made from
//! spec: {containers: {app: {image: registry.example.com/shop/checkout:2}}}
//! ---
//! kind: Pod                           # a copy with another name and a uid of its own
//! like: checkout-7d9f8b6c5d-x2x4z
//! metadata: {name: checkout-7d9f8b6c5d-k8m2p}
//! ```
//!
//! How a difference is merged stands in [`super::difference`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use serde_json::{Value, json};

use super::difference::apply;
use super::{Document, Header, Problem, file_name, split_documents, template};

/// The documents of a file: of a world that is whole, or once it is.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    pub header: Value,
    /// The line of the header.
    pub line: usize,
    pub documents: Vec<Value>,
    /// The line that each has in the file, or that of the header if it is the base's.
    pub lines: Vec<usize>,
}

/// The bases of this repository.
pub fn bases_dir() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/bases"))
}

/// Reads the documents, and makes them whole if the header names a base, which `base` reads.
pub(super) fn read(text: &str, base: &dyn Fn(&str) -> Result<Stream, String>) -> Result<Stream, Problem> {
    let documents = split_documents(text);
    let Some((first, rest)) = documents.split_first() else {
        return Err(Problem { line: 1, message: "empty; expected a header of kind World".to_owned() });
    };
    let mut header: Value = first.parse()?;
    let at_header = |message| Problem { line: first.line, message };
    let Some(name) = take(&mut header, "base") else {
        // Mistakes in a header that is whole have lines of their own.
        first.parse::<Header>()?;
        return Ok(Stream {
            header,
            line: first.line,
            documents: rest.iter().map(Document::parse).collect::<Result<_, _>>()?,
            lines: rest.iter().map(|document| document.line).collect(),
        });
    };
    let name = name.as_str().ok_or_else(|| at_header("base must be a name".to_owned()))?.to_owned();
    let mut stream = base(&name).map_err(at_header)?;
    stream.line = first.line;
    stream.lines.fill(first.line);
    let without = take(&mut header, "without");
    for field in ["about", "expect"] {
        take(&mut stream.header, field);
    }
    apply(&mut stream.header, header, "").map_err(at_header)?;
    without.map_or(Ok(()), |without| stream.remove(&without)).map_err(at_header)?;
    for document in rest {
        stream.change(document.parse()?, document.line).map_err(|message| Problem {
            line: document.line,
            message: format!("{message} (base {name})"),
        })?;
    }
    Ok(stream)
}

/// A base of this repository. Read once, because most worlds have the same.
pub(super) fn base(name: &str) -> Result<Stream, String> {
    static READ: LazyLock<Mutex<BTreeMap<String, Stream>>> = LazyLock::new(Mutex::default);
    let known = READ.lock().expect("no thread panics while it holds the bases").get(name).cloned();
    if let Some(stream) = known {
        return Ok(stream);
    }
    let stream = from_file(name, &[])?;
    let mut bases = READ.lock().expect("no thread panics while it holds the bases");
    bases.insert(name.to_owned(), stream.clone());
    Ok(stream)
}

fn from_file(name: &str, users: &[&str]) -> Result<Stream, String> {
    if users.contains(&name) {
        return Err(format!("base {name} is a base of itself"));
    }
    let path = bases_dir().join(format!("{name}.yaml"));
    let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("there is no base {name:?}; there are {}", names().join(", "))
        }
        _ => format!("{}: {error}", path.display()),
    })?;
    let users = [users, &[name]].concat();
    read(&text, &|name| from_file(name, &users))
        .map_err(|problem| format!("base {name}:{}: {}", problem.line, problem.message))
}

/// The files of all bases, sorted.
pub fn all_bases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(bases_dir()).into_iter().flatten().flatten();
    let mut bases: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    bases.sort();
    bases
}

fn names() -> Vec<String> {
    all_bases().iter().map(|path| file_name(path).trim_end_matches(".yaml").to_owned()).collect()
}

fn take(map: &mut Value, key: &str) -> Option<Value> {
    map.as_object_mut()?.remove(key)
}

/// Which object is meant, as far as it is said.
struct Address {
    kind: String,
    namespace: Option<String>,
    name: Option<String>,
}

impl Address {
    /// Of a whole object.
    fn of(object: &Value) -> Address {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let metadata = &object["metadata"];
        Address {
            kind: text(&object["kind"]).unwrap_or_default(),
            namespace: text(&metadata["namespace"]),
            name: text(&metadata["name"]).or_else(|| text(&object["account"])),
        }
    }

    /// Takes out of a difference what only says which object is meant.
    fn take(difference: &mut Value) -> Address {
        let address = Address::of(difference);
        take(difference, "kind");
        take(difference, "account");
        if let Some(metadata) = difference.get_mut("metadata") {
            take(metadata, "namespace");
            take(metadata, "name");
            if metadata.as_object().is_some_and(serde_json::Map::is_empty) {
                take(difference, "metadata");
            }
        }
        address
    }

    /// `KIND`, `KIND/NAME` or `KIND/NAMESPACE/NAME`.
    fn parse(text: &str) -> Address {
        let mut parts = text.splitn(3, '/').map(str::to_owned);
        let kind = parts.next().unwrap_or_default();
        let (namespace, name) = match (parts.next(), parts.next()) {
            (namespace, Some(name)) => (namespace, Some(name)),
            (name, None) => (None, name),
        };
        Address { kind, namespace, name }
    }

    fn matches(&self, object: &Value) -> bool {
        let found = Address::of(object);
        let fits = |said: &Option<String>, found: &Option<String>| said.is_none() || said == found;
        found.kind == self.kind && fits(&self.namespace, &found.namespace) && fits(&self.name, &found.name)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind)?;
        [&self.namespace, &self.name].into_iter().flatten().try_for_each(|part| write!(f, "/{part}"))
    }
}

impl Stream {
    fn find(&self, address: &Address) -> Result<usize, String> {
        let is = |(_, object): &(usize, &Value)| address.matches(object);
        let found: Vec<usize> = self.documents.iter().enumerate().filter(is).map(|(at, _)| at).collect();
        match found[..] {
            [at] => Ok(at),
            [] => Err(format!("there is no {address}; an object of the world's own needs its apiVersion")),
            _ => {
                let all: Vec<String> =
                    found.iter().map(|at| Address::of(&self.documents[*at]).to_string()).collect();
                Err(format!("{address} can be {}; say which", all.join(" or ")))
            }
        }
    }

    fn remove(&mut self, without: &Value) -> Result<(), String> {
        let names = without.as_array().filter(|names| !names.is_empty()).ok_or("without must be a list")?;
        for name in names {
            let name = name.as_str().ok_or("without: each must be KIND, KIND/NAME or KIND/NAMESPACE/NAME")?;
            let at = self.find(&Address::parse(name)).map_err(|why| format!("without: {why}"))?;
            self.documents.remove(at);
            self.lines.remove(at);
        }
        Ok(())
    }

    fn change(&mut self, mut document: Value, line: usize) -> Result<(), String> {
        if !document["apiVersion"].is_null() {
            return match document.get("like") {
                Some(_) => Err("an object that is like another has its apiVersion from there".to_owned()),
                None => self.add(document, line),
            };
        }
        if !document["kind"].is_string() {
            return Err("a document without kind".to_owned());
        }
        if document["kind"] == "PodTemplate" {
            take(&mut document, "kind");
            return template::change(&mut self.documents, document)
                .map_err(|why| format!("PodTemplate: {why}"));
        }
        if let Some(model) = take(&mut document, "like") {
            return self.copy(&model, document, line);
        }
        let address = Address::take(&mut document);
        let at = self.find(&address)?;
        apply(&mut self.documents[at], document, "").map_err(|why| format!("{address}: {why}"))?;
        self.lines[at] = line;
        Ok(())
    }

    fn add(&mut self, object: Value, line: usize) -> Result<(), String> {
        let address = Address::of(&object);
        if address.name.is_some() && self.documents.iter().any(|other| address.matches(other)) {
            return Err(format!("{address} is there; to say what differs in it, leave out apiVersion"));
        }
        self.documents.push(object);
        self.lines.push(line);
        Ok(())
    }

    /// An object like another, but for its name, its uid, and what the difference says.
    fn copy(&mut self, model: &Value, difference: Value, line: usize) -> Result<(), String> {
        let address = Address::of(&difference);
        let name = model.as_str().ok_or("like must be a name")?;
        let model = Address { kind: address.kind.clone(), namespace: None, name: Some(name.to_owned()) };
        let mut object = self.documents[self.find(&model)?].clone();
        take(&mut object["metadata"], "uid");
        let mut difference = difference;
        take(&mut difference, "kind");
        apply(&mut object, difference, "").map_err(|why| format!("{address}: {why}"))?;
        self.add(object, line)
    }
}

/// A probe's report may be written as a map, so that a world can say what differs in it. The kubelet keeps its text.
pub(super) fn write_reports(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(terminated) = fields.get_mut("terminated")
                && let Some(report) = take(terminated, "report")
            {
                terminated["message"] = json!(report.to_string());
            }
            fields.values_mut().for_each(write_reports);
        }
        Value::Array(items) => items.iter_mut().for_each(write_reports),
        _ => {}
    }
}

#[cfg(test)]
#[path = "expand_tests.rs"]
mod tests;

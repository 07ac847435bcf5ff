//! World files: a small cluster, what is broken in it, and the diagnosis it must get.
//!
//! The first document is the [`Header`]; all others are Kubernetes objects as `kubectl get -o yaml` prints them, which
//! [`crate::kube_api::FakeKube`] serves, and AWS accounts, which [`crate::aws::FakeAws`] serves. Most worlds name a base and say
//! only what differs in it (`world/expand.rs`). Loading is strict, because a world that does not mean what its author thinks makes a
//! test pass for the wrong reason.

mod difference;
mod expand;
mod fleet;
mod template;

pub use expand::{all_bases, bases_dir};

use crate::aws::account::{Account, IssuerServes, Laptop};
use crate::kube_api::logs::{ContainerLog, containers};
use crate::kube_api::resources::{Resource, by_kind};
use crate::kube_api::revision_of;
use crate::kube_api::rule::{Rule, check_plural};
use crate::kubelet;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// A loaded world.
#[derive(Debug, Clone)]
pub struct World {
    /// File name or whatever the caller named it.
    pub name: String,
    /// The first document.
    pub header: Header,
    /// Everything the API server holds, with the defaults of a server filled in.
    pub objects: Vec<Object>,
    /// The AWS accounts; a world without any has no AWS.
    pub accounts: Vec<Account>,
    /// The documents of the file, made whole; see [`World::stream`].
    documents: Vec<Value>,
}

/// One object of a world.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// What it is an instance of.
    pub resource: &'static Resource,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The object.
    pub value: Value,
}

/// The first document of a world file.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    /// `irsa.test/v1`.
    pub api_version: String,
    /// `World`.
    pub kind: String,
    /// One sentence: what is broken and why.
    pub about: String,
    /// The arguments after `kubectl irsa debug`: what is looked at.
    pub debug: Vec<String>,
    /// Further arguments, so that a world says of them no more than what its base does not.
    #[serde(default)]
    pub options: Vec<String>,
    /// The API server's clock; it stands still.
    #[serde(default = "default_now")]
    pub now: Timestamp,
    /// What RBAC denies.
    #[serde(default)]
    pub deny: Vec<Rule>,
    /// Resources (plural names) and subresources (`pods/ephemeralcontainers`) that the server does not know.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Requests that fail, with the HTTP status of the answer.
    #[serde(default)]
    pub fail: BTreeMap<Rule, u16>,
    /// Requests that are never answered.
    #[serde(default)]
    pub hang: Vec<Rule>,
    /// The user's name in RBAC messages.
    #[serde(default = "default_user")]
    pub user: String,
    /// Overrides `gitVersion` of `/version`.
    #[serde(default)]
    pub server_version: Option<String>,
    /// The service account issuer: discovery and `iss` of tokens.
    #[serde(default = "default_issuer")]
    pub issuer: String,
    /// What containers have logged, by `NAMESPACE/POD/CONTAINER`.
    #[serde(default)]
    pub logs: BTreeMap<String, ContainerLog>,
    /// How the issuer's documents differ from what they should be. An empty value gives a world without AWS accounts
    /// an issuer that can be reached.
    #[serde(default)]
    pub issuer_serves: Option<IssuerServes>,
    /// The clock of AWS, if it differs from the API server's.
    #[serde(default)]
    pub aws_now: Option<Timestamp>,
    /// The way from the user's machine to AWS.
    #[serde(default)]
    pub laptop: Laptop,
    /// What refuses every new pod and every new ephemeral container.
    #[serde(default)]
    pub admission_policy: Option<AdmissionPolicy>,
    /// The nodes of the cluster; without them no container that is added starts.
    #[serde(default)]
    pub kubelet: Option<kubelet::setup::Setup>,
    /// The diagnosis this world must get.
    pub expect: Expect,
}

/// A policy of the cluster, by who enforces it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum AdmissionPolicy {
    /// A ValidatingAdmissionPolicy.
    Validating {
        /// Its name.
        name: String,
        /// The name of its binding.
        binding: String,
        /// What it says.
        message: String,
    },
    /// A validating webhook, such as Kyverno's.
    Webhook {
        /// Its name in the registration.
        webhook: String,
        /// What it says.
        message: String,
    },
}

/// The diagnosis a world must get.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Said")]
pub struct Expect {
    /// Exit code; need not be said where there is a verdict.
    pub exit: u8,
    /// Verdict; none when there is no diagnosis (exit 2).
    pub verdict: Option<String>,
    /// Id of the root cause, null for none.
    pub root_cause: Option<String>,
    /// Every id with an error finding, sorted, each once; by default the root cause.
    pub errors: Vec<String>,
    /// Every id with a warning finding, sorted, each once.
    pub warnings: Vec<String>,
    /// Substrings that must occur in some `unknowns[].grant`.
    pub unknowns: Vec<String>,
}

/// [`Expect`] as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Said {
    exit: Option<u8>,
    verdict: Option<String>,
    root_cause: Option<String>,
    errors: Option<Vec<String>>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    unknowns: Vec<String>,
}

impl From<Said> for Expect {
    fn from(said: Said) -> Self {
        let of_verdict =
            VERDICTS.iter().find(|(name, _)| said.verdict.as_deref() == Some(*name)).map(|(_, exit)| *exit);
        Expect {
            exit: said.exit.or(of_verdict).unwrap_or_default(),
            errors: said.errors.unwrap_or_else(|| said.root_cause.iter().cloned().collect()),
            verdict: said.verdict,
            root_cause: said.root_cause,
            warnings: said.warnings,
            unknowns: said.unknowns,
        }
    }
}

/// `2026-11-22T08:00:00Z`, an hour after the recordings were made.
fn default_now() -> Timestamp {
    Timestamp::constant(1_795_334_400, 0)
}

fn default_user() -> String {
    "oncall".to_owned()
}

/// The issuer of the worlds' cluster.
fn default_issuer() -> String {
    "https://oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3".to_owned()
}

/// Creation time of objects that do not say: two days before [`default_now`].
const DEFAULT_CREATION: &str = "2026-11-20T00:00:00Z";

/// Why a world file could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldError {
    /// The file (or the name given to [`World::parse`]).
    pub file: String,
    /// Line in the file, counted from 1, where there is one.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for WorldError {}

/// A problem before the file name is known to the function that found it.
struct Problem {
    line: usize,
    message: String,
}

impl World {
    /// Loads a world file.
    pub fn load(path: &Path) -> Result<World, WorldError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| WorldError {
            file: name.clone(),
            line: None,
            message: format!("cannot be read: {error}"),
        })?;
        World::parse(&name, &text)
    }

    /// Parses the text of a world; `name` is for error messages.
    pub fn parse(name: &str, text: &str) -> Result<World, WorldError> {
        read(name, text).map_err(|problem| WorldError {
            file: name.to_owned(),
            line: Some(problem.line),
            message: problem.message,
        })
    }
}

fn read(name: &str, text: &str) -> Result<World, Problem> {
    let mut stream = expand::read(text, &expand::base)?;
    stream.documents.iter_mut().for_each(expand::write_reports);
    let at_header = |message| Problem { line: stream.line, message };
    let header: Header = from_value(&stream.header).map_err(at_header)?;
    header.check().map_err(at_header)?;
    let mut world = World {
        name: name.to_owned(),
        header,
        objects: Vec::new(),
        accounts: Vec::new(),
        documents: std::iter::once(&stream.header).chain(&stream.documents).cloned().collect(),
    };
    let mut seen = BTreeSet::new();
    for (value, line) in stream.documents.into_iter().zip(stream.lines) {
        let added = match is_account(&value) {
            true => from_value(&value).and_then(|account| world.add_account(account)),
            false => world.add(value, &mut seen),
        };
        added.map_err(|message| Problem { line, message })?;
    }
    world.complete();
    world.check_logs().map_err(at_header)?;
    Ok(world)
}

fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| error.to_string())
}

/// A document of the stream and the line where it starts.
struct Document<'t> {
    text: &'t str,
    line: usize,
}

/// Splits at lines that are `---`, so that each document can be read as a type of its own and errors can name lines
/// of the file. Documents that hold nothing but comments are dropped.
fn split_documents(text: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim_end();
        if bare == "---" || bare.starts_with("--- #") {
            documents.push(Document { text: &text[start..at], line: start_line });
            start = at + line.len();
            start_line = index + 2;
        }
        at += line.len();
    }
    documents.push(Document { text: &text[start..], line: start_line });
    documents.retain(|d| d.text.lines().any(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#')));
    documents
}

impl Document<'_> {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        // When it fails, once more with the lines before it, so that the message has the line numbers of the file.
        let padded = || "\n".repeat(self.line - 1) + self.text;
        parse_yaml(self.text).or_else(|_| parse_yaml(&padded())).map_err(|error| {
            let line = error.location().and_then(|l| usize::try_from(l.line()).ok()).filter(|line| *line > 0);
            Problem { line: line.unwrap_or(self.line), message: error.to_string() }
        })
    }
}

/// No budget: worlds of thousands of pods are ours. Strict booleans: in YAML 1.2 `yes` is a word.
fn parse_yaml<T: DeserializeOwned>(text: &str) -> Result<T, serde_saphyr::Error> {
    let options = serde_saphyr::options! { budget: None, with_snippet: false, strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options)
}

const VERDICTS: &[(&str, u8)] =
    &[("healthy", 0), ("not-configured", 0), ("broken", 1), ("degraded", 1), ("inconclusive", 3)];

impl Header {
    fn check(&self) -> Result<(), String> {
        if (self.api_version.as_str(), self.kind.as_str()) != ("irsa.test/v1", "World") {
            return Err("the first document must be apiVersion irsa.test/v1, kind World".to_owned());
        }
        for name in &self.missing {
            check_plural(name.split('/').next().unwrap_or_default())
                .map_err(|why| format!("missing: {why}"))?;
        }
        if let Some((rule, code)) = self.fail.iter().find(|(_, code)| !(400..600).contains(*code)) {
            return Err(format!("fail: {rule}: {code} is not the status of an error (400 to 599)"));
        }
        self.expect.check().map_err(|why| format!("expect: {why}"))
    }
}

impl Expect {
    /// Contradictions that could only be the author's mistake.
    fn check(&self) -> Result<(), String> {
        match self.verdict.as_deref() {
            None if self.exit == 2 => {}
            None => return Err("verdict is missing (only exit 2 has none)".to_owned()),
            Some(verdict) => match VERDICTS.iter().find(|(name, _)| *name == verdict) {
                None => return Err(format!("unknown verdict {verdict:?}")),
                Some((_, exit)) if *exit != self.exit => {
                    return Err(format!("verdict {verdict} has exit code {exit}, not {}", self.exit));
                }
                Some(_) => {}
            },
        }
        for (field, ids) in [("errors", &self.errors), ("warnings", &self.warnings)] {
            if !ids.is_sorted_by(|a, b| a < b) {
                return Err(format!("{field} must be sorted and name each id once"));
            }
        }
        match &self.root_cause {
            // What fails for some clients is the cause of a degraded target, and a warning.
            Some(id) if self.verdict.as_deref() == Some("degraded") && self.warnings.contains(id) => Ok(()),
            Some(id) if !self.errors.contains(id) => Err(format!("rootCause {id} is not among the errors")),
            _ => Ok(()),
        }
    }
}

fn is_account(value: &Value) -> bool {
    value["apiVersion"] == "irsa.test/v1" && value["kind"] == "AwsAccount"
}

/// The items of a `List` (also of `PodList` and the like), or the object itself.
fn flatten(value: Value) -> Result<Vec<Value>, String> {
    let kind = value["kind"].as_str().unwrap_or_default();
    let item_kind = kind.strip_suffix("List").unwrap_or_default().to_owned();
    if !kind.ends_with("List") {
        return Ok(vec![value]);
    }
    let api_version = value["apiVersion"].clone();
    let Value::Array(mut items) = value["items"].clone() else {
        return Err(format!("{kind} without items"));
    };
    for item in items.iter_mut().filter(|i| !item_kind.is_empty() && i["kind"].is_null()) {
        item["kind"] = json!(item_kind);
        item["apiVersion"] = api_version.clone();
    }
    Ok(items)
}

impl Object {
    pub(crate) fn new(mut value: Value) -> Result<Object, String> {
        let text = |key: &str| {
            value[key].as_str().map(str::to_owned).ok_or_else(|| format!("an object without {key}"))
        };
        let (api_version, kind) = (text("apiVersion")?, text("kind")?);
        let resource = by_kind(&api_version, &kind).ok_or_else(|| {
            format!("the fake API server does not serve {api_version} {kind} (see resources.rs)")
        })?;
        let name = value["metadata"]["name"].as_str().map(str::to_owned);
        let name = name.ok_or_else(|| format!("{kind} without metadata.name"))?;
        check_strings(&value, "").map_err(|why| format!("{kind} {name}: {why}"))?;
        let namespace = set_namespace(&mut value, resource).map_err(|why| format!("{kind} {name}: {why}"))?;
        let uid = uid_of(&format!("{}/{}/{namespace}/{name}", resource.group, resource.kind));
        let metadata = &mut value["metadata"];
        default(metadata, "uid", json!(uid));
        default(metadata, "creationTimestamp", json!(DEFAULT_CREATION));
        Ok(Object { resource, namespace, name, value })
    }

    fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// What makes it unique; sorted by it, objects come in the order of their etcd keys.
    pub(crate) fn identity(&self) -> (String, String) {
        (self.resource.qualified(), self.key())
    }
}

fn set_namespace(value: &mut Value, resource: &Resource) -> Result<String, String> {
    let given = value["metadata"]["namespace"].as_str().map(str::to_owned);
    match given {
        Some(namespace) if !resource.namespaced => {
            Err(format!("is not namespaced, but metadata.namespace is {namespace:?}"))
        }
        Some(namespace) => Ok(namespace),
        None if resource.namespaced => {
            value["metadata"]["namespace"] = json!("default");
            Ok("default".to_owned())
        }
        None => Ok(String::new()),
    }
}

fn default(metadata: &mut Value, key: &str, value: Value) {
    if metadata[key].is_null() {
        metadata[key] = value;
    }
}

/// A uid that stays the same from run to run, so that snapshots do not change.
pub fn uid_of(what: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, what.as_bytes());
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// Values that a real server refuses when they are numbers or booleans: `"true"` without its quotes is the classic
/// mistake in hand-written YAML.
fn check_strings(value: &Value, path: &str) -> Result<(), String> {
    match value {
        Value::Object(fields) => fields.iter().try_for_each(|(key, field)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match key.as_str() {
                "fieldsV1" => Ok(()),
                "annotations" | "labels" | "matchLabels" | "nodeSelector" | "data" => check_map(field, &path),
                _ => check_strings(field, &path),
            }
        }),
        Value::Array(items) => {
            let env = path.ends_with(".env");
            items.iter().enumerate().try_for_each(|(index, item)| {
                let path = format!("{path}[{index}]");
                if env && !is_text(&item["value"]) {
                    return Err(format!("{path}.value must be a string"));
                }
                check_strings(item, &path)
            })
        }
        _ => Ok(()),
    }
}

fn check_map(map: &Value, path: &str) -> Result<(), String> {
    let Some(fields) = map.as_object() else { return Ok(()) };
    match fields.iter().find(|(_, value)| !is_text(value)) {
        Some((key, value)) => Err(format!("{path}.{key} must be a string, but is {value}: quote it")),
        None => Ok(()),
    }
}

fn is_text(value: &Value) -> bool {
    value.is_string() || value.is_null()
}

impl World {
    /// Adds objects made by code, e.g. a thousand pods for a benchmark.
    pub fn extend(&mut self, values: impl IntoIterator<Item = Value>) -> Result<(), String> {
        let mut seen = self.objects.iter().map(Object::identity).collect();
        values.into_iter().try_for_each(|value| self.add(value, &mut seen))?;
        self.complete();
        Ok(())
    }

    fn add(&mut self, value: Value, seen: &mut BTreeSet<(String, String)>) -> Result<(), String> {
        for item in flatten(value)? {
            let object = Object::new(item)?;
            if !seen.insert(object.identity()) {
                return Err(format!("{} {} occurs twice", object.resource.kind, object.key()));
            }
            self.objects.push(object);
        }
        Ok(())
    }

    fn add_account(&mut self, account: Account) -> Result<(), String> {
        account.check().map_err(|why| format!("AwsAccount {}: {why}", account.account))?;
        if self.accounts.iter().any(|other| other.account == account.account) {
            return Err(format!("AwsAccount {} occurs twice", account.account));
        }
        self.accounts.push(account);
        Ok(())
    }

    /// A log of no container would never be read.
    fn check_logs(&self) -> Result<(), String> {
        self.header.logs.iter().try_for_each(|(key, log)| {
            log.check().map_err(|why| format!("logs: {key}: {why}"))?;
            let mut names = key.split('/');
            let mut name = || names.next().unwrap_or_default();
            let (namespace, pod, container) = (name(), name(), name());
            let pod = self.object("Pod", namespace, pod);
            match pod.is_some_and(|pod| containers(pod).any(|name| name == container)) {
                true => Ok(()),
                false => Err(format!("logs: there is no container {key} (NAMESPACE/POD/CONTAINER)")),
            }
        })
    }

    fn complete(&mut self) {
        self.add_namespaces();
        self.objects.sort_by_cached_key(Object::identity);
        self.number_objects();
    }

    /// On a real server nothing exists in a namespace that does not exist, so worlds need not spell them out.
    fn add_namespaces(&mut self) {
        let is_namespace = |o: &&Object| o.resource.kind == "Namespace";
        let declared: BTreeSet<String> =
            self.objects.iter().filter(is_namespace).map(|o| o.name.clone()).collect();
        let used: BTreeSet<String> =
            self.objects.iter().map(|o| o.namespace.clone()).filter(|n| !n.is_empty()).collect();
        let implied = used.difference(&declared).filter_map(|name| {
            let metadata = json!({ "name": name, "labels": { "kubernetes.io/metadata.name": name } });
            Object::new(json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": metadata,
                "spec": { "finalizers": ["kubernetes"] }, "status": { "phase": "Active" },
            }))
            .ok()
        });
        self.objects.extend(implied);
    }

    /// Gives every object without one a resourceVersion of its own, later than all that are given.
    fn number_objects(&mut self) {
        let given = self.objects.iter().map(|o| revision_of(&o.value)).max().unwrap_or_default();
        let mut next = given.max(999);
        for object in &mut self.objects {
            let metadata = &mut object.value["metadata"];
            if metadata["resourceVersion"].is_null() {
                next += 1;
                metadata["resourceVersion"] = json!(next.to_string());
            }
        }
    }

    /// All documents as a stream of YAML: what `--from` reads.
    pub fn stream(&self) -> String {
        let texts = self.documents.iter().map(|document| {
            serde_saphyr::to_string(document).expect("a value that was read as YAML can be written as YAML")
        });
        texts.collect::<Vec<_>>().join("---\n")
    }

    /// The arguments after `kubectl irsa debug`.
    pub fn arguments(&self) -> impl Iterator<Item = &String> {
        self.header.debug.iter().chain(&self.header.options)
    }

    /// Whether anything of AWS can be reached.
    pub fn has_aws(&self) -> bool {
        !self.accounts.is_empty() || self.header.issuer_serves.is_some()
    }

    /// The object of this kind, if the world has it.
    pub fn object(&self, kind: &str, namespace: &str, name: &str) -> Option<&Value> {
        let is = |o: &&Object| o.resource.kind == kind && o.namespace == namespace && o.name == name;
        self.objects.iter().find(is).map(|o| &o.value)
    }
}

/// Whether a world shows the fault or what must not be mistaken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// `broken.NAME.yaml`
    Broken,
    /// `fine.NAME.yaml`
    Fine,
}

/// Where a world file lies and what its name says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorldFile {
    /// The folder: a check id.
    pub check: String,
    /// First part of the file name.
    pub case: Case,
    /// Second part of the file name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

impl WorldFile {
    /// `CHECK/CASE.NAME`, as the file is named.
    pub fn label(&self) -> String {
        format!("{}/{}", self.check, self.path.file_stem().unwrap_or_default().to_string_lossy())
    }
}

/// The worlds of this repository.
pub fn worlds_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("worlds")
}

/// Every world under `dir`, as `CHECK-ID/{broken,fine}.NAME.yaml`, sorted. Any other name is an error, because it would be a
/// test that never runs.
pub fn all_worlds(dir: &Path) -> Result<Vec<WorldFile>, WorldError> {
    let mut worlds = Vec::new();
    for folder in entries(dir)? {
        let check = file_name(&folder);
        for path in entries(&folder)? {
            worlds.push(world_file(&check, path)?);
        }
    }
    worlds.sort();
    Ok(worlds)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, WorldError> {
    let list = std::fs::read_dir(dir).and_then(|found| found.map(|e| e.map(|e| e.path())).collect());
    list.map_err(|error: std::io::Error| WorldError {
        file: dir.display().to_string(),
        line: None,
        message: format!("cannot be listed: {error}"),
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn world_file(check: &str, path: PathBuf) -> Result<WorldFile, WorldError> {
    let name = file_name(&path);
    let stem = name.strip_suffix(".yaml").unwrap_or_default();
    let (case, name) = match stem.split_once('.') {
        Some(("broken", name)) if !name.is_empty() => (Case::Broken, name.to_owned()),
        Some(("fine", name)) if !name.is_empty() => (Case::Fine, name.to_owned()),
        _ => {
            let message = "must be named broken.NAME.yaml or fine.NAME.yaml".to_owned();
            return Err(WorldError { file: path.display().to_string(), line: None, message });
        }
    };
    Ok(WorldFile { check: check.to_owned(), case, name, path })
}

#[cfg(test)]
#[path = "world_tests.rs"]
mod tests;

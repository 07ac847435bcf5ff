//! Kubernetes objects and answers of AWS from the user's files (`--from`), each field with its line and column.
//!
//! Documents come from memory: the caller has read the bytes. They may contain anything, and only part of the whole: kinds that
//! no check reads are ignored, and what they do not contain is unknown, never absent. Of a Secret only the keys are kept; its
//! values are dropped as soon as its document was read, and no message ever repeats a value.

mod answers;
mod aws;
pub mod log;
pub mod report;
mod shape;
mod store;
#[cfg(test)]
mod tests;
pub mod trail;
pub(crate) mod yaml;

use std::fmt;

use jiff::Timestamp;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::facts::{Position, Source, Sourced};
use crate::policy::Json;
use crate::text::safe;
use answers::Reply;
use shape::Misfit;
pub use store::Store;
use yaml::{At, Content, Flaw, Node, Piece};

/// API version of our own documents.
pub(crate) const OURS: &str = "irsa/v1";
/// The kind of the document that a bundle holds beside the objects.
pub(crate) const KIND: &str = "Facts";

/// Why a document cannot be used.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// It starts like UTF-16, but is not valid.
    #[error("{file} is damaged UTF-16 text; expected UTF-8 (in PowerShell: `| Out-File -Encoding utf8`)")]
    Utf16 {
        /// The path.
        file: String,
    },
    /// Not UTF-8.
    #[error("{place}: this is not UTF-8 text")]
    NotText {
        /// The first byte that is wrong.
        place: Place,
    },
    /// Neither YAML nor JSON, or YAML that Kubernetes does not accept.
    #[error("{place}: {}", safe::line(reason))]
    Malformed {
        /// Where.
        place: Place,
        /// The parser's reason.
        reason: String,
    },
    /// A document that is not an object.
    #[error(
        "{place}: document {document} is {found}; expected a Kubernetes object with `apiVersion` and `kind`, \
         as `kubectl get -o yaml` prints it"
    )]
    NotAnObject {
        /// Where it stands.
        place: Place,
        /// Its number, from 1.
        document: usize,
        /// `a list`, …
        found: &'static str,
    },
    /// What the AWS CLI prints for people.
    #[error(
        "{place}: this is what the AWS CLI prints with `--output {form}`; save it again with `--output json`"
    )]
    Form {
        /// Where it stands.
        place: Place,
        /// `table` or `text`.
        form: &'static str,
    },
    /// Only one value of what AWS answered.
    #[error(
        "{place}: this is one value of an answer; save all of it: `{command} --output json`, without `--query`"
    )]
    Part {
        /// Where it stands.
        place: Place,
        /// The command that prints all of it.
        command: &'static str,
    },
    /// Text that a template engine makes an object of.
    #[error("{place}: this is a template; save what `helm template` makes of it")]
    Template {
        /// Where it stands.
        place: Place,
    },
    /// An answer of AWS that no check reads.
    #[error("{place}: this is {what}")]
    Unused {
        /// Where it stands.
        place: Place,
        /// What it is.
        what: &'static str,
    },
    /// A mapping without `kind`.
    #[error(
        "{place}: this mapping in document {document} has no `kind`; expected a Kubernetes object with `apiVersion` \
         and `kind`, as `kubectl get -o yaml` prints it"
    )]
    NoKind {
        /// Where it stands.
        place: Place,
        /// The number of its document, from 1.
        document: usize,
    },
    /// A field that Kubernetes would reject.
    #[error("{place}: {}: {} {words}", safe::line(object), safe::line(path))]
    Field {
        /// Where the value stands.
        place: Place,
        /// `serviceaccount/checkout`.
        object: String,
        /// The field: `.metadata.annotations["…"]`.
        path: String,
        /// What is wrong with it.
        words: String,
    },
    /// A Secret of the wrong shape. The place within it is not named: what is in the wrong place may be a value.
    #[error("{place}: {} does not have the shape of a Secret", safe::line(object))]
    Secret {
        /// Where the Secret starts.
        place: Place,
        /// `secret/aws`.
        object: String,
    },
}

impl DocumentError {
    /// In a few words: `values.yaml:1:1: no kind`.
    pub fn in_short(&self) -> String {
        match self {
            Self::Malformed { place, .. } | Self::Template { place } => format!("{place}: a template"),
            Self::NotAnObject { place, found, .. } => format!("{place}: {found}, not an object"),
            Self::NoKind { place, .. } => format!("{place}: no kind"),
            Self::NotText { place } => format!("{place}: not UTF-8"),
            Self::Unused { place, what } => format!("{place}: {what}"),
            other => other.to_string(),
        }
    }
}

/// What was in a file.
#[derive(Debug, Default)]
pub struct Contents {
    /// How many of its documents were taken.
    pub documents: usize,
    /// What was passed over, and why.
    pub skipped: Vec<DocumentError>,
}

impl Contents {
    /// Adds what was in another file.
    pub fn extend(&mut self, other: Self) {
        self.documents += other.documents;
        self.skipped.extend(other.skipped);
    }
}

/// How a file came to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    ByName,
    ByDirectory,
}

/// A place in a file, as editors and terminals understand it: `path:line:column`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path as given, or `stdin`.
    pub file: String,
    /// Line and column.
    pub position: Position,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.position.line, self.position.column)
    }
}

impl Store {
    /// Adds the objects of a file that the user named, given as its bytes. If an object occurs twice, the later one counts.
    ///
    /// # Errors
    /// The first thing that is not text or that Kubernetes would not accept.
    pub fn read(&mut self, file: &str, bytes: Vec<u8>) -> Result<Contents, DocumentError> {
        self.add(file, &Zeroizing::new(text(bytes, file)?), Given::ByName)
    }

    /// The same for a file that was found in a directory: what is of another kind of file is passed over.
    ///
    /// # Errors
    /// The first object that Kubernetes would not accept.
    pub fn read_found(&mut self, file: &str, bytes: Vec<u8>) -> Result<Contents, DocumentError> {
        match text(bytes, file) {
            Ok(text) => self.add(file, &Zeroizing::new(text), Given::ByDirectory),
            Err(error) => Ok(Contents { documents: 0, skipped: vec![error] }),
        }
    }

    /// Sets the current time (`--at`); by default it is the documents' own `observedAt`.
    pub fn set_clock(&mut self, value: Timestamp) {
        self.clock = Some(Sourced { value, source: file_source("--at", 1, "time", &Node::nowhere()) });
        self.is_clock_given = true;
    }

    /// Adds the objects of one file.
    fn add(&mut self, file: &str, text: &str, given: Given) -> Result<Contents, DocumentError> {
        // A policy document as the IAM API sends it. To YAML, `%` begins a directive.
        let quoted = text.trim_start().starts_with("%7B").then(|| Json::text(text.trim()).line());
        let text = quoted.as_deref().unwrap_or(text);
        let mut reading = Reading {
            store: self,
            file,
            text,
            given,
            document: 1,
            contents: Contents::default(),
            items: Items::default(),
        };
        let outcome = yaml::documents(text, |piece| reading.take(piece));
        let mut contents = reading.contents;
        match outcome {
            Ok(()) => {}
            Err(Stopped::Error(error)) => return Err(error),
            Err(flaw) => pass_over(flaw.of_file(file), text, given, false, &mut contents.skipped)?,
        }
        Ok(contents)
    }
}

/// A file while it is read.
struct Reading<'r> {
    store: &'r mut Store,
    file: &'r str,
    text: &'r str,
    given: Given,
    /// The number of the document that is being read.
    document: usize,
    contents: Contents,
    items: Items,
}

/// The items of a list before it is known to be one: `kubectl` prints its `kind` behind them.
#[derive(Default)]
struct Items {
    store: Store,
    skipped: Vec<DocumentError>,
    /// The first that cannot be used; those behind it are not read.
    error: Option<DocumentError>,
    /// Those that do not say what they are, where the list has not said it yet.
    waiting: Vec<Node>,
}

impl Reading<'_> {
    fn take(&mut self, piece: Piece<'_>) -> Result<(), Stopped> {
        match piece {
            Piece::Item(node, before) => {
                self.item(node, before);
                Ok(())
            }
            Piece::Document(mut node) => {
                let taken = self.document(&node);
                node.wipe();
                taken
            }
        }
    }

    fn item(&mut self, mut node: Node, before: &[yaml::Entry]) {
        if self.items.error.is_some() {
            return;
        }
        let text = |key: &str| {
            let entry = before.iter().find(|entry| entry.key == key)?;
            match entry.value.content() {
                Content::Text(text) => Some(text.as_str()),
                _ => None,
            }
        };
        let kind = text("kind").and_then(|kind| kind.strip_suffix("List"));
        if kind.is_none() && node.get("kind").is_none() {
            self.items.waiting.push(node);
            return;
        }
        let inherited = Inherited::by_list(kind.unwrap_or_default(), text("apiVersion"));
        let Items { store, skipped, error, .. } = &mut self.items;
        let mut none = Items::default();
        let mut taker = Taker { store, file: self.file, document: self.document, skipped, items: &mut none };
        *error = taker.take(&node, &inherited).err();
        node.wipe();
    }

    fn document(&mut self, node: &Node) -> Result<(), Stopped> {
        let (document, mut items) = (self.document, std::mem::take(&mut self.items));
        self.document += 1;
        if matches!(node.content(), Content::Null) {
            return Ok(());
        }
        let skipped = &mut self.contents.skipped;
        if self.given == Given::ByDirectory && is_template(node) {
            let place = Place { file: self.file.to_owned(), position: node.at };
            skipped.push(DocumentError::Template { place });
            return Ok(());
        }
        let mut taker = Taker { store: self.store, file: self.file, document, skipped, items: &mut items };
        match taker.take(node, &Inherited::default()) {
            Ok(()) => self.contents.documents += 1,
            Err(error) => pass_over(error, self.text, self.given, node.text("kind").is_some(), skipped)?,
        }
        Ok(())
    }
}

/// True for an object that Helm has yet to fill in. One that came from a cluster may hold another program's templates, and so may
/// what a ConfigMap contains.
pub(crate) fn is_template(node: &Node) -> bool {
    let lives = node.get("metadata").is_some_and(|meta| meta.get("uid").is_some());
    let marks = [".Values.", ".Release.", ".Chart.", "include \""];
    let is_open = |text: &str| text.contains("{{") && marks.iter().any(|mark| text.contains(mark));
    !lives && ["metadata", "spec"].iter().filter_map(|key| node.get(key)).any(|part| part.any_text(&is_open))
}

/// Passes over what is of another kind of file, in a directory.
///
/// # Errors
/// It is not, or the file was named.
fn pass_over(
    error: DocumentError,
    text: &str,
    given: Given,
    is_object: bool,
    skipped: &mut Vec<DocumentError>,
) -> Result<(), DocumentError> {
    let error = match (error, answers::form(text)) {
        (
            DocumentError::NotAnObject { mut place, .. }
            | DocumentError::NoKind { mut place, .. }
            | DocumentError::Malformed { mut place, .. },
            Some((form, line)),
        ) => {
            place.position = Position { line, column: 1 };
            return Err(DocumentError::Form { place, form });
        }
        (error, _) => error,
    };
    let foreign = match error {
        DocumentError::NotAnObject { .. } | DocumentError::NoKind { .. } => !is_object,
        DocumentError::Malformed { .. } => text.contains("{{"),
        _ => false,
    };
    if given == Given::ByName || !foreign {
        return Err(error);
    }
    skipped.push(error);
    Ok(())
}

/// What stops the reading of a file.
enum Stopped {
    Flaw(At<Flaw>),
    Error(DocumentError),
}

impl Stopped {
    fn of_file(self, file: &str) -> DocumentError {
        match self {
            Self::Flaw((position, flaw)) => DocumentError::Malformed {
                place: Place { file: file.to_owned(), position },
                reason: flaw.to_string(),
            },
            Self::Error(error) => error,
        }
    }
}

impl From<At<Flaw>> for Stopped {
    fn from(flaw: At<Flaw>) -> Self {
        Self::Flaw(flaw)
    }
}

impl From<DocumentError> for Stopped {
    fn from(error: DocumentError) -> Self {
        Self::Error(error)
    }
}

/// What the items of a typed list omit: a `PodList` contains pods.
#[derive(Default)]
struct Inherited<'n> {
    kind: Option<&'n str>,
    api_version: Option<&'n str>,
}

impl<'n> Inherited<'n> {
    /// Of a list of this kind. The items of `List` name their own API version; `v1` is that of the list.
    fn by_list(kind: &'n str, api_version: Option<&'n str>) -> Self {
        if kind.is_empty() { Self::default() } else { Self { kind: Some(kind), api_version } }
    }
}

/// Takes the objects out of one document.
struct Taker<'s> {
    store: &'s mut Store,
    file: &'s str,
    document: usize,
    skipped: &'s mut Vec<DocumentError>,
    /// The document's items that were read before.
    items: &'s mut Items,
}

impl Taker<'_> {
    fn take(&mut self, node: &Node, inherited: &Inherited<'_>) -> Result<(), DocumentError> {
        if !matches!(node.content(), Content::Map(_)) {
            return self.without_kind(node);
        }
        let kind = self.text(node, "kind")?.or(inherited.kind);
        let api_version = self.text(node, "apiVersion")?.or(inherited.api_version);
        if api_version == Some(OURS) {
            if kind == Some("AwsAnswer") {
                let read = answers::enveloped(node, self.file, self.document);
                let answer = read.map_err(|misfit| self.misfit(node, "AwsAnswer", &misfit))?;
                self.store.answers.extend(answer.filter(|answer| !matches!(answer.said, Reply::Unused(_))));
            }
            if kind == Some(KIND) {
                let value = shape::read(node).map_err(|misfit| self.misfit(node, KIND, &misfit))?;
                self.store.bundles.push(store::Bundled { place: self.place(node.at), value });
            }
            return self.observed_at(node);
        }
        let Some(kind) = kind else {
            return self.without_kind(node);
        };
        if let Some(item_kind) = kind.strip_suffix("List") {
            let inherited = Inherited::by_list(item_kind, api_version);
            if let Some(items) = node.get("items") {
                let read = std::mem::take(self.items);
                self.store.absorb(read.store);
                self.skipped.extend(read.skipped);
                read.error.map_or(Ok(()), Err)?;
                for mut item in read.waiting {
                    let taken = self.take(&item, &inherited);
                    item.wipe();
                    taken?;
                }
                return self.items(items, kind, &inherited);
            }
        }
        let group = api_version.map(|version| version.split_once('/').map_or("", |(group, _)| group));
        let Some(reader) = store::reader(kind, group) else { return Ok(()) };
        let held =
            reader(node, self.file, self.document).map_err(|misfit| self.misfit(node, kind, &misfit))?;
        self.store.put(held);
        Ok(())
    }

    fn items(&mut self, items: &Node, kind: &str, inherited: &Inherited<'_>) -> Result<(), DocumentError> {
        match items.content() {
            Content::Null => Ok(()),
            Content::List(items) => items.iter().try_for_each(|item| self.take(item, inherited)),
            _ => Err(DocumentError::Field {
                place: self.place(items.at),
                object: kind.to_owned(),
                path: String::from(".items"),
                words: format!("is {}; Kubernetes requires a list", items.word()),
            }),
        }
    }

    /// `kind` or `apiVersion`, if it is there.
    fn text<'n>(&self, node: &'n Node, key: &str) -> Result<Option<&'n str>, DocumentError> {
        let Some(value) = node.get(key) else { return Ok(None) };
        match value.content() {
            Content::Null => Ok(None),
            Content::Text(text) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            _ => Err(DocumentError::Field {
                place: self.place(value.at),
                object: format!("document {}", self.document),
                path: format!(".{key}"),
                words: format!("is {}; Kubernetes requires a string", value.word()),
            }),
        }
    }

    /// The time at which one of our own documents was written.
    fn observed_at(&mut self, node: &Node) -> Result<(), DocumentError> {
        let Some(written) = node.get("observedAt") else { return Ok(()) };
        let time: Option<Timestamp> = shape::read(written).map_err(|misfit| DocumentError::Field {
            place: self.place(written.at),
            object: format!("document {}", self.document),
            path: String::from(".observedAt"),
            words: misfit.words,
        })?;
        // The latest: nothing in the files is newer than that.
        if let Some(value) = time
            && !self.store.is_clock_given
            && self.store.clock.as_ref().is_none_or(|known| known.value < value)
        {
            let source = file_source(self.file, self.document, "time", node).at(".observedAt");
            self.store.clock = Some(Sourced { value, source });
        }
        Ok(())
    }

    /// Documents without a kind: the output of `kubectl version -o json`, of `GET /version`, and of the AWS CLI.
    fn without_kind(&mut self, node: &Node) -> Result<(), DocumentError> {
        let server = node.get("serverVersion").or_else(|| node.get("major").and(Some(node)));
        if let Some(server) = server.filter(|server| server.get("gitVersion").is_some()) {
            let value = shape::read(server).map_err(|misfit| self.misfit(server, "version", &misfit))?;
            let source = file_source(self.file, self.document, "version", server);
            self.store.version = Some(Sourced { value, source });
            return Ok(());
        }
        if node.get("clientVersion").is_some() {
            return Ok(());
        }
        let place = self.place(node.at);
        if let Some(answer) = answers::as_printed(node, self.file, self.document) {
            let answer = answer.map_err(|misfit| self.misfit(node, "AWS answer", &misfit))?;
            if let Reply::Unused(what) = answer.said {
                self.skipped.push(DocumentError::Unused { place, what });
            } else {
                self.store.answers.push(answer);
            }
            return Ok(());
        }
        // Pages, one after the other: `--output yaml-stream`.
        if let Content::List(pages) = node.content()
            && !pages.is_empty()
            && pages.iter().all(|page| answers::as_printed(page, self.file, self.document).is_some())
        {
            return pages.iter().try_for_each(|page| self.without_kind(page));
        }
        if let Some(command) = answers::part_of(node) {
            return Err(DocumentError::Part { place, command });
        }
        let document = self.document;
        Err(match node.content() {
            Content::Map(_) => DocumentError::NoKind { place, document },
            _ => DocumentError::NotAnObject { place, document, found: node.word() },
        })
    }

    fn misfit(&self, node: &Node, kind: &str, misfit: &Misfit) -> DocumentError {
        misfit_of(self.file, node, kind, misfit)
    }

    fn place(&self, position: Position) -> Place {
        Place { file: self.file.to_owned(), position }
    }
}

/// What is said of an object that does not have the shape of its kind.
fn misfit_of(file: &str, node: &Node, kind: &str, misfit: &Misfit) -> DocumentError {
    let place = |position| Place { file: file.to_owned(), position };
    let name = node.get("metadata").and_then(|meta| meta.text("name"));
    let kind = kind.to_ascii_lowercase();
    let object = name.map_or_else(|| kind.clone(), |name| format!("{kind}/{name}"));
    if kind == "secret" {
        return DocumentError::Secret { place: place(node.at), object };
    }
    DocumentError::Field {
        place: place(misfit.at.unwrap_or(node.at)),
        object,
        path: misfit.path(),
        words: misfit.words.clone(),
    }
}

/// Where an object was read, with the positions of its fields.
fn file_source(file: &str, document: usize, object: &str, node: &Node) -> Source {
    Source::File {
        file: file.to_owned(),
        document,
        object: object.to_owned(),
        field: String::new(),
        position: node.at,
        positions: yaml::positions(node),
    }
}

/// The text of a file, whose encoding its first bytes may tell.
///
/// # Errors
/// It is no text.
pub fn text(mut bytes: Vec<u8>, file: &str) -> Result<String, DocumentError> {
    let file = file.to_owned();
    match utf16(&bytes) {
        Some(Some(text)) => drop(Zeroizing::new(std::mem::replace(&mut bytes, text.into_bytes()))),
        Some(None) => return Err(DocumentError::Utf16 { file }),
        None => {}
    }
    let not_text = |before: &[u8]| {
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + String::from_utf8_lossy(&before[line_start..]).chars().count();
        DocumentError::NotText { place: Place { file: file.clone(), position: Position { line, column } } }
    };
    // The parser treats NUL as the end of the text.
    if let Some(nul) = bytes.iter().position(|byte| *byte == 0) {
        return Err(not_text(&bytes[..nul]));
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|error| not_text(&error.as_bytes()[..error.utf8_error().valid_up_to()]))?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// UTF-16, if the first bytes say so: what `>` writes in Windows PowerShell. The inner `None` if it is damaged.
fn utf16(bytes: &[u8]) -> Option<Option<String>> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let (units, rest) = bytes[2..].as_chunks();
    let text = char::decode_utf16(units.iter().map(|pair| unit(*pair))).collect::<Result<_, _>>();
    Some(text.ok().filter(|_| rest.is_empty()))
}

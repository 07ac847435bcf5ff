//! Kubernetes objects from the user's files (`--from`), each field with its line and column.
//!
//! The files may hold anything and only part of it: kinds that no check reads are passed over, and what is not in them is
//! unknown, never absent. Of a Secret the keys are kept; its values are gone as soon as its document was read, and no
//! message ever repeats a value.

mod answers;
mod shape;
mod store;
#[cfg(test)]
mod tests;
mod yaml;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::facts::{Position, Positions, Source, Sourced};
use crate::output::safe;
use shape::Misfit;
pub use store::Store;
use yaml::{At, Content, Flaw, Node};

/// A larger file is refused before it is read.
const MAX_BYTES: u64 = 64 << 20;
/// API version of our own documents.
const OURS: &str = "irsa/v1";
/// How standard input is named, in arguments and in sources.
const STDIN: (&str, &str) = ("-", "stdin");

/// Why the files cannot be used.
#[derive(Debug, Error)]
pub enum FilesError {
    /// There is no such file.
    #[error("{file} does not exist")]
    Missing {
        /// The path.
        file: String,
    },
    /// The system refuses to read it.
    #[error("{file} cannot be read: {error}")]
    Unreadable {
        /// The path.
        file: String,
        /// The system's reason.
        error: io::Error,
    },
    /// A directory without any file to read.
    #[error("{directory} holds no file named *.yaml, *.yml or *.json")]
    NoFiles {
        /// The path.
        directory: String,
    },
    /// Too large to hold in memory as a tree.
    #[error(
        "{file} is {}; at most {} MiB are read: save only the namespaces in question", Size(*size), MAX_BYTES >> 20
    )]
    TooLarge {
        /// The path.
        file: String,
        /// Its size; `None` if it is only known to be above the limit.
        size: Option<u64>,
    },
    /// Nothing is in it.
    #[error("{file} is empty: expected Kubernetes objects as `kubectl get -o yaml` prints them")]
    Empty {
        /// The path.
        file: String,
    },
    /// Neither text nor UTF-16, which its first bytes promise.
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
    /// Neither YAML nor JSON, or YAML that Kubernetes does not take.
    #[error("{place}: {}", safe::line(reason))]
    Malformed {
        /// Where.
        place: Place,
        /// The parser's reason.
        reason: String,
    },
    /// A document that is no object.
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
    /// A field that Kubernetes would refuse.
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
    /// A Secret of the wrong shape. Where in it is not said: what stands in the wrong place may be its value.
    #[error("{place}: {} does not have the shape of a Secret", safe::line(object))]
    Secret {
        /// Where the Secret starts.
        place: Place,
        /// `secret/aws`.
        object: String,
    },
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

/// A size for people.
struct Size(Option<u64>);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, "{}.{} MiB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20),
            None => write!(f, "larger than {} MiB", MAX_BYTES >> 20),
        }
    }
}

impl Store {
    /// Reads the files, directories and standard input (`-`) that the user named. `at` is the time to judge by
    /// (`--at`); without it, the files' own `observedAt` is.
    ///
    /// Of an object that stands in the files twice the later one counts.
    ///
    /// # Errors
    /// The first thing that cannot be read or that Kubernetes would not take.
    pub fn load(paths: &[PathBuf], at: Option<Timestamp>) -> Result<Self, FilesError> {
        let mut store = Self::default();
        let mut stdin_read = false;
        for path in paths {
            let mut documents = 0;
            if path.as_os_str() == STDIN.0 {
                if std::mem::replace(&mut stdin_read, true) {
                    continue;
                }
                let text = text(io::stdin().lock(), STDIN.1)?;
                documents += store.add(STDIN.1, &text)?;
            } else {
                for file in files(path)? {
                    documents += store.add(&shown(&file), &read(&file)?)?;
                }
            }
            if documents == 0 {
                return Err(FilesError::Empty { file: shown(path) });
            }
        }
        if let Some(value) = at {
            store.clock = Some(Sourced { value, source: file_source("--at", 1, "time", &Node::nowhere()) });
        }
        Ok(store)
    }

    /// Adds the objects of one file; returns how many documents it had.
    fn add(&mut self, file: &str, text: &str) -> Result<usize, FilesError> {
        let (mut document, mut filled) = (0, 0);
        yaml::documents(text, |node: Node| -> Result<(), Stopped> {
            document += 1;
            if !matches!(node.content(), Content::Null) {
                filled += 1;
                Taker { store: self, file, document }.take(&node, &Inherited::default())?;
            }
            Ok(())
        })
        .map_err(|stopped| stopped.of_file(file))?;
        Ok(filled)
    }
}

/// Reads the first document of a file as a type; `object` is what messages call it.
///
/// # Errors
/// The file cannot be read, or its first document is not of the type. No value is repeated.
pub(super) fn first<T: DeserializeOwned + Default>(path: &Path, object: &str) -> Result<T, FilesError> {
    first_of(&read(path)?, &shown(path), object)
}

/// The same of a text.
pub(super) fn first_of<T: DeserializeOwned + Default>(
    text: &str,
    file: &str,
    object: &str,
) -> Result<T, FilesError> {
    let place = |position| Place { file: file.to_owned(), position };
    let mut found = None;
    yaml::documents(text, |node: Node| -> Result<(), Stopped> {
        if found.is_none() {
            found = Some(shape::read(&node).map_err(|misfit| FilesError::Field {
                place: place(misfit.at.unwrap_or(node.at)),
                object: object.to_owned(),
                path: misfit.path(),
                words: misfit.words,
            })?);
        }
        Ok(())
    })
    .map_err(|stopped| stopped.of_file(file))?;
    Ok(found.unwrap_or_default())
}

/// What ends the reading of a file.
enum Stopped {
    Flaw(At<Flaw>),
    Error(FilesError),
}

impl Stopped {
    fn of_file(self, file: &str) -> FilesError {
        match self {
            Self::Flaw((position, flaw)) => FilesError::Malformed {
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

impl From<FilesError> for Stopped {
    fn from(error: FilesError) -> Self {
        Self::Error(error)
    }
}

/// What the items of a typed list leave out: a `PodList` holds pods.
#[derive(Default)]
struct Inherited<'n> {
    kind: Option<&'n str>,
    api_version: Option<&'n str>,
}

/// Takes the objects out of one document.
struct Taker<'s> {
    store: &'s mut Store,
    file: &'s str,
    document: usize,
}

impl Taker<'_> {
    fn take(&mut self, node: &Node, inherited: &Inherited<'_>) -> Result<(), FilesError> {
        if !matches!(node.content(), Content::Map(_)) {
            let (place, document) = (self.place(node.at), self.document);
            return Err(FilesError::NotAnObject { place, document, found: node.word() });
        }
        let kind = self.text(node, "kind")?.or(inherited.kind);
        let api_version = self.text(node, "apiVersion")?.or(inherited.api_version);
        if api_version == Some(OURS) {
            if kind == Some("AwsAnswer") {
                let read = answers::enveloped(node, self.file, self.document);
                let answer = read.map_err(|misfit| self.misfit(node, "AwsAnswer", &misfit))?;
                self.store.answers.extend(answer);
            }
            return self.observed_at(node);
        }
        let Some(kind) = kind else {
            return self.version(node);
        };
        if let Some(item_kind) = kind.strip_suffix("List") {
            let inherited = Inherited { kind: Some(item_kind).filter(|kind| !kind.is_empty()), api_version };
            // The items of `List` name their own API version; `v1` is that of the list.
            let inherited = if inherited.kind.is_none() { Inherited::default() } else { inherited };
            if let Some(items) = node.get("items") {
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

    fn items(&mut self, items: &Node, kind: &str, inherited: &Inherited<'_>) -> Result<(), FilesError> {
        match items.content() {
            Content::Null => Ok(()),
            Content::List(items) => items.iter().try_for_each(|item| self.take(item, inherited)),
            _ => Err(FilesError::Field {
                place: self.place(items.at),
                object: kind.to_owned(),
                path: String::from(".items"),
                words: format!("is {}; Kubernetes requires a list", items.word()),
            }),
        }
    }

    /// `kind` or `apiVersion`, if it is there.
    fn text<'n>(&self, node: &'n Node, key: &str) -> Result<Option<&'n str>, FilesError> {
        let Some(value) = node.get(key) else { return Ok(None) };
        match value.content() {
            Content::Null => Ok(None),
            Content::Text(text) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            _ => Err(FilesError::Field {
                place: self.place(value.at),
                object: format!("document {}", self.document),
                path: format!(".{key}"),
                words: format!("is {}; Kubernetes requires a string", value.word()),
            }),
        }
    }

    /// The time at which one of our own documents was written.
    fn observed_at(&mut self, node: &Node) -> Result<(), FilesError> {
        let Some(written) = node.get("observedAt") else { return Ok(()) };
        let time: Option<Timestamp> = shape::read(written).map_err(|misfit| FilesError::Field {
            place: self.place(written.at),
            object: format!("document {}", self.document),
            path: String::from(".observedAt"),
            words: misfit.words,
        })?;
        // The latest: nothing in the files is newer than that.
        if let Some(value) = time
            && self.store.clock.as_ref().is_none_or(|known| known.value < value)
        {
            let source = file_source(self.file, self.document, "time", node).at(".observedAt");
            self.store.clock = Some(Sourced { value, source });
        }
        Ok(())
    }

    /// What has no kind: what `kubectl version -o json` or `GET /version` prints, and what the AWS CLI prints.
    fn version(&mut self, node: &Node) -> Result<(), FilesError> {
        let server = node.get("serverVersion").or_else(|| node.get("major").and(Some(node)));
        match server {
            Some(server) if server.get("gitVersion").is_some() => {
                let value = shape::read(server).map_err(|misfit| self.misfit(server, "version", &misfit))?;
                let source = file_source(self.file, self.document, "version", server);
                self.store.version = Some(Sourced { value, source });
                Ok(())
            }
            _ if node.get("clientVersion").is_some() => Ok(()),
            _ if let Some(answer) = answers::bare(node, self.file, self.document) => {
                self.store.answers.push(answer.map_err(|misfit| self.misfit(node, "AWS answer", &misfit))?);
                Ok(())
            }
            _ => Err(FilesError::NoKind { place: self.place(node.at), document: self.document }),
        }
    }

    fn misfit(&self, node: &Node, kind: &str, misfit: &Misfit) -> FilesError {
        let name = node.get("metadata").and_then(|meta| meta.text("name"));
        let kind = kind.to_ascii_lowercase();
        let object = name.map_or_else(|| kind.clone(), |name| format!("{kind}/{name}"));
        if kind == "secret" {
            return FilesError::Secret { place: self.place(node.at), object };
        }
        FilesError::Field {
            place: self.place(misfit.at.unwrap_or(node.at)),
            object,
            path: misfit.path(),
            words: misfit.words.clone(),
        }
    }

    fn place(&self, position: Position) -> Place {
        Place { file: self.file.to_owned(), position }
    }
}

/// Where an object stands, with the positions of its fields.
fn file_source(file: &str, document: usize, object: &str, node: &Node) -> Source {
    Source::File {
        file: file.to_owned(),
        document,
        object: object.to_owned(),
        field: String::new(),
        position: node.at,
        positions: Positions(std::sync::Arc::new(yaml::positions(node))),
    }
}

/// The files that a path stands for: itself, or what is in the directory, sorted.
fn files(path: &Path) -> Result<Vec<PathBuf>, FilesError> {
    if !fs::metadata(path).map_err(|error| unreadable(path, error))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut found, mut directories) = (Vec::new(), vec![path.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).map_err(|error| unreadable(&directory, error))? {
            let entry = entry.map_err(|error| unreadable(&directory, error))?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = entry.path();
            // Links to directories are not followed: they may lead in a circle.
            if entry.file_type().map_err(|error| unreadable(&path, error))?.is_dir() {
                directories.push(path);
            } else if path.extension().and_then(|name| name.to_str()).is_some_and(is_readable)
                && !path.is_dir()
            {
                found.push(path);
            }
        }
    }
    if found.is_empty() {
        return Err(FilesError::NoFiles { directory: shown(path) });
    }
    found.sort();
    Ok(found)
}

fn unreadable(path: &Path, error: io::Error) -> FilesError {
    match error.kind() {
        io::ErrorKind::NotFound => FilesError::Missing { file: shown(path) },
        _ => FilesError::Unreadable { file: shown(path), error: plain(error) },
    }
}

fn is_readable(extension: &str) -> bool {
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn read(path: &Path) -> Result<String, FilesError> {
    let unreadable = |error| unreadable(path, error);
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    if size > MAX_BYTES {
        return Err(FilesError::TooLarge { file: shown(path), size: Some(size) });
    }
    text(file, &shown(path))
}

/// The text of a stream, if it is not too long.
fn text(stream: impl Read, file: &str) -> Result<String, FilesError> {
    let file = file.to_owned();
    let mut bytes = Vec::new();
    if let Err(error) = stream.take(MAX_BYTES + 1).read_to_end(&mut bytes) {
        return Err(FilesError::Unreadable { file, error: plain(error) });
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(FilesError::TooLarge { file, size: None });
    }
    match utf16(&bytes) {
        Some(Some(text)) => bytes = text.into_bytes(),
        Some(None) => return Err(FilesError::Utf16 { file }),
        None => {}
    }
    let not_text = |before: &[u8]| {
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + String::from_utf8_lossy(&before[line_start..]).chars().count();
        FilesError::NotText { place: Place { file: file.clone(), position: Position { line, column } } }
    };
    // The parser takes NUL for the end of the text.
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

/// The error without `(os error 2)`.
fn plain(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => io::Error::new(error.kind(), text[..end].to_owned()),
        None => error,
    }
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == STDIN.0 { STDIN.1.to_owned() } else { safe::line(&path.to_string_lossy()) }
}

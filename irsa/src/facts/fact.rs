//! The three-valued fact: known, absent or unknown, always with where it was read.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::text::foreign::quoted;

/// Something that was observed, was found to be absent, or could not be read.
///
/// The rule that the whole product rests on: an error is never a pass and never an absence. `Absent` is used only
/// if a complete answer was read and the thing was not in it; everything else that yields no value is `Unknown`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Fact<T> {
    /// Observed.
    Known(Sourced<T>),
    /// Not found in a complete answer.
    Absent {
        /// The answer that did not contain it.
        source: Source,
    },
    /// Not observed, and why.
    Unknown(Unknown),
}

/// A value and where it was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sourced<T> {
    /// What was read.
    pub value: T,
    /// Where.
    pub source: Source,
}

impl<T> Deref for Sourced<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// Why something is not known, and what would make it known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// What is not known, in the reader's terms: `service account shop/checkout`.
    pub what: String,
    /// Why it is not known.
    pub why: Why,
    /// The permission that would allow it, if a missing permission is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
}

/// The reason of an [`Unknown`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", content = "detail", rename_all = "kebab-case")]
pub enum Why {
    /// The server refused; its own words.
    Denied(String),
    /// No answer within so many seconds.
    TimedOut(u64),
    /// No answer before the end of the run, which may take so many seconds.
    TimeIsUp(u64),
    /// No answer before the user stopped the run.
    Interrupted,
    /// The server answered with an error, or with something that could not be read.
    Failed(String),
    /// The list was cut short: more objects exist than were read.
    Incomplete(String),
    /// The given files do not contain it.
    NotInFiles,
    /// There are no AWS credentials, or AWS refuses them; why.
    NoCredentials(String),
    /// It is in another AWS account than the one that the user is signed in to.
    OtherAccount {
        /// The account of the user's credentials.
        signed_in: String,
        /// The account that would have to be asked.
        needed: String,
    },
    /// The user excluded it; the flag.
    Excluded(String),
    /// Only one pod of a run is probed, and it was this other one.
    OneOfMany(String),
    /// The probe was left out because it would decide nothing; the reason.
    LeftOut(String),
    /// It was not asked; the reason.
    NotAsked(String),
}

impl Why {
    /// True if it could have been read, and was left out on purpose: that is no gap in what is known.
    pub fn is_chosen(&self) -> bool {
        match self {
            Self::Excluded(_) | Self::OneOfMany(_) | Self::LeftOut(_) => true,
            Self::Denied(_)
            | Self::TimedOut(_)
            | Self::TimeIsUp(_)
            | Self::Interrupted
            | Self::Failed(_)
            | Self::Incomplete(_)
            | Self::NotInFiles
            | Self::NoCredentials(_)
            | Self::OtherAccount { .. }
            | Self::NotAsked(_) => false,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Most are others' words, or hold some.
            Self::Denied(words) => write!(f, "denied: {}", quoted(words)),
            Self::TimedOut(seconds) => write!(f, "no answer within {seconds} s"),
            Self::TimeIsUp(seconds) => write!(f, "no answer before the run timed out after {seconds} s"),
            Self::Interrupted => f.write_str("no answer before the run was interrupted"),
            Self::Failed(words) | Self::Incomplete(words) | Self::LeftOut(words) | Self::NotAsked(words) => {
                f.write_str(&quoted(words))
            }
            Self::NotInFiles => f.write_str("not in the given files"),
            Self::NoCredentials(words) => write!(f, "no AWS credentials: {}", quoted(words)),
            Self::OtherAccount { signed_in, needed } => write!(
                f,
                "you are signed in to account {signed_in}, but this is in account {needed}: choose a profile of that account \
                 with --profile"
            ),
            Self::Excluded(flag) => write!(f, "excluded by {flag}"),
            Self::OneOfMany(pod) => {
                write!(f, "only pod/{pod} was probed; run debug on this pod to probe it")
            }
        }
    }
}

/// A permission that would allow reading something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// An RBAC permission, as `kubectl auth can-i` takes it.
    Rbac {
        /// `get`, `list`, …
        verb: String,
        /// Plural resource name, with the API group behind a dot where it has one: `deployments.apps`.
        resource: String,
        /// The namespace, or `None` for a cluster-wide permission.
        namespace: Option<String>,
    },
    /// An IAM permission.
    Iam {
        /// `iam:GetRole`.
        action: String,
        /// ARN of what it must be allowed on, or `*`.
        resource: String,
    },
}

impl Grant {
    /// An RBAC permission.
    pub fn rbac(verb: &str, resource: impl Into<String>, namespace: Option<&str>) -> Self {
        Self::Rbac {
            verb: verb.to_owned(),
            resource: resource.into(),
            namespace: namespace.map(str::to_owned),
        }
    }

    /// An IAM permission.
    pub fn iam(action: &str, resource: impl Into<String>) -> Self {
        Self::Iam { action: action.to_owned(), resource: resource.into() }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rbac { verb, resource, namespace: Some(namespace) } => {
                write!(f, "{verb} {resource} -n {namespace}")
            }
            Self::Rbac { verb, resource, namespace: None } => write!(f, "{verb} {resource} (cluster-wide)"),
            Self::Iam { action, resource } => write!(f, "{action} on {resource}"),
        }
    }
}

/// Where a fact was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum Source {
    /// An answer of the Kubernetes API.
    Api {
        /// `get` or `list`.
        verb: String,
        /// The object (`serviceaccount/checkout`) or the listed resource (`pods`).
        object: String,
        /// Its namespace, if it has one.
        namespace: Option<String>,
        /// The field within the object, as kubectl's jsonpath writes it: `.spec.containers[0].env`.
        field: String,
    },
    /// An answer of AWS.
    Aws {
        /// `iam:GetRole`.
        action: String,
        /// ARN or name of what was asked about; empty where the action names it all.
        object: String,
        /// The field within the answer: `Role.AssumeRolePolicyDocument`.
        field: String,
    },
    /// A document of the issuer, fetched from here.
    Web {
        /// Its URL.
        url: String,
        /// The field within it.
        field: String,
    },
    /// A token made by TokenRequest for this run; its claims only.
    Token {
        /// The claim.
        field: String,
    },
    /// The probe's report.
    Probe {
        /// The container that it ran in, or the pod made for it.
        container: String,
        /// The field within the report: `token.own.stat.mode`.
        field: String,
    },
    /// The application's log, or the text that the user gave.
    Log {
        /// `log of container app`, `log of container app before its last restart`, `--error`.
        of: String,
        /// Line, from 1, counted from the first that was read.
        line: usize,
    },
    /// A file that the user gave.
    File {
        /// The path as given, or `stdin`.
        file: String,
        /// The document within the stream, counted from 1.
        document: usize,
        /// The object: `serviceaccount/checkout`.
        object: String,
        /// The field within the object.
        field: String,
        /// Line and column of the field, both counted from 1.
        position: Position,
        /// The position of every field in the document; only kept during the run.
        #[serde(skip)]
        positions: Positions,
    },
}

/// Line and column in a file, both counted from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// Positions of the fields of one document, by path (`.metadata.name`). There are as many as a file has lines, so that the paths
/// themselves would be several times the file: they are hashed.
#[derive(Debug, Clone, Default)]
pub struct Positions(Arc<[Mark]>);

/// The position of one field. A line or column that is beyond 32 bits is in no file that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    path: u64,
    line: u32,
    column: u32,
}

impl Positions {
    /// Of these fields.
    pub fn of(each: impl FnOnce(&mut dyn FnMut(&str, Position))) -> Self {
        let mut marks = Vec::new();
        each(&mut |path, at| {
            let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            marks.push(Mark { path: hash(path), line: short(at.line), column: short(at.column) });
        });
        marks.sort_unstable();
        Self(marks.into())
    }

    /// Where a field is, or its nearest parent that is there.
    fn nearest(&self, path: &str) -> Option<Position> {
        let ends = path.char_indices().filter(|(_, c)| matches!(c, '.' | '[')).map(|(at, _)| at);
        let mut ends: Vec<usize> = ends.chain([path.len()]).collect();
        ends.dedup();
        ends.into_iter().rev().find_map(|end| {
            let wanted = hash(path.get(..end)?);
            let mark = self.0.get(self.0.binary_search_by_key(&wanted, |mark| mark.path).ok()?)?;
            let long = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
            Some(Position { line: long(mark.line), column: long(mark.column) })
        })
    }
}

fn hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

impl PartialEq for Positions {
    /// Two sources are the same place whether or not the map of their document is still available.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Positions {}

impl Source {
    /// What a container's log is called; that of its former run if it is from `before` its last restart.
    pub fn log_of(container: &str, before: bool) -> String {
        let of = format!("log of container {container}");
        if before { format!("{of} before its last restart") } else { of }
    }

    /// True if it was read in the log of that container.
    pub fn is_log_of(&self, container: &str) -> bool {
        matches!(self, Self::Log { of, .. }
            if [false, true].into_iter().any(|before| *of == Self::log_of(container, before)))
    }

    /// The same source, at a field of the object: `.spec.containers[0].env[2]`.
    pub fn at(&self, path: impl AsRef<str>) -> Self {
        let path = path.as_ref();
        let mut at = self.clone();
        match &mut at {
            Self::Api { field, .. }
            | Self::Aws { field, .. }
            | Self::Web { field, .. }
            | Self::Token { field }
            | Self::Probe { field, .. } => path.clone_into(field),
            Self::Log { .. } => {}
            Self::File { field, position, positions, .. } => {
                path.clone_into(field);
                // Answers of AWS are addressed as the AWS CLI's `--query` does it, without a dot in front.
                let rooted = if path.starts_with(['.', '[']) { path.to_owned() } else { format!(".{path}") };
                // A field that is not in the file (a default, a missing key) is shown at its nearest parent.
                *position = positions.nearest(&rooted).unwrap_or(*position);
            }
        }
        at
    }
}

impl Source {
    /// A claim of the token that this is.
    pub fn claim(&self, name: &str) -> Self {
        match self {
            Self::Probe { .. } => self.at(format!("token.jwt.claims.{name}")),
            _ => self.at(name),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api { verb, object, namespace, field } => {
                write!(f, "{verb} {object}")?;
                if let Some(namespace) = namespace {
                    write!(f, " -n {namespace}")?;
                }
                if !field.is_empty() {
                    write!(f, " {field}")?;
                }
                Ok(())
            }
            Self::Aws { action, object, field } => write_words(f, &[action, object, field]),
            Self::Web { url, field } => write_words(f, &[url, field]),
            Self::Token { field } => write_words(f, &["TokenRequest", field]),
            Self::Probe { container, field } => write_words(f, &["probe", container, field]),
            Self::Log { of, line } => write!(f, "{of}, line {line}"),
            Self::File { file, object, field, position, .. } => {
                write!(f, "{file}:{}:{} {object}", position.line, position.column)?;
                if !field.is_empty() {
                    write!(f, " {field}")?;
                }
                Ok(())
            }
        }
    }
}

fn write_words(f: &mut fmt::Formatter<'_>, words: &[&str]) -> fmt::Result {
    let said: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
    f.write_str(&said.join(" "))
}

impl<T> Fact<T> {
    /// A fact that was not asked for, and why not.
    pub fn not_asked(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::unknown_because(what, Why::NotAsked(why.into()), None)
    }

    /// A fact that could not be read.
    pub fn unknown_because(what: impl Into<String>, why: Why, grant: Option<Grant>) -> Self {
        Self::Unknown(Unknown { what: what.into(), why, grant })
    }

    /// An observed value.
    pub fn observed(value: T, source: Source) -> Self {
        Self::Known(Sourced { value, source })
    }

    /// The value with its source, if it is known.
    pub fn known(&self) -> Option<&Sourced<T>> {
        match self {
            Self::Known(sourced) => Some(sourced),
            Self::Absent { .. } | Self::Unknown(_) => None,
        }
    }

    /// Why it is not known, if it is not.
    pub fn unknown(&self) -> Option<&Unknown> {
        match self {
            Self::Unknown(unknown) => Some(unknown),
            Self::Known(_) | Self::Absent { .. } => None,
        }
    }

    /// True only if a complete answer did not contain it.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }
}

/// A list, and whether it is complete.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listing<T> {
    /// The objects, each with its own source.
    pub items: Vec<Sourced<T>>,
    /// Why there may be more than these; `None` if the list is complete.
    pub cut: Option<Unknown>,
}

impl<T> Listing<T> {
    /// True if nothing was left out.
    pub fn complete(&self) -> bool {
        self.cut.is_none()
    }
}

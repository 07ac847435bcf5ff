//! A policy document: the whole grammar as IAM accepts it, and what is odd about this one.

use super::json::{Json, Path};
use super::operator::Operator;

/// IAM stores no policy longer than 10,240 characters, white space apart.
const MAX_BYTES: usize = 128 * 1024;

/// A policy document.
#[derive(Debug, Clone)]
pub struct Document {
    /// Which rules it is read by.
    pub version: Version,
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// What IAM would refuse or read otherwise than its author meant.
    pub oddities: Vec<Oddity>,
    pub(super) json: Json,
}

/// Version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also where no version is written: `${…}` is ordinary text.
    V2008,
    /// `2012-10-17`: with policy variables.
    V2012,
}

/// A statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Where it stands.
    pub place: Path,
    /// Its name.
    pub sid: Option<String>,
    /// What it does when it matches.
    pub effect: Effect,
    /// Whom it is for; identity policies name nobody.
    pub principal: Option<Clause<PrincipalEntry>>,
    /// Which actions it is for.
    pub action: Clause<String>,
    /// Which resources it is for; trust policies name none.
    pub resource: Option<Clause<String>>,
    /// What else must be so.
    pub conditions: Vec<Condition>,
}

/// What a statement does when it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Allows, unless something denies.
    Allow,
    /// Denies, whatever allows.
    Deny,
}

impl std::fmt::Display for Effect {
    /// As it stands in the document.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        })
    }
}

/// `Action` or `NotAction`, `Principal` or `NotPrincipal`, `Resource` or `NotResource`.
#[derive(Debug, Clone)]
pub struct Clause<T> {
    /// Where it stands.
    pub place: Path,
    /// True for `Not…`.
    pub negated: bool,
    /// What is listed.
    pub entries: Vec<T>,
}

/// One principal of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalEntry {
    /// What the value names.
    pub kind: PrincipalKind,
    /// The value as written.
    pub value: String,
}

/// What a principal's value names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// `"*"`, without a kind.
    Anyone,
    /// `AWS`: an account, a user, a role or a session.
    Aws,
    /// `Federated`: an identity provider.
    Federated,
    /// `Service`.
    Service,
    /// `CanonicalUser`, or one that IAM does not have.
    Other(String),
}

/// A key of a condition with its values.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Where it stands.
    pub place: Path,
    /// The operator as written.
    pub operator_name: String,
    /// The operator; `None` if IAM has no such operator.
    pub operator: Option<Operator>,
    /// The key as written.
    pub key: String,
    /// The values.
    pub values: Vec<String>,
}

/// Something that IAM refuses, or reads otherwise than its author may have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Oddity {
    /// A member that is there more than once. IAM refuses such a document; the last one is used here.
    Duplicate(Path),
    /// An element that policies do not have.
    UnknownElement(Path),
    /// A condition operator that IAM does not have.
    UnknownOperator(Path),
    /// A kind of principal that IAM does not have.
    UnknownPrincipalKind(Path),
    /// No `Version`: the rules of 2008 apply, without policy variables.
    NoVersion,
    /// A version that IAM does not have.
    UnknownVersion(String),
}

/// Why a text is no policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Longer than any policy can be.
    #[error("longer than any policy: {0} bytes")]
    TooLong(usize),
    /// Not JSON, or JSON that is nested too deep.
    #[error("not JSON (line {line}, column {column})")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON, but no policy.
    #[error("{place} is not {wanted}")]
    Shape {
        /// Where; shortened.
        place: String,
        /// What belongs there.
        wanted: &'static str,
    },
}

impl Document {
    /// Reads a policy document.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > MAX_BYTES {
            return Err(PolicyError::TooLong(text.len()));
        }
        let json = serde_json::from_str(text)
            .map_err(|error| PolicyError::Syntax { line: error.line(), column: error.column() })?;
        Self::read(json)
    }

    pub(super) fn read(mut json: Json) -> Result<Self, PolicyError> {
        let duplicates = json.drop_duplicates();
        let mut oddities: Vec<Oddity> = duplicates.into_iter().map(Oddity::Duplicate).collect();
        let root = Path::default();
        let members = members(&json, &root, "a policy, which is an object")?;
        report_unknown(members, &["Version", "Id", "Statement"], &root, &mut oddities);
        let version = version(json.get("Version"), &mut oddities)?;
        let place = root.key("Statement");
        let statements = match json.get("Statement") {
            Some(Json::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(index, item)| statement(item, place.index(index), &mut oddities))
                .collect::<Result<_, _>>()?,
            Some(single) => vec![statement(single, place, &mut oddities)?],
            None => return Err(shape(&place, "there; a policy has statements")),
        };
        Ok(Self { version, statements, oddities, json })
    }

    /// The document as it was written, but for white space and members that were there twice.
    pub fn pretty(&self) -> String {
        self.json.pretty()
    }

    /// The same on one line, as a command takes it.
    pub fn line(&self) -> String {
        self.json.line()
    }

    /// The same as a value.
    pub fn json(&self) -> &Json {
        &self.json
    }
}

fn version(json: Option<&Json>, oddities: &mut Vec<Oddity>) -> Result<Version, PolicyError> {
    match json {
        None => oddities.push(Oddity::NoVersion),
        Some(Json::String(version)) if version == "2012-10-17" => return Ok(Version::V2012),
        Some(Json::String(version)) if version == "2008-10-17" => {}
        Some(Json::String(version)) => oddities.push(Oddity::UnknownVersion(version.clone())),
        Some(_) => return Err(shape(&Path::default().key("Version"), "a string")),
    }
    Ok(Version::V2008)
}

const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

fn statement(json: &Json, place: Path, oddities: &mut Vec<Oddity>) -> Result<Statement, PolicyError> {
    report_unknown(members(json, &place, "a statement, which is an object")?, &ELEMENTS, &place, oddities);
    let sid = match json.get("Sid") {
        None => None,
        Some(Json::String(sid)) => Some(sid.clone()),
        Some(_) => return Err(shape(&place.key("Sid"), "a string")),
    };
    let effect = match json.get("Effect") {
        Some(Json::String(effect)) if effect == "Allow" => Effect::Allow,
        Some(Json::String(effect)) if effect == "Deny" => Effect::Deny,
        _ => return Err(shape(&place.key("Effect"), "`Allow` or `Deny`")),
    };
    let principal =
        clause(json, &place, "Principal", "NotPrincipal", |json, place| principals(json, place, oddities))?;
    let Some(action) = clause(json, &place, "Action", "NotAction", texts)? else {
        return Err(shape(&place.key("Action"), "there; a statement has actions"));
    };
    let resource = clause(json, &place, "Resource", "NotResource", texts)?;
    let conditions = match json.get("Condition") {
        Some(block) => conditions(block, &place.key("Condition"), oddities)?,
        None => Vec::new(),
    };
    Ok(Statement { place, sid, effect, principal, action, resource, conditions })
}

fn clause<T>(
    statement: &Json,
    place: &Path,
    name: &str,
    negated_name: &str,
    read: impl FnOnce(&Json, &Path) -> Result<Vec<T>, PolicyError>,
) -> Result<Option<Clause<T>>, PolicyError> {
    let (json, place, negated) = match (statement.get(name), statement.get(negated_name)) {
        (None, None) => return Ok(None),
        (Some(json), None) => (json, place.key(name), false),
        (None, Some(json)) => (json, place.key(negated_name), true),
        (Some(_), Some(_)) => return Err(shape(&place.key(negated_name), "allowed beside its opposite")),
    };
    let entries = read(json, &place)?;
    Ok(Some(Clause { place, negated, entries }))
}

fn principals(
    json: &Json,
    place: &Path,
    oddities: &mut Vec<Oddity>,
) -> Result<Vec<PrincipalEntry>, PolicyError> {
    if let Json::String(value) = json
        && value == "*"
    {
        return Ok(vec![PrincipalEntry { kind: PrincipalKind::Anyone, value: value.clone() }]);
    }
    let mut entries = Vec::new();
    for (name, values) in members(json, place, "`*` or an object")? {
        let place = place.key(name);
        let kind = match name.as_str() {
            "AWS" => PrincipalKind::Aws,
            "Federated" => PrincipalKind::Federated,
            "Service" => PrincipalKind::Service,
            other => {
                if other != "CanonicalUser" {
                    oddities.push(Oddity::UnknownPrincipalKind(place.clone()));
                }
                PrincipalKind::Other(other.to_owned())
            }
        };
        let values = texts(values, &place)?;
        entries.extend(values.into_iter().map(|value| PrincipalEntry { kind: kind.clone(), value }));
    }
    Ok(entries)
}

fn conditions(block: &Json, place: &Path, oddities: &mut Vec<Oddity>) -> Result<Vec<Condition>, PolicyError> {
    let mut conditions = Vec::new();
    for (operator_name, keys) in members(block, place, "an object")? {
        let place = place.key(operator_name);
        let operator = Operator::parse(operator_name);
        let condition = |place, key: &str, values| Condition {
            place,
            operator_name: operator_name.clone(),
            operator,
            key: key.to_owned(),
            values,
        };
        if operator.is_none() {
            oddities.push(Oddity::UnknownOperator(place.clone()));
            // A remark in place of an operator, as in the README of the pod identity webhook.
            if !matches!(keys, Json::Object(_)) {
                conditions.push(condition(place, "", Vec::new()));
                continue;
            }
        }
        for (key, values) in members(keys, &place, "an object of condition keys")? {
            let place = place.key(key);
            let values = texts(values, &place)?;
            conditions.push(condition(place, key, values));
        }
    }
    Ok(conditions)
}

/// A string or a list of strings; booleans and numbers stand for their text.
fn texts(json: &Json, place: &Path) -> Result<Vec<String>, PolicyError> {
    let text = |json: &Json, place: &Path| match json {
        Json::String(text) => Ok(text.clone()),
        Json::Bool(value) => Ok(value.to_string()),
        Json::Number(value) => Ok(value.to_string()),
        _ => Err(shape(place, "a string")),
    };
    match json {
        Json::Array(items) => {
            items.iter().enumerate().map(|(index, item)| text(item, &place.index(index))).collect()
        }
        single => Ok(vec![text(single, place)?]),
    }
}

fn members<'a>(
    json: &'a Json,
    place: &Path,
    wanted: &'static str,
) -> Result<&'a [(String, Json)], PolicyError> {
    match json {
        Json::Object(members) => Ok(members),
        _ => Err(shape(place, wanted)),
    }
}

fn report_unknown(members: &[(String, Json)], known: &[&str], place: &Path, oddities: &mut Vec<Oddity>) {
    let unknown = members.iter().filter(|(name, _)| !known.contains(&name.as_str()));
    oddities.extend(unknown.map(|(name, _)| Oddity::UnknownElement(place.key(name))));
}

/// The error that something else belongs there. The place may be long, because a hostile document has long keys.
fn shape(place: &Path, wanted: &'static str) -> PolicyError {
    let mut place = if place.0.is_empty() { "the document".to_owned() } else { place.to_string() };
    if let Some((end, _)) = place.char_indices().nth(200) {
        place.truncate(end);
        place.push('…');
    }
    PolicyError::Shape { place, wanted }
}

impl Clause<PrincipalEntry> {
    /// True if every principal is an identity provider.
    pub fn is_federated_only(&self) -> bool {
        !self.negated && self.entries.iter().all(|entry| entry.kind == PrincipalKind::Federated)
    }
}

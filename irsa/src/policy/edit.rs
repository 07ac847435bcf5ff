//! Changes to a document, one at a time.

use super::document::Document;
use super::json::{Json, Path, Segment};

/// One change. Several are made one after the other: the place of the second is one after the first was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where, before the change.
    pub place: Path,
    /// What is done there.
    pub kind: EditKind,
    /// What is there.
    pub from: String,
    /// What takes its place; empty if nothing does.
    pub to: String,
}

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditKind {
    /// One string by another.
    ReplaceValue,
    /// One more string beside those that are there.
    AddValue,
    /// The condition's operator by another; the place is the condition's key.
    ReplaceOperator,
    /// The condition's key by another.
    RenameKey,
    /// All principals by one identity provider.
    ReplacePrincipal,
    /// The condition's key with its values, for it can never hold.
    RemoveCondition,
}

impl Edit {
    /// Makes the change; `None` if the document has no such place.
    pub(super) fn apply(&self, json: &mut Json) -> Option<()> {
        match self.kind {
            EditKind::ReplaceValue => *json.at_mut(&self.place.0)? = Json::text(&self.to),
            EditKind::ReplacePrincipal => {
                *json.at_mut(&self.place.0)? = Json::object([("Federated", Json::text(&self.to))]);
            }
            EditKind::AddValue => {
                let values = json.at_mut(&self.place.0)?;
                let more = Json::text(&self.to);
                match values {
                    Json::Array(values) => values.push(more),
                    single => *single = Json::Array(vec![single.clone(), more]),
                }
            }
            EditKind::RenameKey => {
                let (members, index) = member(json, &self.place.0)?;
                self.to.clone_into(&mut members.get_mut(index)?.0);
            }
            EditKind::RemoveCondition => {
                let (key, operator) = self.place.0.split_last()?;
                remove(json, operator, key)?;
            }
            EditKind::ReplaceOperator => {
                let (key, operator) = self.place.0.split_last()?;
                let (_, block) = operator.split_last()?;
                let (_, at) = member(json, operator)?;
                let values = remove(json, operator, key)?;
                let Json::Object(operators) = json.at_mut(block)? else { return None };
                let Segment::Key(key) = key else { return None };
                let moved = (key.clone(), values);
                match operators.iter_mut().find(|(name, _)| *name == self.to) {
                    Some((_, Json::Object(keys))) => keys.push(moved),
                    Some(_) => return None,
                    None => operators.insert(at, (self.to.clone(), Json::Object(vec![moved]))),
                }
            }
        }
        Some(())
    }
}

impl Document {
    /// The document with one more statement; `None` if it has no place for one.
    pub fn with_statement(&self, statement: Json) -> Option<Self> {
        let mut json = self.json.clone();
        match json.at_mut(&Path::default().key("Statement").0)? {
            Json::Array(statements) => statements.push(statement),
            single => *single = Json::Array(vec![single.clone(), statement]),
        }
        Self::read(json).ok()
    }

    /// The document with one more string beside those of a place.
    pub fn with_value(&self, place: &Path, value: &str) -> Option<Self> {
        let (kind, to) = (EditKind::AddValue, value.to_owned());
        let mut json = self.json.clone();
        Edit { place: place.clone(), kind, from: String::new(), to }.apply(&mut json)?;
        Self::read(json).ok()
    }
}

/// The object that holds a place, and the index of the member that it is.
fn member<'a>(json: &'a mut Json, place: &[Segment]) -> Option<(&'a mut Vec<(String, Json)>, usize)> {
    let (Segment::Key(key), object) = place.split_last()? else { return None };
    let Json::Object(members) = json.at_mut(object)? else { return None };
    let index = members.iter().position(|(name, _)| name == key)?;
    Some((members, index))
}

/// Takes a key out of an operator, and the operator out of its block if nothing is left of it.
fn remove(json: &mut Json, operator: &[Segment], key: &Segment) -> Option<Json> {
    let place: Vec<_> = operator.iter().cloned().chain([key.clone()]).collect();
    let (keys, index) = member(json, &place)?;
    let (_, values) = keys.remove(index);
    if keys.is_empty() {
        let (operators, index) = member(json, operator)?;
        operators.remove(index);
    }
    Some(values)
}

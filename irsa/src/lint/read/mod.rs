//! From the text of a file to what a change set holds: each document is read as what it is.

mod cloudformation;
mod manifest;
mod terraform;

use crate::documents::yaml::{Content, Node, whole_documents};
use crate::documents::{DocumentError, Place, is_template, text};

use zeroize::Zeroizing;

use super::change::{Change, Unchecked};

/// A file while it is read.
struct File<'c> {
    name: &'c str,
    change: &'c mut Change,
    /// It was found in a directory, where there may be files of any kind.
    found: bool,
}

/// What a document is.
enum Form {
    Manifest,
    Plan,
    Template,
    Nothing,
    /// Neither.
    Foreign,
}

impl Form {
    fn of(node: &Node) -> Self {
        let Content::Map(_) = node.content() else {
            return if matches!(node.content(), Content::Null) { Self::Nothing } else { Self::Foreign };
        };
        let has = |key: &str| node.get(key).is_some();
        if has("kind") && has("apiVersion") {
            return Self::Manifest;
        }
        if has("terraform_version") && (has("resource_changes") || has("planned_values") || has("values")) {
            return Self::Plan;
        }
        let is_resource = |node: &Node| node.text("Type").is_some_and(|kind| kind.contains("::"));
        let resources = node.get("Resources").map(Node::content);
        let of_aws =
            matches!(resources, Some(Content::Map(all)) if all.iter().any(|one| is_resource(&one.value)));
        if has("AWSTemplateFormatVersion") || of_aws { Self::Template } else { Self::Foreign }
    }
}

/// Adds what a file holds. `found` in a directory: what is of another kind is passed over.
pub(super) fn file(change: &mut Change, name: &str, bytes: Vec<u8>, found: bool) {
    let text = match text(bytes, name) {
        Ok(text) => text,
        Err(error) => return if found { change.skipped.push(error) } else { change.unread.push(error) },
    };
    let text = Zeroizing::new(text);
    let (documents, flaw) = whole_documents(&text);
    let mut file = File { name, change, found };
    for (index, node) in documents.into_iter().enumerate() {
        file.document(node, index + 1);
    }
    if let Some((position, flaw)) = flaw {
        let place = file.place(position);
        // What a template engine has yet to make an object of.
        let of_template = text.contains("{{");
        let error = DocumentError::Malformed { place: place.clone(), reason: flaw.to_string() };
        match of_template {
            true => file.passed_over(DocumentError::Template { place }),
            false => file.change.unread.push(error),
        }
    }
}

impl File<'_> {
    fn document(&mut self, node: Node, document: usize) {
        match Form::of(&node) {
            Form::Manifest if is_template(&node) => {
                let error = DocumentError::Template { place: self.place(node.at) };
                self.passed_over(error);
            }
            Form::Manifest => self.manifest(node, document),
            Form::Plan => self.plan(&node, document),
            Form::Template => self.template(&node),
            Form::Nothing => {}
            Form::Foreign => {
                let place = self.place(node.at);
                let error = match node.content() {
                    Content::Map(_) => DocumentError::NoKind { place, document },
                    _ => DocumentError::NotAnObject { place, document, found: node.word() },
                };
                self.passed_over(error);
            }
        }
    }

    fn passed_over(&mut self, error: DocumentError) {
        let all = if self.found { &mut self.change.skipped } else { &mut self.change.foreign };
        all.push(error);
    }

    fn place(&self, position: crate::facts::Position) -> Place {
        Place { file: self.name.to_owned(), position }
    }

    fn unchecked(&mut self, position: crate::facts::Position, words: String) {
        let unchecked = Unchecked { place: self.place(position), words };
        self.change.unknowns.push(unchecked);
    }
}

//! Objects of Kubernetes, as `helm template`, `kubectl kustomize` and `kubectl get -o yaml` print them.

use std::rc::Rc;

use crate::documents::yaml::{Content, Entry, Node};
use crate::lint::change::Object;

use super::File;

impl File<'_> {
    pub(super) fn manifest(&mut self, node: Node, document: usize) {
        let text = |key: &str| node.text(key).unwrap_or_default().to_owned();
        let (kind, api_version) = (text("kind"), text("apiVersion"));
        if let Some(item_kind) = kind.strip_suffix("List")
            && let Some(Content::List(_)) = node.get("items").map(Node::content)
        {
            let mut node = node;
            for item in take_items(&mut node) {
                self.item(item, item_kind, &api_version, document);
            }
            return;
        }
        self.object(node, &kind, &api_version, document);
    }

    fn object(&mut self, mut node: Node, kind: &str, api_version: &str, document: usize) {
        // Its keys are all that anybody looks at.
        if kind == "Secret" {
            node.wipe_members(&["data", "stringData"]);
        }
        name_generated(&mut node);
        let group = api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
        let (file, kind) = (self.name.to_owned(), kind.to_owned());
        self.change.objects.push(Object { file, document, kind, group: Some(group), node });
    }

    /// An item of a list, which may omit what the list says: a `PodList` contains pods.
    fn item(&mut self, item: Node, kind: &str, api_version: &str, document: usize) {
        if item.get("kind").is_some() {
            return self.manifest(item, document);
        }
        if !kind.is_empty() {
            self.object(item, kind, api_version, document);
        }
    }
}

/// Gives an object whose name the API server makes up one that says so.
fn name_generated(node: &mut Node) {
    let Content::Map(entries) = &mut node.content else { return };
    let meta = entries.iter_mut().find(|entry| entry.key == "metadata").map(|entry| &mut entry.value);
    let Some(meta) = meta.filter(|meta| meta.text("name").is_none()) else { return };
    let Some(name) = meta.text("generateName").map(|prefix| format!("{prefix}*")) else { return };
    if let Content::Map(entries) = &mut meta.content {
        let (at, key) = (meta.at, String::from("name"));
        entries.push(Entry { key, key_at: at, value: Node { at, content: Content::Text(name) } });
    }
}

/// The items of a list. What is shared by aliases is copied.
fn take_items(node: &mut Node) -> Vec<Node> {
    let content = std::mem::replace(&mut node.content, Content::Null);
    let entries = match content {
        Content::Map(entries) => entries,
        Content::Shared(shared) => match Rc::unwrap_or_clone(shared).content {
            Content::Map(entries) => entries,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let items = entries.into_iter().find(|entry| entry.key == "items").map(|entry| entry.value);
    match items.map(|items| items.content) {
        Some(Content::List(items)) => items,
        Some(Content::Shared(shared)) => match Rc::unwrap_or_clone(shared).content {
            Content::List(items) => items,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

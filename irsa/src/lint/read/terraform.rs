//! Plans as `terraform show -json` (and `tofu show -json`) prints them.

use std::collections::BTreeMap;

use crate::documents::yaml::{Content, Entry, Node};
use crate::lint::change::{Association, Placed, Provider, Role};
use crate::lint::policy::Tree;
use crate::lint::text::Text;

use super::File;

/// What is not known before the plan is applied, where a text is asked for.
const LATER: &str = "known after apply";

/// A resource as it will be.
struct Resource<'n> {
    address: &'n str,
    kind: &'n str,
    node: &'n Node,
    values: &'n Node,
    /// The same tree, with `true` for what is not known yet.
    later: Option<&'n Node>,
}

impl<'n> Resource<'n> {
    /// What refers to it: its address without the keys of `count` and `for_each`.
    fn label(&self) -> String {
        plain_address(self.address)
    }

    fn is_later(&self, key: &str) -> bool {
        let later = self.later.and_then(|later| later.get(key));
        later.is_some_and(|later| matches!(later.content(), Content::Bool(true)))
    }

    /// A text, as far as it is known, and where it stands.
    fn text(&self, key: &str, references: &References) -> Option<Placed<Text>> {
        match self.values.get(key).map(|value| (value.content(), value.at)) {
            Some((Content::Text(text), at)) => Some(Placed { value: Text::known(text.as_str()), at }),
            _ if self.is_later(key) => {
                let label = references.of(&self.label(), key).unwrap_or_else(|| LATER.to_owned());
                Some(Placed { value: Text::gap(label), at: self.node.at })
            }
            _ => None,
        }
    }

    fn known(&self, key: &str) -> Option<String> {
        self.values.text(key).filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

impl File<'_> {
    pub(super) fn plan(&mut self, plan: &Node, document: usize) {
        let references = References::of_plan(plan);
        let mut resources = Vec::new();
        if let Some(Content::List(changes)) = plan.get("resource_changes").map(Node::content) {
            resources.extend(changes.iter().filter_map(changed));
        } else {
            let values = plan.get("planned_values").or_else(|| plan.get("values"));
            if let Some(root) = values.and_then(|values| values.get("root_module")) {
                of_module(root, &mut resources);
            }
        }
        for resource in &resources {
            self.resource(resource, &references, document);
        }
    }

    fn resource(&mut self, resource: &Resource<'_>, references: &References, document: usize) {
        match resource.kind {
            "aws_iam_role" => self.role_of(resource),
            "aws_iam_openid_connect_provider" => {
                let url = resource.text("url", references);
                let ids =
                    resource.values.get("client_id_list").filter(|_| !resource.is_later("client_id_list"));
                let ids = ids.and_then(|ids| match ids.content() {
                    Content::List(items) => {
                        let texts = items.iter().map(|item| match item.content() {
                            Content::Text(text) => Text::known(text.as_str()),
                            _ => Text::gap(LATER),
                        });
                        Some(Placed { value: texts.collect(), at: ids.at })
                    }
                    _ => None,
                });
                let Some(url) = url else { return };
                self.change.providers.push(Provider::new(self.name, url, ids));
            }
            "aws_eks_pod_identity_association" => {
                let text = |key: &str| resource.text(key, references);
                let later = || Placed { value: Text::gap(LATER), at: resource.node.at };
                let disabled = resource.values.get("disable_session_tags");
                let association = Association {
                    file: self.name.to_owned(),
                    at: resource.node.at,
                    namespace: text("namespace").unwrap_or_else(later).value,
                    service_account: text("service_account").unwrap_or_else(later).value,
                    role: text("role_arn").unwrap_or_else(later),
                    target_role: text("target_role_arn").filter(|role| role.value.whole() != Some("")),
                    session_tags: !disabled.is_some_and(|it| matches!(it.content(), Content::Bool(true)))
                        && !resource.is_later("disable_session_tags"),
                };
                self.change.associations.push(association);
            }
            "kubernetes_service_account" | "kubernetes_service_account_v1" => {
                let (Some(meta), later) = (
                    first(resource.values.get("metadata")),
                    first(resource.later.and_then(|later| later.get("metadata"))),
                ) else {
                    return;
                };
                let node = object(resource.node, "ServiceAccount", &with_later(meta, later));
                self.manifest(node, document);
            }
            "kubernetes_manifest" => {
                let Some(manifest) = resource.values.get("manifest") else {
                    return self.unchecked(resource.node.at, format!("{}: {LATER}", resource.address));
                };
                let later = resource.later.and_then(|later| later.get("manifest"));
                let node = with_later(manifest, later);
                if node.get("kind").is_some() {
                    self.manifest(node, document);
                }
            }
            _ => {}
        }
    }

    fn role_of(&mut self, resource: &Resource<'_>) {
        let policy = resource.values.get("assume_role_policy");
        let text = policy.and_then(|policy| match policy.content() {
            Content::Text(text) => Some((Text::known(text.as_str()), policy.at)),
            _ => None,
        });
        let trust = text.and_then(|(text, at)| {
            let tree = Tree::of_text(&text, at);
            if tree.is_none() {
                self.unchecked(at, format!("{}: its trust policy is not JSON", resource.address));
            }
            tree
        });
        if policy.is_none() || resource.is_later("assume_role_policy") {
            let words = format!("{}: its trust policy is known after apply", resource.address);
            self.unchecked(resource.node.at, words);
        }
        let role = Role {
            file: self.name.to_owned(),
            at: resource.node.at,
            label: resource.label(),
            name: resource.known("name"),
            path: resource.known("path").or_else(|| (!resource.is_later("path")).then(|| String::from("/"))),
            arn: resource.known("arn"),
            trust,
        };
        self.change.roles.push(role);
    }
}

/// A resource that will be there after the plan.
fn changed(change: &Node) -> Option<Resource<'_>> {
    let after = change.get("change")?;
    if change.text("mode") != Some("managed") {
        return None;
    }
    let values = after.get("after").filter(|after| matches!(after.content(), Content::Map(_)))?;
    let address = change.text("address")?;
    let later = after.get("after_unknown");
    Some(Resource { address, kind: change.text("type")?, node: change, values, later })
}

/// The resources of a module, and of those in it.
fn of_module<'n>(module: &'n Node, found: &mut Vec<Resource<'n>>) {
    if let Some(Content::List(resources)) = module.get("resources").map(Node::content) {
        found.extend(resources.iter().filter_map(|resource| {
            let values = resource.get("values")?;
            (resource.text("mode") == Some("managed")).then_some(())?;
            let (address, kind) = (resource.text("address")?, resource.text("type")?);
            Some(Resource { address, kind, node: resource, values, later: None })
        }));
    }
    if let Some(Content::List(modules)) = module.get("child_modules").map(Node::content) {
        modules.iter().for_each(|module| of_module(module, found));
    }
}

/// A block, which is a list of one.
fn first(block: Option<&Node>) -> Option<&Node> {
    match block?.content() {
        Content::List(items) => items.first(),
        _ => block,
    }
}

/// An object with this metadata.
fn object(at: &Node, kind: &str, metadata: &Node) -> Node {
    let text = |text: &str| Node { at: at.at, content: Content::Text(text.to_owned()) };
    let entry = |key: &str, value: Node| Entry { key: key.to_owned(), key_at: at.at, value };
    let entries =
        vec![entry("apiVersion", text("v1")), entry("kind", text(kind)), entry("metadata", metadata.clone())];
    Node { at: at.at, content: Content::Map(entries) }
}

/// The tree with what stands for the values that are not known yet, where they are texts by their key.
fn with_later(node: &Node, later: Option<&Node>) -> Node {
    fn add(node: &mut Node, later: &Node, in_texts: bool) {
        let at = node.at;
        match (&mut node.content, later.content()) {
            (Content::Map(entries), Content::Map(unknown)) => {
                for entry in unknown {
                    let known = entries.iter_mut().find(|known| known.key == entry.key);
                    match (known, entry.value.content()) {
                        (Some(known), Content::Bool(true))
                            if in_texts && matches!(known.value.content(), Content::Null) =>
                        {
                            known.value.content = Content::Text(super::super::UNKNOWN.to_owned());
                        }
                        (Some(known), _) => {
                            let texts = matches!(entry.key.as_str(), "annotations" | "labels");
                            add(&mut known.value, &entry.value, texts);
                        }
                        (None, Content::Bool(true)) if in_texts => entries.push(Entry {
                            key: entry.key.clone(),
                            key_at: at,
                            value: Node { at, content: Content::Text(super::super::UNKNOWN.to_owned()) },
                        }),
                        (None, _) => {}
                    }
                }
            }
            (Content::List(items), Content::List(unknown)) => {
                items.iter_mut().zip(unknown).for_each(|(item, unknown)| add(item, unknown, false));
            }
            _ => {}
        }
    }
    let mut whole = node.clone();
    if let Some(later) = later {
        add(&mut whole, later, false);
    }
    whole
}

/// `module.a[0].aws_iam_role.b["x"]` without the keys.
fn plain_address(address: &str) -> String {
    let (mut plain, mut depth, mut quoted) = (String::new(), 0usize, false);
    for c in address.chars() {
        match c {
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

/// What the arguments of resources refer to, by the configuration in the plan.
#[derive(Default)]
struct References(BTreeMap<(String, String), String>);

impl References {
    fn of_plan(plan: &Node) -> Self {
        let mut found = Self::default();
        if let Some(root) = plan.get("configuration").and_then(|all| all.get("root_module")) {
            found.module(root, "");
        }
        found
    }

    fn module(&mut self, module: &Node, prefix: &str) {
        if let Some(Content::List(resources)) = module.get("resources").map(Node::content) {
            for resource in resources {
                let Some(address) = resource.text("address") else { continue };
                let Some(Content::Map(arguments)) = resource.get("expressions").map(Node::content) else {
                    continue;
                };
                for argument in arguments {
                    let Some(Content::List(all)) = argument.value.get("references").map(Node::content) else {
                        continue;
                    };
                    let first = all.first().map(Node::content);
                    if let Some(Content::Text(first)) = first {
                        let key = (format!("{prefix}{address}"), argument.key.clone());
                        self.0.insert(key, format!("{prefix}{}", plain_address(first)));
                    }
                }
            }
        }
        if let Some(Content::Map(calls)) = module.get("module_calls").map(Node::content) {
            for call in calls {
                if let Some(module) = call.value.get("module") {
                    self.module(module, &format!("{prefix}module.{}.", call.key));
                }
            }
        }
    }

    /// The first thing that an argument refers to: `aws_iam_role.checkout.arn`.
    fn of(&self, address: &str, argument: &str) -> Option<String> {
        self.0.get(&(address.to_owned(), argument.to_owned())).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_without_keys() {
        assert_eq!(plain_address(r#"module.a[0].aws_iam_role.b["x].y"].arn"#), "module.a.aws_iam_role.b.arn");
        assert_eq!(plain_address("aws_iam_role.b"), "aws_iam_role.b");
    }
}

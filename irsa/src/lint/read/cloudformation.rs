//! CloudFormation templates, whose functions are resolved as far as the template alone tells.

use std::cell::Cell;

use crate::documents::yaml::{Content, Entry, Node};
use crate::lint::change::{Association, Placed, Provider, Role};
use crate::lint::policy::{Member, NOBODY, Tree, Value};
use crate::lint::text::Text;
use crate::lint::trust::issuer_of;
use crate::policy::Document;

use super::File;

/// Functions may refer to parameters that refer to others; none does so deeper than this.
const DEEPEST: usize = 20;

/// A template.
struct Template<'n> {
    parameters: Option<&'n Node>,
    resources: &'n [Entry],
    /// What references may still add to the template: its parts may refer to each other so that they grow without end.
    budget: Cell<usize>,
}

/// Bytes that references may add.
const BUDGET: usize = 8 << 20;

impl File<'_> {
    pub(super) fn template(&mut self, node: &Node) {
        let Some(Content::Map(resources)) = node.get("Resources").map(Node::content) else { return };
        let budget = Cell::new(BUDGET);
        let template = Template { parameters: node.get("Parameters"), resources, budget };
        for resource in resources {
            let Some(properties) = resource.value.get("Properties") else { continue };
            match resource.value.text("Type") {
                Some("AWS::IAM::Role") => self.role(&template, resource, properties),
                Some("AWS::IAM::OIDCProvider") => {
                    let url = template
                        .placed(properties, "Url")
                        .unwrap_or_else(|| Placed { value: Text::gap("Url"), at: resource.key_at });
                    // Without the list, IAM takes none for granted.
                    let ids = match properties.get("ClientIdList") {
                        None => Some(Placed { value: Vec::new(), at: resource.key_at }),
                        Some(list) => match template.tree(list, 0).value {
                            Value::List(items) => {
                                let text = |item: &Tree| match &item.value {
                                    Value::Text(text) => text.clone(),
                                    _ => Text::gap("ClientIdList"),
                                };
                                Some(Placed { value: items.iter().map(text).collect(), at: list.at })
                            }
                            _ => None,
                        },
                    };
                    self.change.providers.push(Provider::new(self.name, url, ids));
                }
                Some("AWS::EKS::PodIdentityAssociation") => {
                    let text = |key: &str| template.placed(properties, key);
                    let gap = |key: &str| Placed { value: Text::gap(key), at: resource.key_at };
                    let disabled = properties.get("DisableSessionTags").map(Node::content);
                    let association = Association {
                        file: self.name.to_owned(),
                        at: resource.key_at,
                        namespace: text("Namespace").unwrap_or_else(|| gap("Namespace")).value,
                        service_account: text("ServiceAccount")
                            .unwrap_or_else(|| gap("ServiceAccount"))
                            .value,
                        role: text("RoleArn").unwrap_or_else(|| gap("RoleArn")),
                        target_role: text("TargetRoleArn"),
                        session_tags: matches!(disabled, None | Some(Content::Bool(false))),
                    };
                    self.change.associations.push(association);
                }
                _ => {}
            }
        }
    }

    fn role(&mut self, template: &Template<'_>, resource: &Entry, properties: &Node) {
        let policy = member(properties, "AssumeRolePolicyDocument");
        let policy = policy.map(|policy| match template.tree(&policy.value, 0) {
            Tree { value: value @ Value::Map(_), .. } => Tree { at: policy.key_at, value },
            tree => tree,
        });
        let trust = policy.and_then(|tree| match &tree.value {
            // The whole policy as JSON, mostly for the sake of a function in a key.
            Value::Text(text) => Tree::of_text(text, tree.at),
            Value::Map(_) => Some(tree),
            _ => None,
        });
        // Where a gap stands for what a policy needs to be one, it may turn out to be that.
        let trust = trust
            .filter(|tree| !tree.has_gaps() || Document::parse(&tree.filled(&NOBODY).json.line()).is_ok());
        let formless = trust.as_ref().and_then(|tree| tree.formless().map(str::to_owned));
        let trust = trust.filter(|_| formless.is_none());
        if trust.is_none() {
            let why = formless.map_or_else(String::new, |label| format!(": it depends on {label}"));
            self.unchecked(resource.key_at, format!("{}: its trust policy is not known{why}", resource.key));
        }
        let whole = |key: &str, default: Option<&str>| match template.placed(properties, key) {
            Some(text) => text.value.whole().map(str::to_owned),
            None => default.map(str::to_owned),
        };
        let role = Role {
            file: self.name.to_owned(),
            at: resource.key_at,
            label: resource.key.clone(),
            name: whole("RoleName", None),
            path: whole("Path", Some("/")),
            arn: None,
            trust,
        };
        self.change.roles.push(role);
    }
}

/// The member of an object.
fn member<'n>(object: &'n Node, key: &str) -> Option<&'n Entry> {
    match object.content() {
        Content::Map(entries) => entries.iter().find(|entry| entry.key == key),
        _ => None,
    }
}

impl Template<'_> {
    /// A text of an object.
    fn placed(&self, object: &Node, key: &str) -> Option<Placed<Text>> {
        let node = object.get(key)?;
        let value = match self.tree(node, 0).value {
            Value::Text(text) => text,
            Value::Plain(json) => Text::known(json.line()),
            Value::Gap(label) => Text::gap(label),
            Value::List(_) | Value::Map(_) => return None,
        };
        Some(Placed { value, at: node.at })
    }

    /// A part of the template with its functions resolved.
    fn tree(&self, node: &Node, depth: usize) -> Tree {
        let at = node.at;
        if depth > DEEPEST * 5 {
            return Tree { at, value: Value::Gap(String::from("functions that are nested too deep")) };
        }
        match node.content() {
            Content::Map(entries) => match entries.as_slice() {
                [call] if call.key == "Ref" || call.key.starts_with("Fn::") => {
                    Tree { at, value: self.call(&call.key, &call.value, depth + 1) }
                }
                entries => {
                    let member = |entry: &Entry| Member {
                        key: Text::known(entry.key.as_str()),
                        at: entry.key_at,
                        value: self.tree(&entry.value, depth + 1),
                    };
                    Tree { at, value: Value::Map(entries.iter().map(member).collect()) }
                }
            },
            Content::List(items) => {
                // `AWS::NoValue` removes what it stands for.
                let items = items.iter().filter(|item| item.text("Ref") != Some("AWS::NoValue"));
                Tree { at, value: Value::List(items.map(|item| self.tree(item, depth + 1)).collect()) }
            }
            _ => Tree::of_node(node),
        }
    }

    fn call(&self, function: &str, argument: &Node, depth: usize) -> Value {
        let text = |node: &Node| match node.content() {
            Content::Text(text) => Some(text.clone()),
            _ => None,
        };
        let resolved = match function {
            "Ref" => text(argument).map(|name| self.reference(&name, depth)),
            "Fn::GetAtt" => match argument.content() {
                Content::Text(text) => Some(self.reference(text, depth)),
                Content::List(parts) => {
                    let parts: Option<Vec<String>> = parts.iter().map(text).collect();
                    parts.map(|parts| self.reference(&parts.join("."), depth))
                }
                _ => None,
            },
            "Fn::Sub" => self.sub(argument, depth),
            "Fn::Join" => self.join(argument, depth),
            _ => None,
        };
        resolved.map_or_else(|| Value::Gap(function.to_owned()), Value::Text)
    }

    /// What a name stands for: a parameter's default, an attribute that the template itself tells, or nothing that is known.
    fn reference(&self, name: &str, depth: usize) -> Text {
        let found = self.referred(name, depth);
        let cost = found.shown().len() + name.len() + 1;
        match self.budget.get().checked_sub(cost) {
            Some(left) => {
                self.budget.set(left);
                found
            }
            None => {
                self.budget.set(0);
                Text::gap("too much")
            }
        }
    }

    fn referred(&self, name: &str, depth: usize) -> Text {
        let gap = || Text::gap(name);
        if depth > DEEPEST * 5 || self.budget.get() == 0 {
            return gap();
        }
        if let Some(parameter) = self.parameters.and_then(|all| all.get(name)) {
            // The one who deploys may give another value, but then the template's own would be wrong.
            let is_text = parameter.text("Type").is_none_or(|kind| kind == "String");
            let default = parameter.text("Default").filter(|default| is_text && !default.is_empty());
            return default.map_or_else(gap, Text::known);
        }
        let (logical, attribute) = name.split_once('.').unwrap_or((name, ""));
        let resource = self.resources.iter().find(|resource| resource.key == logical).map(|it| &it.value);
        let Some(resource) = resource else { return gap() };
        let properties = resource.get("Properties");
        match (resource.text("Type"), attribute) {
            (Some("AWS::IAM::OIDCProvider"), "" | "Arn") => {
                let url = properties.and_then(|properties| self.property(properties, "Url", depth));
                let mut arn = Text::known("arn:");
                for piece in [
                    Text::gap("AWS::Partition"),
                    Text::known(":iam::"),
                    Text::gap("AWS::AccountId"),
                    Text::known(":oidc-provider/"),
                ] {
                    arn.push(piece);
                }
                let url = url.unwrap_or_else(|| Text::gap(format!("{logical}.Url")));
                // What is wrong with the URL is said of the provider, once.
                arn.push(match (url.whole().and_then(issuer_of), url.split_at_first("https://")) {
                    (Some(issuer), _) => Text::known(issuer),
                    (None, Some((before, after))) if before == Text::default() => after,
                    (None, _) => url,
                });
                arn
            }
            (Some("AWS::IAM::Role"), "") => properties
                .and_then(|properties| self.property(properties, "RoleName", depth))
                .unwrap_or_else(gap),
            _ => gap(),
        }
    }

    fn property(&self, properties: &Node, key: &str, depth: usize) -> Option<Text> {
        match self.tree(properties.get(key)?, depth + DEEPEST).value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// `Fn::Sub`: a text, or a list of a text and its own names.
    fn sub(&self, argument: &Node, depth: usize) -> Option<Text> {
        let (text, own) = match argument.content() {
            Content::Text(text) => (text, None),
            Content::List(parts) => match (parts.first()?.content(), parts.get(1)) {
                (Content::Text(text), own) => (text, own),
                _ => return None,
            },
            _ => return None,
        };
        let mut found = Text::default();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            found.push(Text::known(before));
            let (name, behind) = after.split_once('}')?;
            let own = own.and_then(|own| own.get(name));
            found.push(match (name.strip_prefix('!'), own) {
                (Some(literal), _) => Text::known(format!("${{{literal}}}")),
                (None, Some(own)) => match self.tree(own, depth + DEEPEST).value {
                    Value::Text(text) => text,
                    Value::Plain(json) => Text::known(json.line()),
                    _ => Text::gap(name),
                },
                (None, None) => self.reference(name.trim(), depth + DEEPEST),
            });
            rest = behind;
        }
        found.push(Text::known(rest));
        Some(found)
    }

    fn join(&self, argument: &Node, depth: usize) -> Option<Text> {
        let Content::List(parts) = argument.content() else { return None };
        let [separator, items] = parts.as_slice() else { return None };
        let Content::Text(separator) = separator.content() else { return None };
        let Value::List(items) = self.tree(items, depth + 1).value else { return None };
        let mut joined = Text::default();
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                joined.push(Text::known(separator.as_str()));
            }
            joined.push(match item.value {
                Value::Text(text) => text,
                Value::Plain(json) => Text::known(json.line()),
                Value::Gap(label) => Text::gap(label),
                Value::List(_) | Value::Map(_) => return None,
            });
        }
        Some(joined)
    }
}

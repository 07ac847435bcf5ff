//! Terraform: the resources of the AWS and Kubernetes providers.

use hcl::Expression;
use hcl::expr::ObjectKey;
use hcl::format::{Format, Formatter};

use super::identifier;
use crate::policy::Json;
use crate::repair::{Assignment, AwsCall, AwsChange, Change, Edit, Given, ObjectChange, ObjectKind};

/// The resource; `None` where there is none, or where an attribute would have to be removed from one that we do not see.
pub(super) fn declare(change: &Change) -> Option<String> {
    match change {
        Change::Aws(AwsChange { call, .. }) => of_call(call),
        Change::Kubernetes(change) => of_object(change),
    }
}

fn of_call(call: &AwsCall) -> Option<String> {
    let resource = |kind: &str, name: &str| Block::new("resource").label(kind).label(&identifier(name, "_"));
    Some(match call {
        AwsCall::UpdateAssumeRolePolicy { role, document } => {
            resource("aws_iam_role", role).text("name", role).policy("assume_role_policy", document).end()
        }
        AwsCall::CreateRole { role, path, document } => resource("aws_iam_role", role)
            .text("name", role)
            .text("path", path)
            .policy("assume_role_policy", document)
            .end(),
        AwsCall::PutRolePolicy { role, policy, document } => resource("aws_iam_role_policy", policy)
            .text("name", policy)
            .text("role", role)
            .policy("policy", document)
            .end(),
        AwsCall::CreateOpenIdConnectProvider { url, client_id } => {
            resource("aws_iam_openid_connect_provider", url.trim_start_matches("https://"))
                .text("url", url)
                .value("client_id_list", &Expression::Array(vec![string(client_id)]))
                .end()
        }
        AwsCall::CreatePodIdentityAssociation { cluster, namespace, service_account, role } => {
            resource("aws_eks_pod_identity_association", &format!("{namespace}_{service_account}"))
                .text("cluster_name", &cluster.name)
                .text("namespace", namespace)
                .text("service_account", service_account)
                .given("role_arn", role)
                .end()
        }
        AwsCall::CreateAddon { cluster, addon } => resource("aws_eks_addon", addon)
            .text("cluster_name", &cluster.name)
            .text("addon_name", addon)
            .end(),
        // An attribute of a resource that is declared elsewhere.
        AwsCall::AddClientId { .. } | AwsCall::UpdateThumbprint { .. } | AwsCall::SetSessionTags { .. } => {
            return None;
        }
    })
}

fn of_object(change: &ObjectChange) -> Option<String> {
    let object = &change.object;
    let name = identifier(&object.name, "_");
    let metadata = |block: Block| {
        let named = Block::new("metadata").text("name", &object.name);
        block.block(match &object.namespace {
            Some(namespace) => named.text("namespace", namespace),
            None => named,
        })
    };
    let of_kind = |resource: &str| {
        let block = Block::new("resource").label(resource).label(&name);
        let block = block.text("api_version", &object.kind.api_version()).text("kind", object.kind.name());
        metadata(block)
    };
    match &change.edit {
        Edit::Create if object.kind == ObjectKind::ServiceAccount => {
            let block = Block::new("resource").label("kubernetes_service_account_v1").label(&name);
            Some(metadata(block).end())
        }
        Edit::Annotate(all) => Some(of_kind("kubernetes_annotations").values("annotations", all)?.end()),
        Edit::Label(all) => Some(of_kind("kubernetes_labels").values("labels", all)?.end()),
        Edit::SetEnv { container, is_init, variables } if object.kind.rolls() => {
            let key = if *is_init { "init_container" } else { "container" };
            let block = of_kind("kubernetes_env").text(key, container);
            let set = |block: Block, one: &Assignment| {
                Some(
                    block
                        .block(Block::new("env").text("name", &one.name).given("value", one.value.as_ref()?)),
                )
            };
            Some(variables.iter().try_fold(block, set)?.end())
        }
        Edit::Create
        | Edit::SetEnv { .. }
        | Edit::SetServiceAccount(_)
        | Edit::Merge(_)
        | Edit::Json(_)
        | Edit::Restart
        | Edit::Delete => None,
    }
}

/// A block, line by line. Every value in it is written by the formatter of the library, which quotes it.
struct Block {
    head: String,
    lines: Vec<String>,
}

impl Block {
    fn new(kind: &str) -> Self {
        Self { head: kind.to_owned(), lines: Vec::new() }
    }

    fn label(self, label: &str) -> Self {
        Self { head: format!("{} {}", self.head, formatted(&string(label))), ..self }
    }

    fn text(self, key: &str, text: &str) -> Self {
        self.value(key, &string(text))
    }

    fn given(self, key: &str, given: &Given) -> Self {
        match given {
            Given::Text(text) => self.text(key, text),
            // A variable of the module, which `terraform plan` asks for.
            Given::Asked(placeholder) => self.value(key, &variable(&placeholder.name().to_lowercase())),
        }
    }

    fn values(self, key: &str, all: &[Assignment]) -> Option<Self> {
        let entry = |one: &Assignment| match one.value.as_ref()? {
            Given::Text(text) => Some((ObjectKey::Expression(string(&one.name)), string(text))),
            Given::Asked(placeholder) => {
                Some((ObjectKey::Expression(string(&one.name)), variable(&placeholder.name().to_lowercase())))
            }
        };
        let entries = all.iter().map(entry).collect::<Option<hcl::expr::Object<_, _>>>()?;
        Some(self.value(key, &Expression::Object(entries)))
    }

    fn value(mut self, key: &str, value: &Expression) -> Self {
        self.push(&format!("{key} = {}", formatted(value)));
        self
    }

    /// The document as an object, which is easier to review than a text.
    fn policy(mut self, key: &str, document: &Json) -> Self {
        self.push(&format!("{key} = jsonencode({})", formatted(&expression(document))));
        self
    }

    fn block(mut self, inner: Self) -> Self {
        self.push("");
        self.push(inner.end().trim_end());
        self
    }

    fn push(&mut self, text: &str) {
        let indented = |line: &str| if line.is_empty() { String::new() } else { format!("  {line}") };
        self.lines.extend(text.split('\n').map(indented));
    }

    fn end(self) -> String {
        format!("{} {{\n{}\n}}\n", self.head, self.lines.join("\n"))
    }
}

fn string(text: &str) -> Expression {
    Expression::String(text.to_owned())
}

fn variable(name: &str) -> Expression {
    let variable = hcl::expr::Variable::sanitized("var");
    let name = hcl::Identifier::sanitized(name);
    Expression::from(hcl::expr::Traversal::new(variable, [hcl::expr::TraversalOperator::GetAttr(name)]))
}

fn expression(json: &Json) -> Expression {
    match json {
        Json::Null => Expression::Null,
        Json::Bool(flag) => Expression::Bool(*flag),
        Json::Number(number) => match number.as_f64().and_then(hcl::Number::from_f64) {
            Some(number) => Expression::Number(number),
            None => string(&number.to_string()),
        },
        Json::String(text) => string(text),
        Json::Array(items) => Expression::Array(items.iter().map(expression).collect()),
        Json::Object(members) => {
            let entry =
                |(key, value): &(String, Json)| (ObjectKey::Expression(string(key)), expression(value));
            Expression::Object(members.iter().map(entry).collect())
        }
    }
}

fn formatted(expression: &Expression) -> String {
    let mut formatter = Formatter::builder().prefer_ident_keys(true).build_vec();
    // Writing to memory does not fail.
    expression.format_string(&mut formatter).unwrap_or_default()
}

//! The forms that clusters enforce.

use serde_json::{Value, json};

use super::{On, Rule};
use crate::text::yaml::Node;

/// What enforces the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The API server itself: ValidatingAdmissionPolicy, Kubernetes 1.30 and later.
    Vap,
    /// Kyverno 1.13 and later: ClusterPolicy.
    Kyverno,
    /// Gatekeeper 3.18 and later, with its CEL engine: ConstraintTemplate.
    Gatekeeper,
}

/// What is done about a bad object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is noted.
    Audit,
    /// Whoever creates it is warned.
    Warn,
    /// It is refused.
    Deny,
}

/// What stands before the names of the policies.
const PREFIX: &str = "irsa";

/// The rules as documents of YAML, for the namespaces with these labels.
///
/// # Errors
/// A value that YAML cannot hold.
pub fn render(
    rules: &[Rule],
    form: Form,
    action: Action,
    namespaces: Option<(&str, &str)>,
) -> Result<String, serde_saphyr::ser::Error> {
    let selector = namespaces.map(|(key, value)| json!({ "matchLabels": { key: value } }));
    let documents: Vec<Value> = match form {
        Form::Vap => rules.iter().flat_map(|rule| vap(rule, action, selector.as_ref())).collect(),
        Form::Kyverno if rules.is_empty() => Vec::new(),
        Form::Kyverno => vec![kyverno(rules, action, selector.as_ref())],
        Form::Gatekeeper => {
            rules.iter().flat_map(|rule| gatekeeper(rule, action, selector.as_ref())).collect()
        }
    };
    let texts: Result<Vec<String>, _> = documents
        .into_iter()
        .map(|document| {
            serde_json::from_value::<Node>(document).map_or(Ok(String::new()), |node| node.document())
        })
        .collect();
    Ok(texts?.join("---\n"))
}

impl Rule {
    /// True, in CEL, of an object in order.
    fn expression(&self) -> String {
        format!("!({})", self.bad)
    }

    fn name(&self) -> String {
        format!("{PREFIX}-{}", self.id)
    }

    const fn plural(&self) -> &'static str {
        match self.on {
            On::ServiceAccounts => "serviceaccounts",
            On::Pods => "pods",
        }
    }

    const fn kind(&self) -> &'static str {
        match self.on {
            On::ServiceAccounts => "ServiceAccount",
            On::Pods => "Pod",
        }
    }

    /// A pod's containers do not change; its labels do.
    const fn operations(&self) -> [&'static str; 2] {
        ["CREATE", "UPDATE"]
    }
}

fn vap(rule: &Rule, action: Action, namespaces: Option<&Value>) -> [Value; 2] {
    let (actions, failure) = match action {
        Action::Audit => (json!(["Audit"]), "Ignore"),
        Action::Warn => (json!(["Warn", "Audit"]), "Ignore"),
        Action::Deny => (json!(["Deny"]), "Fail"),
    };
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": { "name": rule.name() },
        "spec": {
            "failurePolicy": failure,
            "matchConstraints": { "resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": rule.operations(), "resources": [rule.plural()],
            }] },
            "validations": [{ "expression": rule.expression(), "message": rule.message }],
        },
    });
    let mut binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": { "name": rule.name() },
        "spec": { "policyName": rule.name(), "validationActions": actions },
    });
    if let Some(selector) = namespaces {
        binding["spec"]["matchResources"] = json!({ "namespaceSelector": selector });
    }
    [policy, binding]
}

fn kyverno(rules: &[Rule], action: Action, namespaces: Option<&Value>) -> Value {
    let enforce = if action == Action::Deny { "Enforce" } else { "Audit" };
    let rule = |rule: &Rule| {
        let mut resources = json!({ "kinds": [rule.kind()], "operations": rule.operations() });
        if let Some(selector) = namespaces {
            resources["namespaceSelector"] = selector.clone();
        }
        json!({
            "name": rule.id,
            "match": { "any": [{ "resources": resources }] },
            "validate": {
                "failureAction": enforce,
                "cel": { "expressions": [{ "expression": rule.expression(), "message": rule.message }] },
            },
        })
    };
    json!({
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {
            "name": PREFIX,
            // What is about pods is not about what makes them: the webhook sees pods only.
            "annotations": { "pod-policies.kyverno.io/autogen-controllers": "none" },
        },
        "spec": {
            "background": true,
            "emitWarning": action == Action::Warn,
            "rules": rules.iter().map(rule).collect::<Vec<_>>(),
        },
    })
}

fn gatekeeper(rule: &Rule, action: Action, namespaces: Option<&Value>) -> [Value; 2] {
    // `irsa-skip-label`: the kind is IrsaSkipLabel, and the template's name must be its lower case.
    let kind: String = rule
        .name()
        .split('-')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect();
    let enforcement = match action {
        Action::Audit => "dryrun",
        Action::Warn => "warn",
        Action::Deny => "deny",
    };
    let template = json!({
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": { "name": kind.to_ascii_lowercase() },
        "spec": {
            "crd": { "spec": { "names": { "kind": kind } } },
            "targets": [{
                "target": "admission.k8s.gatekeeper.sh",
                "code": [{ "engine": "K8sNativeValidation", "source": {
                    "validations": [{ "expression": rule.expression(), "message": rule.message }],
                } }],
            }],
        },
    });
    let mut matches = json!({ "kinds": [{ "apiGroups": [""], "kinds": [rule.kind()] }] });
    if let Some(selector) = namespaces {
        matches["namespaceSelector"] = selector.clone();
    }
    let constraint = json!({
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": kind,
        "metadata": { "name": rule.name() },
        "spec": { "enforcementAction": enforcement, "match": matches },
    });
    [template, constraint]
}

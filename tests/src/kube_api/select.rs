//! Label and field selectors, with the field labels that a real server knows for each kind
//! (`AddFieldLabelConversionFunc` in its source) and its words for those it does not.

use serde_json::Value;

/// A parsed selector; an empty one selects everything.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldTerm>,
}

#[derive(Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

#[derive(Debug, PartialEq, Eq)]
struct FieldTerm {
    field: String,
    value: String,
    equal: bool,
}

impl Selector {
    /// Parses both parameters for objects of a kind; the error is the message of a 400 answer.
    pub fn parse(kind: &str, labels: Option<&str>, fields: Option<&str>) -> Result<Selector, String> {
        Ok(Selector {
            labels: labels.map_or_else(|| Ok(Vec::new()), parse_labels)?,
            fields: fields.map_or_else(|| Ok(Vec::new()), |text| parse_fields(kind, text))?,
        })
    }

    /// Whether it selects everything: only then does a page carry `remainingItemCount`.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether the object is selected.
    pub fn matches(&self, object: &Value) -> bool {
        self.labels.iter().all(|r| r.matches(&object["metadata"]["labels"]))
            && self.fields.iter().all(|t| (field_value(object, &t.field) == t.value) == t.equal)
    }
}

impl Requirement {
    fn matches(&self, labels: &Value) -> bool {
        let value = |key: &str| labels.get(key).and_then(Value::as_str);
        match self {
            Requirement::In(key, values) => value(key).is_some_and(|v| values.iter().any(|w| w == v)),
            // A missing label is not in the set: `!=` and `notin` select it.
            Requirement::NotIn(key, values) => !value(key).is_some_and(|v| values.iter().any(|w| w == v)),
            Requirement::Exists(key) => value(key).is_some(),
            Requirement::Absent(key) => value(key).is_none(),
        }
    }
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>, String> {
    split_outside_parentheses(text).into_iter().map(|term| parse_requirement(term.trim())).collect()
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_u32);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn parse_requirement(term: &str) -> Result<Requirement, String> {
    let requirement = if let Some(requirement) = parse_set(term)? {
        requirement
    } else if let Some((key, value)) = term.split_once("!=") {
        Requirement::NotIn(label_key(key, term)?, vec![label_value(value, term)?])
    } else if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        Requirement::In(label_key(key, term)?, vec![label_value(value, term)?])
    } else if let Some(key) = term.strip_prefix('!') {
        Requirement::Absent(label_key(key, term)?)
    } else {
        Requirement::Exists(label_key(term, term)?)
    };
    Ok(requirement)
}

/// `KEY in (A, B)` and `KEY notin (A, B)`.
fn parse_set(term: &str) -> Result<Option<Requirement>, String> {
    let Some((head, rest)) = term.split_once('(') else { return Ok(None) };
    let inner = rest.strip_suffix(')').ok_or_else(|| not_understood(term))?;
    let values = inner.split(',').map(|v| label_value(v, term)).collect::<Result<Vec<_>, _>>()?;
    let (key, operator) = head.trim().rsplit_once(char::is_whitespace).ok_or_else(|| not_understood(term))?;
    let key = label_key(key, term)?;
    match operator {
        "in" => Ok(Some(Requirement::In(key, values))),
        "notin" => Ok(Some(Requirement::NotIn(key, values))),
        _ => Err(not_understood(term)),
    }
}

fn not_understood(term: &str) -> String {
    format!("unable to parse requirement: found '{term}', expected: in, notin, =, ==, !=, or a key")
}

fn label_key(text: &str, term: &str) -> Result<String, String> {
    label_text(text, term, "/")
        .and_then(|key| if key.is_empty() { Err(not_understood(term)) } else { Ok(key) })
}

fn label_value(text: &str, term: &str) -> Result<String, String> {
    label_text(text, term, "")
}

fn label_text(text: &str, term: &str, more: &str) -> Result<String, String> {
    let text = text.trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || more.contains(c);
    if text.chars().all(allowed) { Ok(text.to_owned()) } else { Err(not_understood(term)) }
}

/// Field labels beyond `metadata.name` and `metadata.namespace`; `None` for kinds without a list of their own.
fn field_labels(kind: &str) -> Option<&'static [&'static str]> {
    let labels: &[&str] = match kind {
        "Pod" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "Event" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "Node" => &["spec.unschedulable"],
        "Namespace" => &["status.phase"],
        "Secret" => &["type"],
        "Service" => &["spec.clusterIP", "spec.type"],
        "ReplicationController" | "ReplicaSet" => &["status.replicas"],
        "Job" => &["status.successful"],
        _ => return None,
    };
    Some(labels)
}

fn check_field(kind: &str, field: &str) -> Result<(), String> {
    let in_metadata = matches!(field, "metadata.name" | "metadata.namespace");
    match field_labels(kind) {
        _ if in_metadata => Ok(()),
        Some(labels) if labels.contains(&field) => Ok(()),
        Some(_) => Err(format!("field label not supported: {field}")),
        None => Err(format!(
            "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        )),
    }
}

fn parse_fields(kind: &str, text: &str) -> Result<Vec<FieldTerm>, String> {
    text.split(',').filter(|term| !term.is_empty()).map(|term| parse_field(kind, text, term)).collect()
}

fn parse_field(kind: &str, selector: &str, term: &str) -> Result<FieldTerm, String> {
    let (field, value, equal) = if let Some((field, value)) = term.split_once("!=") {
        (field, value, false)
    } else if let Some((field, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        (field, value, true)
    } else {
        return Err(format!("invalid selector: '{selector}'; can't understand '{term}'"));
    };
    check_field(kind, field)?;
    Ok(FieldTerm { field: field.to_owned(), value: value.to_owned(), equal })
}

/// The value of a field label; an absent field is the empty string, as Go's zero value is.
fn field_value(object: &Value, field: &str) -> String {
    let at = |path: &str| path.split('.').fold(object, |value, key| &value[key]);
    let found = match field {
        "source" if at("source.component").as_str().is_some_and(|s| !s.is_empty()) => at("source.component"),
        "source" => at("reportingComponent"),
        other => at(other),
    };
    match found {
        Value::String(text) => text.clone(),
        Value::Null if field == "spec.hostNetwork" || field == "spec.unschedulable" => "false".to_owned(),
        Value::Null if field.starts_with("status.replicas") || field == "status.successful" => "0".to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn selects(labels: &str, object: &Value) -> bool {
        Selector::parse("Pod", Some(labels), None).unwrap().matches(object)
    }

    fn selects_field(kind: &str, fields: &str, object: &Value) -> bool {
        Selector::parse(kind, None, Some(fields)).unwrap().matches(object)
    }

    #[test]
    fn labels() {
        let pod =
            json!({"metadata": {"labels": {"app": "checkout", "app.kubernetes.io/name": "x", "empty": ""}}});
        for (selector, selected) in [
            ("app=checkout", true),
            ("app==checkout", true),
            ("app = checkout", true),
            ("app=other", false),
            ("app!=other", true),
            ("absent!=other", true),
            ("app!=checkout", false),
            ("app in (checkout, other)", true),
            ("app in (other)", false),
            ("absent in (other)", false),
            ("app notin (other,more)", true),
            ("app notin (checkout)", false),
            ("absent notin (checkout)", true),
            ("app", true),
            ("!app", false),
            ("!absent", true),
            ("empty=", true),
            ("app.kubernetes.io/name=x,app in (a,checkout),!absent", true),
            ("app.kubernetes.io/name=x,app in (a,b),!absent", false),
        ] {
            assert_eq!(selects(selector, &pod), selected, "{selector}");
        }
    }

    #[test]
    fn bad_label_selectors() {
        for selector in ["app in (a", "app near (a)", "=x", "a b", "app=x y", "app,"] {
            assert!(Selector::parse("Pod", Some(selector), None).is_err(), "{selector}");
        }
    }

    #[test]
    fn pod_fields() {
        let pod = json!({"metadata": {"name": "x", "namespace": "shop"},
                         "spec": {"serviceAccountName": "checkout"}, "status": {"phase": "Running"}});
        assert!(selects_field("Pod", "metadata.name=x,spec.serviceAccountName==checkout", &pod));
        assert!(selects_field("Pod", "status.phase!=Pending,spec.nodeName=", &pod));
        assert!(!selects_field("Pod", "spec.nodeName=node-1", &pod));
    }

    #[test]
    fn event_fields() {
        let event = json!({"reason": "Failed", "type": "Warning", "reportingComponent": "kubelet",
                           "involvedObject": {"kind": "Pod", "name": "crash", "namespace": "shop", "uid": "u"}});
        assert!(selects_field(
            "Event",
            "involvedObject.kind=Pod,involvedObject.name=crash,type=Warning",
            &event
        ));
        assert!(selects_field("Event", "involvedObject.uid=u,reason=Failed,source=kubelet", &event));
        assert!(!selects_field("Event", "involvedObject.namespace=other", &event));
    }

    #[test]
    fn unknown_fields_in_the_servers_words() {
        let error = |kind, field| Selector::parse(kind, None, Some(field)).unwrap_err();
        assert_eq!(error("Pod", "spec.foo=x"), "field label not supported: spec.foo");
        assert_eq!(
            error("ConfigMap", "data.x=y"),
            "\"data.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
        assert_eq!(error("Pod", "nonsense"), "invalid selector: 'nonsense'; can't understand 'nonsense'");
    }
}

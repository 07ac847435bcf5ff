//! A container's environment, from its spec and the objects that it refers to.

use super::pod::list;
use crate::kube_api::Store;
use crate::kube_api::resources::by_path;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where references lead.
pub struct Sources<'s> {
    /// The API server's objects.
    pub store: &'s Store,
    /// The container's pod.
    pub pod: &'s Value,
}

type Entries = BTreeMap<String, String>;

impl Sources<'_> {
    /// The variables that a container's spec gives it, or what is missing, as the kubelet words it.
    pub fn environment(&self, container: &Value) -> Result<Entries, String> {
        let mut all = Entries::new();
        for source in list(&container["envFrom"]) {
            let prefix = source["prefix"].as_str().unwrap_or_default();
            let (kind, reference) = match &source["configMapRef"] {
                Value::Null => ("secret", &source["secretRef"]),
                reference => ("configmap", reference),
            };
            let found = self.entries(kind, reference)?.unwrap_or_default();
            all.extend(found.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)));
        }
        for variable in list(&container["env"]) {
            let name = variable["name"].as_str().unwrap_or_default().to_owned();
            let value = match &variable["valueFrom"] {
                Value::Null => Some(expand(variable["value"].as_str().unwrap_or_default(), &all)),
                from => self.value_from(from)?,
            };
            if let Some(value) = value {
                all.insert(name, value);
            }
        }
        Ok(all)
    }

    fn value_from(&self, from: &Value) -> Result<Option<String>, String> {
        if let Some(path) = from["fieldRef"]["fieldPath"].as_str() {
            return Ok(Some(self.field(path)));
        }
        for (kind, reference) in [("configmap", &from["configMapKeyRef"]), ("secret", &from["secretKeyRef"])]
        {
            if reference.is_null() {
                continue;
            }
            let (name, key) = (text(&reference["name"]), text(&reference["key"]));
            let Some(entries) = self.entries(kind, reference)? else { return Ok(None) };
            let value = entries.get(&key).cloned();
            if value.is_none() && reference["optional"] != true {
                let kind = if kind == "secret" { "Secret" } else { "ConfigMap" };
                return Err(format!("couldn't find key {key} in {kind} {}/{name}", self.namespace()));
            }
            return Ok(value);
        }
        Ok(None)
    }

    fn namespace(&self) -> String {
        text(&self.pod["metadata"]["namespace"])
    }

    /// What a ConfigMap or a Secret holds; nothing if it may be missing and is.
    pub fn entries(&self, kind: &str, reference: &Value) -> Result<Option<Entries>, String> {
        let name = text(&reference["name"]);
        let resource = by_path("", &format!("{kind}s"));
        let object = resource.and_then(|resource| self.store.find(resource, &self.namespace(), &name));
        let Some(object) = object else {
            let missing = format!("{kind} \"{name}\" not found");
            return if reference["optional"] == true { Ok(None) } else { Err(missing) };
        };
        let decode = |value: &str| match kind {
            "secret" => STANDARD
                .decode(value)
                .map_or_else(|_| value.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned()),
            _ => value.to_owned(),
        };
        let fields = |name: &str| object.value[name].as_object().cloned().unwrap_or_default();
        let plain = fields("stringData").into_iter().map(|(key, value)| (key, text(&value)));
        let data = fields("data").into_iter().map(|(key, value)| (key, decode(&text(&value))));
        Ok(Some(data.chain(plain).collect()))
    }

    /// A field of the pod, as the downward API names it.
    pub fn field(&self, path: &str) -> String {
        let quoted = |kind: &str| path.strip_prefix(kind)?.strip_prefix("['")?.strip_suffix("']");
        if let Some(key) = quoted("metadata.labels") {
            return text(&self.pod["metadata"]["labels"][key]);
        }
        if let Some(key) = quoted("metadata.annotations") {
            return text(&self.pod["metadata"]["annotations"][key]);
        }
        text(path.split('.').fold(self.pod, |value, key| &value[key]))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// `$(NAME)` stands for a variable that was set before, `$$` for a dollar; what is unknown stays.
fn expand(value: &str, known: &Entries) -> String {
    let (mut out, mut rest) = (String::new(), value);
    while let Some((before, after)) = rest.split_once('$') {
        out += before;
        let name = after.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        rest = match (after.strip_prefix('$'), name) {
            (Some(after), _) => {
                out.push('$');
                after
            }
            (None, Some((name, after))) => {
                out += &known.get(name).cloned().unwrap_or_else(|| format!("$({name})"));
                after
            }
            (None, None) => {
                out.push('$');
                after
            }
        };
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_between_variables() {
        let known = Entries::from([("A".to_owned(), "1".to_owned())]);
        for (value, expected) in
            [("$(A)-$(B)", "1-$(B)"), ("$$(A)", "$(A)"), ("5$", "5$"), ("plain", "plain"), ("$(A", "$(A")]
        {
            assert_eq!(expand(value, &known), expected, "{value}");
        }
    }
}

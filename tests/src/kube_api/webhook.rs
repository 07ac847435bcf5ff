//! What the EKS webhook does to a pod that is created: whether it is called at all (`MutatingWebhookConfiguration`), and what it adds
//! (`handler.go` of amazon-eks-pod-identity-webhook). Written from its source, and shares nothing with the plugin.

use super::resources::by_path;
use super::store::Store;
use crate::world::Object;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const NAMES: [&str; 2] = ["iam-for-pods.amazonaws.com", "pod-identity-webhook.amazonaws.com"];
const ROLE_ARN: &str = "AWS_ROLE_ARN";
const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
const CREDENTIALS_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const AUTHORIZATION_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
const REGIONAL: &str = "AWS_STS_REGIONAL_ENDPOINTS";
const REGIONS: [&str; 2] = ["AWS_DEFAULT_REGION", "AWS_REGION"];

/// What the webhook knows when a pod is created.
pub struct Admission<'s> {
    /// The objects.
    pub store: &'s Store,
    /// The URL of the service account issuer.
    pub issuer: &'s str,
    /// Whether EKS Pod Identity has an association for a service account, by namespace and name.
    pub has_association: &'s HasAssociation,
}

/// Whether EKS Pod Identity has an association for a service account, by namespace and name.
pub type HasAssociation = dyn Fn(&str, &str) -> bool + Send + Sync;

/// What came of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called {
    /// It answered, or was not to be called.
    Well,
    /// It could not be called, and its registration does not let pods pass then.
    Refused,
}

/// The flags of a webhook that runs in the cluster; EKS's own has these.
struct Flags {
    prefix: String,
    audience: String,
    region: Option<String>,
    /// Roles from a ConfigMap, by `NAMESPACE/NAME`.
    configured: Value,
}

/// How a container gets credentials.
struct Method {
    variables: [(&'static str, String); 2],
    volume: &'static str,
    directory: String,
    audience: String,
    path: &'static str,
}

impl Admission<'_> {
    /// Completes a pod of this service account. `later` are containers that another webhook adds afterwards: the EKS webhook sees them
    /// if it is invoked again.
    pub fn mutate(&self, pod: &mut Value, account: &Value, later: &[Value]) -> Called {
        let mut refused = false;
        let mut again = false;
        let configurations = by_path("admissionregistration.k8s.io", "mutatingwebhookconfigurations");
        for object in configurations.map(|kind| self.store.all(kind, "")).unwrap_or_default() {
            for webhook in object.value["webhooks"].as_array().into_iter().flatten() {
                if !NAMES.iter().any(|name| webhook["name"] == *name) || !self.selects(webhook, pod) {
                    continue;
                }
                if self.can_be_called(webhook, pod) {
                    self.add(webhook, pod, account);
                    again |= webhook["reinvocationPolicy"] == "IfNeeded";
                } else {
                    refused |= webhook["failurePolicy"] == "Fail";
                }
            }
        }
        for container in later {
            push(&mut pod["spec"]["containers"], container.clone());
        }
        if again && !later.is_empty() {
            return self.mutate(pod, account, &[]);
        }
        if refused { Called::Refused } else { Called::Well }
    }

    /// Rules and selectors.
    fn selects(&self, webhook: &Value, pod: &Value) -> bool {
        let names = |rule: &Value, field: &str, wanted: &str| {
            let list = rule[field].as_array().map_or(&[][..], Vec::as_slice);
            list.iter().any(|item| item == wanted || item == "*")
        };
        let rule = |rule: &Value| {
            names(rule, "operations", "CREATE")
                && names(rule, "resources", "pods")
                && names(rule, "apiGroups", "")
                && names(rule, "apiVersions", "v1")
        };
        let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
        let namespace = by_path("", "namespaces").and_then(|kind| self.store.find(kind, "", namespace));
        let labels = namespace.map(|object| object.value["metadata"]["labels"].clone()).unwrap_or_default();
        webhook["rules"].as_array().is_some_and(|rules| rules.iter().any(rule))
            && matches(&webhook["namespaceSelector"], &labels)
            && matches(&webhook["objectSelector"], &pod["metadata"]["labels"])
    }

    /// Whether the API server reaches it, trusts its certificate, and speaks a version that every build of it knows.
    fn can_be_called(&self, webhook: &Value, pod: &Value) -> bool {
        let versions = webhook["admissionReviewVersions"].as_array().map_or(&[][..], Vec::as_slice);
        let config = &webhook["clientConfig"];
        let bundle =
            config["caBundle"].as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
        let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
        let root =
            by_path("", "configmaps").and_then(|kind| self.store.find(kind, namespace, "kube-root-ca.crt"));
        let trusted = root.is_none_or(|root| {
            let root = root.value["data"]["ca.crt"].as_str().unwrap_or_default();
            String::from_utf8_lossy(&bundle).contains(root.trim())
        });
        let service = &config["service"];
        let served = service.is_null() || {
            let text = |field: &str| service[field].as_str().unwrap_or_default();
            let slices = by_path("discovery.k8s.io", "endpointslices");
            let slices = slices.map(|kind| self.store.all(kind, text("namespace"))).unwrap_or_default();
            let of_it = slices.iter().filter(|slice| {
                slice.value["metadata"]["labels"]["kubernetes.io/service-name"] == *text("name")
            });
            let endpoints = of_it.flat_map(|slice| slice.value["endpoints"].as_array().into_iter().flatten());
            endpoints.into_iter().any(|endpoint| endpoint["conditions"]["ready"] != json!(false))
        };
        // One in the cluster has its own certificate.
        let trusted = trusted || !service.is_null();
        trusted && served && versions.iter().any(|version| version == "v1beta1")
    }

    fn add(&self, webhook: &Value, pod: &mut Value, account: &Value) {
        let flags = self.flags(&webhook["clientConfig"]["service"]);
        let annotation = |object: &Value, name: &str| {
            object["metadata"]["annotations"][format!("{}/{name}", flags.prefix)].as_str().map(str::to_owned)
        };
        let Some(method) = self.method(&flags, pod, account) else { return };
        let seconds = annotation(pod, "token-expiration").or_else(|| annotation(account, "token-expiration"));
        let seconds =
            seconds.and_then(|text| text.parse::<i64>().ok()).map_or(86_400, |seconds| seconds.max(3600));
        let regional = annotation(account, "sts-regional-endpoints").is_none_or(|text| text != "false");
        let skipped = skipped(&annotation(pod, "skip-containers").unwrap_or_default());
        let mut changed = false;
        for kind in ["initContainers", "containers"] {
            for container in pod["spec"][kind].as_array_mut().into_iter().flatten() {
                if skipped.iter().all(|name| container["name"] != **name) {
                    changed |= complete(container, &method, regional, flags.region.as_deref());
                }
            }
        }
        let volumes = &mut pod["spec"]["volumes"];
        if changed && !has(volumes, method.volume) {
            let token =
                json!({"audience": method.audience, "expirationSeconds": seconds, "path": method.path});
            push(
                volumes,
                json!({
                    "name": method.volume,
                    "projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": token}]},
                }),
            );
        }
    }

    /// An association goes before the annotation.
    fn method(&self, flags: &Flags, pod: &Value, account: &Value) -> Option<Method> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text(&account["metadata"]["namespace"]), text(&account["metadata"]["name"]));
        if (self.has_association)(&namespace, &name) {
            let directory = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount".to_owned();
            let file = format!("{directory}/eks-pod-identity-token");
            return Some(Method {
                variables: [
                    (CREDENTIALS_URI, "http://169.254.170.23/v1/credentials".to_owned()),
                    (AUTHORIZATION_FILE, file),
                ],
                volume: "eks-pod-identity-token",
                directory,
                audience: "pods.eks.amazonaws.com".to_owned(),
                path: "eks-pod-identity-token",
            });
        }
        let annotations = &account["metadata"]["annotations"];
        let configured = &flags.configured[format!("{namespace}/{name}")];
        let role = [&annotations[format!("{}/role-arn", flags.prefix)], &configured["RoleARN"]];
        let role = role.into_iter().map(text).find(|role| !role.is_empty())?;
        let audience = [&annotations[format!("{}/audience", flags.prefix)], &configured["Audience"]];
        let audience = audience.into_iter().map(text).find(|text| !text.is_empty());
        let directory = "/var/run/secrets/eks.amazonaws.com/serviceaccount".to_owned();
        let file = format!("{directory}/token");
        // The variable alone is converted; the mount is not.
        let file = if is_windows(pod) { format!("C:{}", file.replace('/', r"\")) } else { file };
        Some(Method {
            variables: [(ROLE_ARN, role), (TOKEN_FILE, file)],
            volume: "aws-iam-token",
            directory,
            audience: audience.unwrap_or_else(|| flags.audience.clone()),
            path: "token",
        })
    }

    fn flags(&self, service: &Value) -> Flags {
        // EKS's own is told its Region; here a node's labels have it, or the issuer's URL.
        let nodes = by_path("", "nodes").map(|kind| self.store.all(kind, "")).unwrap_or_default();
        let label = |node: &Object| {
            node.value["metadata"]["labels"]["topology.kubernetes.io/region"].as_str().map(str::to_owned)
        };
        let of_issuer = self.issuer.strip_prefix("https://oidc.eks.").and_then(|rest| rest.split('.').next());
        let region = nodes.iter().find_map(|node| label(node)).or_else(|| of_issuer.map(str::to_owned));
        let mut flags = Flags {
            prefix: "eks.amazonaws.com".to_owned(),
            audience: "sts.amazonaws.com".to_owned(),
            region,
            configured: Value::Null,
        };
        if service.is_null() {
            return flags;
        }
        let text = |field: &str| service[field].as_str().unwrap_or_default();
        let deployment = by_path("apps", "deployments")
            .and_then(|kind| self.store.find(kind, text("namespace"), text("name")));
        let Some(deployment) = deployment else { return flags };
        flags.region = None;
        let containers = &deployment.value["spec"]["template"]["spec"]["containers"];
        let words = containers.as_array().into_iter().flatten().flat_map(|container| {
            let list = |field: &str| container[field].as_array().cloned().unwrap_or_default();
            list("command").into_iter().chain(list("args"))
        });
        for word in words {
            match word.as_str().unwrap_or_default().trim_start_matches('-').split_once('=') {
                Some(("annotation-prefix", value)) => value.clone_into(&mut flags.prefix),
                Some(("token-audience", value)) => value.clone_into(&mut flags.audience),
                Some(("aws-default-region", value)) => flags.region = Some(value.to_owned()),
                Some(("watch-config-map", "true")) => {
                    let config = by_path("", "configmaps")
                        .and_then(|kind| self.store.find(kind, text("namespace"), "pod-identity-webhook"));
                    let config = config.and_then(|config| {
                        serde_json::from_str(config.value["data"]["config"].as_str().unwrap_or_default()).ok()
                    });
                    flags.configured = config.unwrap_or_default();
                }
                _ => {}
            }
        }
        flags
    }
}

fn is_windows(pod: &Value) -> bool {
    let selector = &pod["spec"]["nodeSelector"];
    ["kubernetes.io/os", "beta.kubernetes.io/os"].iter().any(|label| selector[label] == "windows")
}

/// One line of comma-separated values, as `encoding/csv` reads it; nothing is skipped by a line that it refuses.
fn skipped(text: &str) -> Vec<String> {
    let fields: Vec<&str> = text.split(',').collect();
    let quoted = |field: &&str| field.len() > 1 && field.starts_with('"') && field.ends_with('"');
    if fields.iter().any(|field| field.contains('"') && !quoted(field)) {
        return Vec::new();
    }
    fields.into_iter().map(|field| field.trim_matches('"').to_owned()).collect()
}

/// A container that has all the variables stays as it is; of a pair, the webhook adds both or none.
fn complete(container: &mut Value, method: &Method, regional: bool, region: Option<&str>) -> bool {
    let [(first, _), (second, _)] = &method.variables;
    let paired = has(&container["env"], first) || has(&container["env"], second);
    let has_region = REGIONS.iter().any(|name| has(&container["env"], name));
    let has_regional = has(&container["env"], REGIONAL);
    if paired && has_region && has_regional {
        return false;
    }
    let mut added: Vec<(&str, String)> = Vec::new();
    if !has_regional && regional {
        added.push((REGIONAL, "regional".to_owned()));
    }
    if !has_region && let Some(region) = region {
        added.extend(REGIONS.map(|name| (name, region.to_owned())));
    }
    if !paired {
        added.extend(method.variables.iter().cloned());
    }
    let mut changed = !added.is_empty();
    for (name, value) in added {
        push(&mut container["env"], json!({"name": name, "value": value}));
    }
    if !has(&container["volumeMounts"], method.volume) {
        let mount = json!({"name": method.volume, "mountPath": method.directory, "readOnly": true});
        push(&mut container["volumeMounts"], mount);
        changed = true;
    }
    changed
}

/// A label selector; an empty one selects everything.
fn matches(selector: &Value, labels: &Value) -> bool {
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    equal.into_iter().all(|(key, value)| labels[key] == *value)
        && expressions.into_iter().all(|expression| {
            let label = expression["key"].as_str().map(|key| &labels[key]).filter(|label| !label.is_null());
            let named = || {
                let values = expression["values"].as_array();
                values.is_some_and(|values| values.iter().any(|value| Some(value) == label))
            };
            match expression["operator"].as_str().unwrap_or_default() {
                "In" => named(),
                "NotIn" => !named(),
                "Exists" => label.is_some(),
                "DoesNotExist" => label.is_none(),
                _ => false,
            }
        })
}

fn has(list: &Value, name: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|item| item["name"] == name))
}

fn push(list: &mut Value, item: Value) {
    match list {
        Value::Array(list) => list.push(item),
        missing => *missing = json!([item]),
    }
}

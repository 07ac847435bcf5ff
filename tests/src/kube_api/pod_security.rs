//! PodSecurity admission: the levels `baseline` and `restricted`, over the whole pod, with the words of the API server,
//! recording `ec-patch-psa-refused`. Rules about SELinux, AppArmor, sysctls and `/proc` are not here.

use serde_json::{Value, json};

/// Capabilities that `baseline` lets a container add.
const BASELINE: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Types of volumes that `restricted` allows.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// Why a pod is refused in a namespace, if it is.
pub fn refusal(namespace: &Value, pod: &Value) -> Option<String> {
    let label =
        |name: &str| namespace["metadata"]["labels"][format!("pod-security.kubernetes.io/{name}")].as_str();
    let level = label("enforce")?;
    let pod = Pod::of(pod);
    let violations = match level {
        "restricted" => [pod.baseline(), pod.restricted()].concat(),
        "baseline" => [pod.baseline(), pod.added_capabilities(), pod.unconfined()].concat(),
        _ => return None,
    };
    let version = label("enforce-version").unwrap_or("latest");
    let words = format!("violates PodSecurity \"{level}:{version}\": {}", violations.join(", "));
    (!violations.is_empty()).then_some(words)
}

struct Pod<'p> {
    spec: &'p Value,
    containers: Vec<&'p Value>,
}

impl<'p> Pod<'p> {
    fn of(pod: &'p Value) -> Pod<'p> {
        let spec = &pod["spec"];
        let kinds = ["initContainers", "containers", "ephemeralContainers"];
        let containers = kinds.into_iter().filter_map(|kind| spec[kind].as_array()).flatten().collect();
        Pod { spec, containers }
    }

    /// The containers of which this holds, as messages name them.
    fn that(&self, holds: impl Fn(&Value) -> bool) -> Option<String> {
        let names: Vec<String> =
            self.containers.iter().filter(|c| holds(c)).map(|c| c["name"].to_string()).collect();
        let plural = if names.len() == 1 { "" } else { "s" };
        (!names.is_empty()).then(|| format!("container{plural} {}", names.join(", ")))
    }

    fn baseline(&self) -> Vec<String> {
        let shared: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
            .into_iter()
            .filter(|field| self.spec[*field] == true)
            .map(|field| format!("{field}=true"))
            .collect();
        let namespaces = (!shared.is_empty()).then(|| format!("host namespaces ({})", shared.join(", ")));
        let paths = self.volumes(|volume| !volume["hostPath"].is_null());
        let paths = paths.map(|volumes| format!("hostPath volumes ({volumes})"));
        let privileged = self.that(|container| container["securityContext"]["privileged"] == true);
        let privileged = privileged.map(|containers| {
            format!("privileged ({containers} must not set securityContext.privileged=true)")
        });
        [namespaces, paths, privileged].into_iter().flatten().collect()
    }

    fn volumes(&self, holds: impl Fn(&Value) -> bool) -> Option<String> {
        let volumes = self.spec["volumes"].as_array().into_iter().flatten();
        let names: Vec<String> =
            volumes.filter(|volume| holds(volume)).map(|volume| volume["name"].to_string()).collect();
        let plural = if names.len() == 1 { "" } else { "s" };
        (!names.is_empty()).then(|| format!("volume{plural} {}", names.join(", ")))
    }

    fn added_capabilities(&self) -> Vec<String> {
        let added = self.that(|container| adds(container, &BASELINE));
        added.map(|containers| format!("non-default capabilities ({containers} must not include other capabilities in securityContext.capabilities.add)")).into_iter().collect()
    }

    fn unconfined(&self) -> Vec<String> {
        let unconfined =
            self.that(|c| c["securityContext"]["seccompProfile"]["type"] == "Unconfined").map(|containers| {
                format!("seccompProfile ({containers} must not set securityContext.seccompProfile.type to \"Unconfined\")")
            });
        unconfined.into_iter().collect()
    }

    fn restricted(&self) -> Vec<String> {
        let own = &self.spec["securityContext"];
        let escalation = self.that(|c| c["securityContext"]["allowPrivilegeEscalation"] != false).map(|c| {
            format!("allowPrivilegeEscalation != false ({c} must set securityContext.allowPrivilegeEscalation=false)")
        });
        let drops_all = |container: &Value| {
            let dropped = container["securityContext"]["capabilities"]["drop"].as_array();
            dropped.is_some_and(|dropped| dropped.contains(&json!("ALL")))
        };
        let kept = self
            .that(|container| !drops_all(container))
            .map(|c| format!("{c} must set securityContext.capabilities.drop=[\"ALL\"]"));
        let added = self
            .that(|container| adds(container, &["NET_BIND_SERVICE"]))
            .map(|c| format!("{c} must not include other capabilities in securityContext.capabilities.add"));
        let capabilities: Vec<String> = kept.into_iter().chain(added).collect();
        let capabilities = (!capabilities.is_empty())
            .then(|| format!("unrestricted capabilities ({})", capabilities.join("; ")));
        let volumes = self.volumes(|volume| VOLUMES.iter().all(|kind| volume[*kind].is_null()));
        let volumes =
            volumes.map(|volumes| format!("restricted volume types ({volumes} uses restricted volume type)"));
        [escalation, capabilities, volumes, self.may_be_root(own), self.is_root(own), self.no_seccomp(own)]
            .into_iter()
            .flatten()
            .collect()
    }

    fn may_be_root(&self, own: &Value) -> Option<String> {
        let forbidden = self.that(|container| container["securityContext"]["runAsNonRoot"] == false);
        let forbidden = forbidden.map(|c| format!("{c} must not set securityContext.runAsNonRoot=false"));
        let open = || {
            let unset = |container: &Value| container["securityContext"]["runAsNonRoot"].is_null();
            let open = self.that(|container| own["runAsNonRoot"] != true && unset(container));
            open.map(|c| format!("pod or {c} must set securityContext.runAsNonRoot=true"))
        };
        forbidden.or_else(open).map(|why| format!("runAsNonRoot != true ({why})"))
    }

    fn is_root(&self, own: &Value) -> Option<String> {
        let pod = (own["runAsUser"] == 0).then(|| "pod".to_owned());
        let who = pod.or_else(|| self.that(|container| container["securityContext"]["runAsUser"] == 0));
        who.map(|who| format!("runAsUser=0 ({who} must not set runAsUser=0)"))
    }

    fn no_seccomp(&self, own: &Value) -> Option<String> {
        let fits = |context: &Value| {
            matches!(context["seccompProfile"]["type"].as_str(), Some("RuntimeDefault" | "Localhost"))
        };
        let open = self.that(|container| {
            let context = &container["securityContext"];
            !fits(context) && (!fits(own) || !context["seccompProfile"].is_null())
        });
        open.map(|c| {
            format!("seccompProfile (pod or {c} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")")
        })
    }
}

fn adds(container: &Value, allowed: &[&str]) -> bool {
    let added = container["securityContext"]["capabilities"]["add"].as_array().into_iter().flatten();
    added.filter_map(Value::as_str).any(|name| !allowed.contains(&name))
}

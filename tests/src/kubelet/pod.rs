//! What the kubelet reads from a pod: who runs a container, which files it may own, how long its message may be.

use irsa_test_container::User;
use serde_json::Value;

/// The capabilities that container runtimes give by default, in the order of their numbers.
const DEFAULT_CAPABILITIES: u64 = 0xa804_25fb;
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// The user of an image, for containers that name none.
#[derive(Debug, Clone, Copy)]
pub struct ImageUser {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// `USER` of the probe's image.
pub const PROBE_IMAGE: ImageUser = ImageUser { uid: 65532, gid: 65532 };
/// The user of images that say nothing.
pub const ROOT_IMAGE: ImageUser = ImageUser { uid: 0, gid: 0 };

/// A list that may be missing.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

/// Every container of a pod, of all three sorts.
pub fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers", "ephemeralContainers"]
        .into_iter()
        .flat_map(|kind| list(&pod["spec"][kind]))
}

/// A field of the container's security context, or else of the pod's.
fn setting<'p>(pod: &'p Value, container: &'p Value, name: &str) -> &'p Value {
    match &container["securityContext"][name] {
        Value::Null => &pod["spec"]["securityContext"][name],
        own => own,
    }
}

/// Who runs a container.
pub fn user(pod: &Value, container: &Value, image: ImageUser) -> User {
    let uid = number(setting(pod, container, "runAsUser"));
    let gid = number(setting(pod, container, "runAsGroup"));
    // A user without a group has the group 0, but for the image's own user.
    let gid = gid.unwrap_or(if uid.is_none() { image.gid } else { 0 });
    let shared = &pod["spec"]["securityContext"];
    let mut groups = vec![gid];
    groups.extend(number(&shared["fsGroup"]));
    groups.extend(list(&shared["supplementalGroups"]).iter().filter_map(number));
    groups.dedup();
    let context = &container["securityContext"];
    User {
        uid: uid.unwrap_or(image.uid),
        gid,
        groups,
        capabilities: capabilities(context),
        no_new_privileges: context["allowPrivilegeEscalation"] == false,
    }
}

/// Who runs the application: what its status says, which also knows the image's user, or else what its spec says, or its image.
pub fn application_user(pod: &Value, container: &Value, image: Option<(u32, u32)>) -> User {
    let user = user(pod, container, image.map_or(ROOT_IMAGE, |(uid, gid)| ImageUser { uid, gid }));
    let status = list(&pod["status"]["containerStatuses"]).iter().find(|s| s["name"] == container["name"]);
    let linux = status.map_or(&Value::Null, |status| &status["user"]["linux"]);
    match (number(&linux["uid"]), number(&linux["gid"])) {
        (Some(uid), Some(gid)) => {
            let groups = list(&linux["supplementalGroups"]).iter().filter_map(number).collect();
            User { uid, gid, groups, ..user }
        }
        _ => user,
    }
}

fn capabilities(context: &Value) -> u64 {
    let bits = |list_: &Value| {
        list(list_).iter().filter_map(Value::as_str).fold(0, |bits, name| {
            let name = name.trim_start_matches("CAP_");
            match NAMES.iter().position(|known| *known == name) {
                _ if name == "ALL" => u64::MAX,
                Some(number) => bits | 1 << number,
                None => bits,
            }
        })
    };
    if context["privileged"] == true {
        return u64::MAX;
    }
    let own = &context["capabilities"];
    let dropped = DEFAULT_CAPABILITIES & !bits(&own["drop"]);
    dropped | bits(&own["add"])
}

/// Why the kubelet does not create a container, `verifyRunAsNonRoot`.
pub fn breaks_non_root(pod: &Value, container: &Value, image: ImageUser) -> Option<String> {
    if setting(pod, container, "runAsNonRoot") != true {
        return None;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &pod["metadata"];
    let whose = format!(
        "(pod: \"{}_{}({})\", container: {})",
        text(&metadata["name"]),
        text(&metadata["namespace"]),
        text(&metadata["uid"]),
        text(&container["name"])
    );
    match number(setting(pod, container, "runAsUser")) {
        Some(0) => Some(format!("container's runAsUser breaks non-root policy {whose}")),
        None if image.uid == 0 => {
            Some(format!("container has runAsNonRoot and image will run as root {whose}"))
        }
        _ => None,
    }
}

/// Who owns a token's file, and its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ownership {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permissions.
    pub mode: u32,
}

/// The kubelet's rule: `FsUserFrom` looks at every container, ephemeral ones too; then `SetVolumeOwnership`.
pub fn token_ownership(pod: &Value) -> Ownership {
    let mut users = containers(pod).map(|container| number(setting(pod, container, "runAsUser")));
    let first = users.next().flatten();
    let shared = first.filter(|_| users.all(|user| user == first));
    let group = number(&pod["spec"]["securityContext"]["fsGroup"]);
    let uid = shared.unwrap_or(0);
    match (shared, group) {
        (_, Some(gid)) => Ownership { uid, gid, mode: 0o640 },
        (Some(_), None) => Ownership { uid, gid: 0, mode: 0o600 },
        (None, None) => Ownership { uid, gid: 0, mode: 0o644 },
    }
}

/// How many bytes of a termination message the kubelet keeps.
pub fn message_budget(pod: &Value) -> usize {
    const MOST: usize = 4096;
    const ALL: usize = 12 * 1024;
    MOST.min(ALL / containers(pod).count().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(context: Value, containers: Value, ephemeral: Value) -> Value {
        json!({"spec": {"securityContext": context, "containers": containers, "ephemeralContainers": ephemeral}})
    }

    fn as_user(uid: u32) -> Value {
        json!({"securityContext": {"runAsUser": uid}})
    }

    #[test]
    fn tokens_belong_to_a_user_that_all_containers_share() {
        let owned = |uid, gid, mode| Ownership { uid, gid, mode };
        for (pod, expected) in [
            (pod(json!({}), json!([{}]), json!([])), owned(0, 0, 0o644)),
            (pod(json!({"runAsUser": 1000}), json!([{}, {}]), json!([])), owned(1000, 0, 0o600)),
            (pod(json!({}), json!([as_user(7), as_user(7)]), json!([])), owned(7, 0, 0o600)),
            (pod(json!({}), json!([as_user(7), as_user(8)]), json!([])), owned(0, 0, 0o644)),
            (pod(json!({}), json!([as_user(7)]), json!([{}])), owned(0, 0, 0o644)),
            (pod(json!({"fsGroup": 5}), json!([{}]), json!([])), owned(0, 5, 0o640)),
            (pod(json!({"fsGroup": 5, "runAsUser": 7}), json!([{}]), json!([{}])), owned(7, 5, 0o640)),
        ] {
            assert_eq!(token_ownership(&pod), expected, "{pod}");
        }
    }

    #[test]
    fn users() {
        let context = json!({"runAsUser": 1000, "fsGroup": 2000, "supplementalGroups": [3000]});
        let pod = pod(context, json!([{}]), json!([]));
        let restricted = json!({"securityContext": {"runAsGroup": 9, "allowPrivilegeEscalation": false,
                                                    "capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]}}});
        let user = user(&pod, &restricted, PROBE_IMAGE);
        assert_eq!((user.uid, user.gid, user.groups.as_slice()), (1000, 9, [9, 2000, 3000].as_slice()));
        assert_eq!((user.capabilities, user.no_new_privileges), (1 << 19, true));
        let image = super::user(&json!({}), &json!({}), PROBE_IMAGE);
        assert_eq!((image.uid, image.gid, image.capabilities), (65532, 65532, DEFAULT_CAPABILITIES));
    }

    #[test]
    fn messages_share_twelve_kibibytes() {
        for (containers, ephemeral, expected) in [(1, 1, 4096), (3, 1, 3072), (3, 2, 2457)] {
            let pod = pod(json!({}), json!(vec![json!({}); containers]), json!(vec![json!({}); ephemeral]));
            assert_eq!(message_budget(&pod), expected);
        }
    }
}

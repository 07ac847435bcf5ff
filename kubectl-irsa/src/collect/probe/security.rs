//! The user that the probe runs as: the target's, so that it may read what the target may, and so that the kubelet leaves the
//! pod's token files unchanged. Never privileged, never with a capability that the target lacks.

use k8s_openapi::api::core::v1::{Capabilities, SeccompProfile, SecurityContext};
use serde_json::{Value, json};

use super::pod::{RawPod, with_copied};

/// What is copied of a root target's own context. Nothing of it gives a right that the target lacks.
const OF_ROOT: [&str; 4] = ["seccompProfile", "appArmorProfile", "allowPrivilegeEscalation", "runAsNonRoot"];

/// The user that the probe runs as; `None` if it is not known and the image's own is taken.
pub fn user(pod: &RawPod, target: &Value) -> Option<i64> {
    // The kubelet gives the token files to that one user if all containers have it, ephemeral ones included, and makes
    // them readable to all if one differs (pkg/volume/util, FsUserFrom).
    shared_user(pod).or_else(|| running_as(pod, target, "uid")).or_else(|| pod.user_in_spec(target))
}

/// The probe's `securityContext`; `seen` are user and group of the target's process as an earlier probe saw them, for runtimes
/// that do not tell.
pub fn context(pod: &RawPod, target: &Value, seen: Option<(u32, u32)>) -> Value {
    let seen = seen.filter(|_| user(pod, target).is_none());
    let user = user(pod, target).or(seen.map(|(user, _)| user.into()));
    let mut context = if user == Some(0) { of_root(target) } else { json!(restricted()) };
    let group = running_as(pod, target, "gid").or_else(|| pod.group_in_spec(target));
    let group = group.or(seen.map(|(_, group)| group.into()));
    if let Some(user) = user {
        context["runAsUser"] = user.into();
        if let Some(group) = group {
            context["runAsGroup"] = group.into();
        }
    }
    with_copied(&context, [("seLinuxOptions", target["securityContext"]["seLinuxOptions"].clone())])
}

/// What every namespace admits (PodSecurity `restricted`).
pub fn restricted() -> SecurityContext {
    SecurityContext {
        run_as_non_root: Some(true),
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec![String::from("ALL")]), ..Capabilities::default() }),
        seccomp_profile: Some(SeccompProfile {
            type_: String::from("RuntimeDefault"),
            ..SeccompProfile::default()
        }),
        ..SecurityContext::default()
    }
}

fn of_root(target: &Value) -> Value {
    let own = &target["securityContext"];
    let context = SecurityContext { read_only_root_filesystem: Some(true), ..SecurityContext::default() };
    let mut context = with_copied(&context, OF_ROOT.map(|field| (field, own[field].clone())));
    let drop = &own["capabilities"]["drop"];
    if !drop.is_null() {
        context["capabilities"] = json!({ "drop": drop });
    }
    context
}

/// The one user that the specs of all containers name, if they do.
fn shared_user(pod: &RawPod) -> Option<i64> {
    let mut users = pod.containers().map(|container| pod.user_in_spec(container));
    let first = users.next()??;
    users.all(|user| user == Some(first)).then_some(first)
}

fn running_as(pod: &RawPod, target: &Value, id: &str) -> Option<i64> {
    pod.status(target["name"].as_str()?)["user"]["linux"][id].as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pod: Value) -> Value {
        let pod = RawPod::new(pod);
        let target = pod.container("app").unwrap().clone();
        context(&pod, &target, None)
    }

    fn runs_as(uid: i64, gid: i64) -> Value {
        json!({"containerStatuses": [{"name": "app", "user": {"linux": {"uid": uid, "gid": gid}}}]})
    }

    #[test]
    fn it_runs_as_the_running_target() {
        let found = of(json!({"spec": {"containers": [{"name": "app"}, {"name": "sidecar"}]},
                              "status": runs_as(1000, 3000)}));
        assert_eq!(
            found,
            json!({"runAsUser": 1000, "runAsGroup": 3000, "runAsNonRoot": true, "allowPrivilegeEscalation": false,
                   "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
                   "seccompProfile": {"type": "RuntimeDefault"}})
        );
    }

    #[test]
    fn the_user_that_all_containers_share_is_kept() {
        // The process may have started as another user; the kubelet goes by the spec.
        let found = of(json!({
            "spec": {"securityContext": {"runAsUser": 1000, "runAsGroup": 5}, "containers": [{"name": "app"}],
                     "initContainers": [{"name": "first", "securityContext": {"runAsUser": 1000}}]},
            "status": runs_as(0, 0)}));
        assert_eq!((&found["runAsUser"], &found["runAsGroup"]), (&json!(1000), &json!(0)));
        let found = of(json!({
            "spec": {"securityContext": {"runAsUser": 1000}, "containers": [{"name": "app"}],
                     "ephemeralContainers": [{"name": "debugger", "securityContext": {"runAsUser": 0}}]},
            "status": runs_as(2000, 2000)}));
        assert_eq!(found["runAsUser"], 2000);
    }

    #[test]
    fn without_a_status_the_spec_tells() {
        let found = of(json!({"spec": {"securityContext": {"runAsUser": 1, "runAsGroup": 2}, "containers": [
            {"name": "app", "securityContext": {"runAsUser": 7}}, {"name": "other"}]}}));
        assert_eq!((&found["runAsUser"], &found["runAsGroup"]), (&json!(7), &json!(2)));
    }

    #[test]
    fn an_unknown_user_is_left_to_the_image() {
        let found = of(json!({"spec": {"containers": [{"name": "app"}]}}));
        assert_eq!(found.get("runAsUser"), None);
        assert_eq!(found["runAsNonRoot"], true);
    }

    #[test]
    fn what_an_earlier_probe_saw_counts_only_where_nothing_else_tells() {
        let of = |pod: Value| {
            let pod = RawPod::new(pod);
            let target = pod.container("app").unwrap().clone();
            context(&pod, &target, Some((1000, 3000)))
        };
        let found = of(json!({"spec": {"containers": [{"name": "app"}]}}));
        assert_eq!((&found["runAsUser"], &found["runAsGroup"]), (&json!(1000), &json!(3000)));
        let found =
            of(json!({"spec": {"containers": [{"name": "app", "securityContext": {"runAsUser": 7}}]}}));
        assert_eq!((&found["runAsUser"], found.get("runAsGroup")), (&json!(7), None));
    }

    #[test]
    fn root_keeps_what_limits_it_and_gains_nothing() {
        let found = of(json!({"spec": {"containers": [{"name": "app", "securityContext": {
            "privileged": true, "capabilities": {"add": ["SYS_PTRACE"], "drop": ["NET_RAW"]},
            "seccompProfile": {"type": "Unconfined"}, "seLinuxOptions": {"level": "s0:c1"}}}]},
            "status": runs_as(0, 0)}));
        assert_eq!(
            found,
            json!({"runAsUser": 0, "runAsGroup": 0, "readOnlyRootFilesystem": true,
                   "capabilities": {"drop": ["NET_RAW"]}, "seccompProfile": {"type": "Unconfined"},
                   "seLinuxOptions": {"level": "s0:c1"}})
        );
    }
}

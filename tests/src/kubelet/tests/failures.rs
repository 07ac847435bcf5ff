//! Containers that do not run, or leave something else behind; recordings `pod-get-ec-*`.

use super::*;

fn waiting(kubelet: &str, replace: (&str, &str), container: &Value) -> (String, String) {
    let status = shop(kubelet, replace).add(container, "waiting");
    let waiting = &status["state"]["waiting"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&waiting["reason"]), text(&waiting["message"]))
}

#[test]
fn it_never_runs() {
    let plain = probe("irsa-probe-1");
    let mut root = plain.clone();
    root["securityContext"] = json!({"runAsUser": 0, "runAsNonRoot": true});
    let mut lost = plain.clone();
    lost["env"] = json!([{"name": "X", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "x"}}}]);
    let ended = ("{running: {startedAt: \"2026-11-22T07:00:01Z\"}}", "{terminated: {exitCode: 1}}");
    for (kubelet, replace, container, reason, message) in [
        ("{containers: {image-pull: no such host}}", ("", ""), &plain, "ErrImagePull", "no such host"),
        ("{containers: {config-error: no}}", ("", ""), &plain, "CreateContainerConfigError", "no"),
        (
            "{}",
            ("", ""),
            &root,
            "CreateContainerConfigError",
            "container's runAsUser breaks non-root policy (pod: \"checkout_shop(",
        ),
        ("{}", ("", ""), &lost, "CreateContainerConfigError", "secret \"gone\" not found"),
        (
            "{}",
            ended,
            &plain,
            "CreateContainerError",
            "invalid target container: container \"2e645ab50e9f7b2b4b9acce5095e79311b8364abcdaccec0145dd45686a38b11\" is \
             not running - in state CONTAINER_EXITED",
        ),
    ] {
        let found = waiting(kubelet, replace, container);
        assert_eq!(found.0, reason, "{found:?}");
        assert!(found.1.contains(message), "{found:?}");
    }
}

#[test]
fn it_is_killed() {
    let status = shop("{containers: killed}", ("", "")).add(&probe("irsa-probe-1"), "terminated");
    let ended = &status["state"]["terminated"];
    assert_eq!((&ended["exitCode"], &ended["reason"]), (&json!(137), &json!("Error")));
    assert_eq!(ended["message"], Value::Null);
}

#[test]
fn a_long_message_is_cut_in_the_middle() {
    let kubelet = "{containers: {report: {message: \"{\\\"\\e[31m\", times: 2000}}}";
    let shop = shop(kubelet, ("", ""));
    let status = shop.add(&probe("irsa-probe-1"), "terminated");
    assert_eq!(status["state"]["terminated"]["message"].as_str().unwrap().len(), 4096);
    let log = get(&shop.kube, &format!("{PODS}/checkout/log?container=irsa-probe-1"));
    assert_eq!(log.body.len(), 14_000, "the log is whole");
}

#[test]
fn a_node_that_is_gone() {
    let shop = shop("{containers: never}", ("", ""));
    let body = json!({"spec": {"ephemeralContainers": [probe("irsa-probe-1")]}});
    assert_eq!(patch(&shop.kube, &format!("{PODS}/checkout/ephemeralcontainers"), &body).code, 200);
    std::thread::sleep(std::time::Duration::from_millis(100));
    let pod = get(&shop.kube, &format!("{PODS}/checkout")).json();
    assert_eq!(pod["status"]["ephemeralContainerStatuses"], Value::Null);
}

//! The real probe in a pod of the fake.

use super::*;

#[test]
fn a_probe_beside_its_target() {
    let shop = shop("{}", ("", ""));
    let report = shop.report(&probe("irsa-probe-1"));
    assert_eq!(report["ended"], "complete", "{report}");
    let target = &report["target"];
    assert_eq!((&target["pid"], &target["name"]), (&json!(1), &json!("app")));
    assert_eq!(target["identity"]["uid"], json!([1000, 1000, 1000, 1000]));
    // The application's own environment, with what its ConfigMap and its Secret give it.
    assert_eq!(report["environment"]["of"], "target");
    assert_eq!(report["sts"]["sessionName"], "checkout");
    let token = &report["token"];
    for seen in [&token["own"], &token["target"]] {
        assert_eq!(
            seen["stat"],
            json!({"kind": "file", "mode": "0600", "uid": 1000, "gid": 0,
                                        "modified": 1_795_330_800, "size": seen["stat"]["size"]})
        );
    }
    let claims = &token["jwt"]["claims"];
    // Asked for when the pod started, an hour ago.
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(1_795_330_800), &json!(1_795_417_200)));
    assert_eq!(claims["sub"], "system:serviceaccount:shop:checkout");
    assert_eq!(claims["kubernetes.io"]["pod"]["name"], "checkout");
    assert_eq!(report["sts"]["assume"]["status"], 200, "{report}");
    assert_eq!(
        report["sts"]["caller"]["arn"],
        "arn:aws:sts::111122223333:assumed-role/shop-checkout/checkout"
    );
    // The pod has the world's clock, as STS has.
    assert!((report["now"].as_i64().unwrap() - 1_795_334_400).abs() < 5, "{report}");
    assert_eq!(shop.aws.issued_credentials_used(), 0, "the probe's own call does not count");
    assert_eq!(shop.full_report("irsa-probe-1")["token"], *token);
    assert_eq!(shop.kubelet.altered_files(), Vec::<String>::new());
}

#[test]
fn the_observer_effect() {
    let shop = shop("{}", ("", ""));
    let mut stranger = probe("stranger");
    stranger["securityContext"] = json!({"runAsUser": 2000});
    let first = shop.report(&stranger);
    assert_eq!(first["token"]["own"]["fault"]["kind"], "permission-denied", "{first}");
    assert_eq!(first["environment"]["fault"]["kind"], "permission-denied", "it may not look at the target");
    let second = shop.report(&probe("irsa-probe-2"));
    assert_eq!(second["token"]["own"]["stat"]["mode"], "0644", "{second}");
    let altered = shop.kubelet.altered_files();
    assert!(altered.len() == 1 && altered[0].starts_with("aws-iam-token/token: "), "{altered:?}");
}

#[test]
fn a_group_of_the_volumes() {
    let shop = shop("{}", ("runAsGroup: 1000}", "runAsGroup: 1000, fsGroup: 2000}"));
    let stat = shop.report(&probe("irsa-probe-1"))["token"]["own"]["stat"].clone();
    assert_eq!((&stat["mode"], &stat["uid"], &stat["gid"]), (&json!("0640"), &json!(1000), &json!(2000)));
}

#[test]
fn another_network() {
    let cases = [
        ("{dns: nx-domain}", "/network/connection/lookup/fault/kind", "no-such-name"),
        ("{dns: serv-fail}", "/network/connection/lookup/fault/kind", "resolver-failed"),
        ("{dns: silent}", "/network/connection/lookup/fault/kind", "timeout"),
        ("{sts: refused}", "/network/connection/tcp/0/fault/kind", "refused"),
        ("{sts: silent}", "/network/connection/tcp/0/fault/kind", "timeout"),
        ("{sts: hangs}", "/sts/assume/fault/kind", "timeout"),
        ("{sts: intercepted}", "/network/connection/tls/issuer", "fake interceptor ca"),
        ("{trustsNoPublicCa: true}", "/network/connection/tls/fault/kind", "certificate"),
    ];
    std::thread::scope(|scope| {
        for (kubelet, part, expected) in cases {
            scope.spawn(move || {
                let report = shop(kubelet, ("", "")).report(&probe("irsa-probe-1"));
                let found = report.pointer(part).unwrap_or_else(|| panic!("{kubelet}: {report}"));
                assert!(found.as_str().unwrap().contains(expected), "{kubelet}: {found}");
            });
        }
    });
}

#[test]
fn a_vpc_endpoint() {
    let condition = "            StringEquals:\n";
    let through = format!("{condition}              aws:SourceVpce: vpce-1\n");
    let status = |kubelet: &str| {
        let report = shop(kubelet, (condition, &through)).report(&probe("irsa-probe-1"));
        (
            report["sts"]["assume"]["status"].clone(),
            report["network"]["connection"]["lookup"]["addresses"].clone(),
        )
    };
    let endpoint = "{endpoint: {vpc: vpc-1, vpce: vpce-1, ip: 10.0.3.17}}";
    assert_eq!(status(endpoint), (json!(200), json!(["10.0.9.44"])));
    assert_eq!(status("{}"), (json!(403), json!(["52.119.0.44"])));
}

#[test]
fn a_wrong_clock() {
    let report = shop("{clock: '2026-11-22T05:00:00Z'}", ("", "")).report(&probe("irsa-probe-1"));
    assert!((report["clock"]["local"].as_i64().unwrap() - 1_795_323_600).abs() < 5, "{report}");
    assert_eq!(report["clock"]["remote"], "Sun, 22 Nov 2026 08:00:00 GMT");
}

#[test]
fn link_local_services() {
    let env = "    - {name: AWS_CONTAINER_CREDENTIALS_FULL_URI, value: 'http://169.254.170.23/v1/credentials'}
    - {name: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, value: /var/run/secrets/eks.amazonaws.com/serviceaccount/token}
    - {name: AWS_ROLE_ARN, value";
    let kubelet = "{imds: {role: node}, podIdentityAgent: true}";
    let shop = shop(kubelet, ("    - {name: AWS_ROLE_ARN, value", env));
    shop.report(&probe("irsa-probe-1"));
    let report = shop.full_report("irsa-probe-1");
    assert_eq!(report["imds"]["role"], "node");
    assert_eq!(
        report["containerCredentials"]["caller"]["arn"],
        "arn:aws:sts::111122223333:assumed-role/shop-checkout/eks-checkout",
        "{report}"
    );
}

#[test]
fn a_pod_of_its_own() {
    let shop = shop("{}", ("", ""));
    let mut container = probe("irsa-probe");
    container.as_object_mut().unwrap().remove("targetContainerName");
    let pod = get(&shop.kube, &format!("{PODS}/checkout")).json();
    let body = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "irsa-probe-"},
        "spec": {"serviceAccountName": "checkout", "restartPolicy": "Never", "volumes": pod["spec"]["volumes"],
                 "containers": [container]},
    });
    let created = post(&shop.kube, PODS, &body);
    assert_eq!(created.code, 201, "{}", created.body);
    let name = created.json()["metadata"]["name"].as_str().unwrap().to_owned();
    let status = shop.follow(&name, "containerStatuses", &json!("irsa-probe"), "terminated", "0");
    let report: Value =
        serde_json::from_str(status["state"]["terminated"]["message"].as_str().unwrap()).unwrap();
    assert_eq!(report["sts"]["assume"]["status"], 200, "{report}");
    assert_eq!(report["token"]["jwt"]["claims"]["kubernetes.io"]["pod"]["name"], name);
    assert_eq!(get(&shop.kube, &format!("{PODS}/{name}")).json()["status"]["phase"], "Succeeded");
    let call = Call { method: "DELETE", target: &format!("{PODS}/{name}"), ..Call::default() };
    assert_eq!(send(&shop.kube, &call).code, 200);
    assert_eq!(get(&shop.kube, &format!("{PODS}/{name}")).code, 404);
}

//! The application's process.

use crate::pod::{Pod, ROLE, is_root};
use irsa_probe::{FaultKind, Origin};
use std::fs;

#[test]
fn the_target_s_environment_comes_first() {
    let mut pod = Pod::new();
    let token = pod.path("token/token");
    let environ = format!(
        "AWS_ROLE_ARN={ROLE}-of-the-wrapper\0AWS_WEB_IDENTITY_TOKEN_FILE={token}\0AWS_SECRET_ACCESS_KEY=hunter2\0\
         AWS_ENDPOINT_URL_STS=http://127.0.0.1:1\0AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1\0PATH=/bin\0"
    );
    pod.target(1, 0, &environ, "0::/app");
    pod.set("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/another");
    let report = pod.run().report;
    let environment = report.environment.unwrap();
    assert_eq!((environment.of, environment.fault), (Origin::Target, None));
    let secret =
        environment.variables.iter().find(|variable| variable.name == "AWS_SECRET_ACCESS_KEY").unwrap();
    assert_eq!((&secret.value, secret.empty), (&None, false));
    assert!(environment.variables.iter().all(|variable| variable.name != "PATH"));
    assert_eq!(report.sts.unwrap().role_arn, Some(format!("{ROLE}-of-the-wrapper")));
    assert_eq!(report.target.unwrap().name.as_deref(), Some("app"));
}

#[test]
fn a_closed_process_is_told_and_the_probe_s_own_environment_used() {
    if !is_root() {
        // Only root can run the probe as another.
        return;
    }
    let mut pod = Pod::new();
    pod.target(1, 0, "AWS_ROLE_ARN=x\0", "0::/app");
    let environ = pod.options.proc.join("1/environ");
    fs::set_permissions(environ, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    pod.run_as(65534);
    let report = pod.run().report;
    let environment = report.environment.unwrap();
    assert_eq!(environment.of, Origin::Probe);
    assert_eq!(environment.fault.unwrap().kind, FaultKind::PermissionDenied);
    assert_eq!(report.sts.unwrap().role_arn.as_deref(), Some(ROLE));
}

#[test]
fn a_worker_that_dropped_its_privileges_is_shown_with_what_it_may_read() {
    if !is_root() {
        // Only root can give files away.
        return;
    }
    let pod = Pod::new();
    let token = pod.path("token/token");
    let environ = format!(
        "AWS_WEB_IDENTITY_TOKEN_FILE={token}\0AWS_ENDPOINT_URL_STS=http://127.0.0.1:1\0AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1"
    );
    pod.own_token(0, 0, 0o600);
    pod.target(1, 0, &environ, "0::/app");
    pod.target(17, 101, "", "0::/app");
    let report = pod.run().report;
    assert_eq!(report.token.unwrap().own.mode_permits_target, Some(true));
    let others = report.target.unwrap().others;
    let [worker] = others.as_slice() else { panic!("{others:?}") };
    assert_eq!((worker.pid, worker.uid, worker.may_read_token), (17, 101, Some(false)));
}

#[test]
fn in_a_shared_namespace_the_container_s_id_finds_it() {
    let mut pod = Pod::new();
    pod.target(1, 65535, "", "0::/pause");
    let environ = "AWS_REGION=eu-west-1\0AWS_ENDPOINT_URL_STS=http://127.0.0.1:1\0AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1\0HOME=/home/app";
    pod.target(23, 1000, environ, "0::/../cri-containerd-0badcafe.scope");
    let home = pod.path("root/home/app/.aws");
    fs::create_dir_all(&home).unwrap();
    fs::write(format!("{home}/credentials"), "[default]\naws_secret_access_key = hunter2hunter2hunter2\n")
        .unwrap();
    fs::create_dir_all(pod.path("root/site-packages/botocore-1.12.100.dist-info")).unwrap();
    pod.options.container_id = Some("0badcafe".into());
    let report = pod.run().report;
    let target = report.target.as_ref().unwrap();
    assert_eq!((target.pid, target.by_container_id), (Some(23), true));
    assert_eq!(report.shared_files[0].profiles[0].settings[0].name, "aws_secret_access_key");
    let sdk = &report.sdks.as_ref().unwrap().found[0];
    assert_eq!((sdk.package.as_str(), sdk.version.as_deref()), ("botocore", Some("1.12.100")));
    assert!(!serde_json::to_string(&report).unwrap().contains("hunter2"));
}

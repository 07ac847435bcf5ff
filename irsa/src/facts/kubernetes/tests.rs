//! What is read of objects, and what is dropped while they are read.

use super::*;

fn env(name: &str, value: &str) -> EnvVar {
    serde_json::from_value(serde_json::json!({"name": name, "value": value})).unwrap()
}

#[test]
fn values_that_may_be_secret_are_dropped_while_they_are_read() {
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "aws_secret_access_key",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_BEARER_TOKEN_BEDROCK",
        "DATABASE_URL",
        "PASSWORD",
    ] {
        let read = env(name, "hunter2");
        assert_eq!(read.value, EnvValue::Withheld { empty: false }, "{name}");
        assert!(!format!("{read:?}").contains("hunter2"));
    }
    for name in [
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_REGION",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "HTTPS_PROXY",
    ] {
        assert_eq!(env(name, "x").value.text(), Some("x"), "{name}");
    }
}

#[test]
fn a_password_in_a_proxy_url_is_dropped() {
    assert_eq!(
        env("HTTPS_PROXY", "http://bob:hunter2@proxy:3128/x").value.text(),
        Some("http://[withheld]@proxy:3128/x")
    );
    assert_eq!(env("HTTPS_PROXY", "http://proxy:3128/a@b").value.text(), Some("http://[withheld]@b"));
}

#[test]
fn a_secret_keeps_its_keys_only() {
    let secret: Secret = serde_json::from_value(serde_json::json!({
        "metadata": {"name": "s", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"stringData\":\"hunter2\"}"},
            "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:data": {".": {}, "f:AWS_ACCESS_KEY_ID": {}}}}]},
        "data": {"token": "aHVudGVyMg=="}, "stringData": {"AWS_PROFILE": "hunter2"}
    })).unwrap();
    assert_eq!(
        secret.keys.iter().map(String::as_str).collect::<Vec<_>>(),
        ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "token"]
    );
    assert!(!format!("{secret:?}").contains("hunter2"));
}

#[test]
fn arguments_of_other_programs_are_dropped() {
    let container: Container = serde_json::from_value(serde_json::json!({
        "name": "c", "args": ["--password=hunter2", "--in-cluster=false", "annotation-prefix"]
    }))
    .unwrap();
    assert_eq!(*container.args, ["--in-cluster=false"]);
}

#[test]
fn selectors_name_the_first_requirement_that_is_not_met() {
    let selector: LabelSelector = serde_json::from_value(serde_json::json!({
        "matchLabels": {"a": "1"},
        "matchExpressions": [{"key": "skip", "operator": "DoesNotExist"}, {"key": "b", "operator": "In", "values": ["x", "y"]}]
    })).unwrap();
    let labels = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned().into())).collect()
    };
    assert_eq!(selector.first_unmet(&labels(&[("a", "1"), ("b", "x")])), None);
    assert_eq!(selector.first_unmet(&labels(&[("b", "x")])).as_deref(), Some("a=1"));
    assert_eq!(
        selector.first_unmet(&labels(&[("a", "1"), ("b", "x"), ("skip", "false")])).as_deref(),
        Some("skip DoesNotExist")
    );
    assert_eq!(selector.to_query(), "a=1,!skip,b in (x,y)");
}

#[test]
fn what_calls_aws_says_so_by_its_image_or_its_command() {
    let names_aws =
        |container: serde_json::Value| serde_json::from_value::<Container>(container).unwrap().names_aws();
    for container in [
        serde_json::json!({"image": "public.ecr.aws/aws-cli/aws-cli:2.17.0"}),
        serde_json::json!({"image": "amazon/aws-cli"}),
        serde_json::json!({"image": "busybox", "command": ["sh", "-c", "aws s3 cp s3://bucket/key /data"]}),
        serde_json::json!({"image": "restore", "args": ["--from=s3://bucket"]}),
    ] {
        assert!(names_aws(container.clone()), "{container}");
    }
    for container in [
        serde_json::json!({"image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/migrate:1"}),
        serde_json::json!({"image": "public.ecr.aws/docker/library/busybox", "command": ["nc", "-z", "db", "5432"]}),
        serde_json::json!({"image": "laws:1", "args": ["--draws"]}),
    ] {
        assert!(!names_aws(container.clone()), "{container}");
    }
}

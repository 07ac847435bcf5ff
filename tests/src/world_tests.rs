//! Tests of the world loader.

use super::*;

const HEADER: &str = "apiVersion: irsa.test/v1
kind: World
about: the service account has no annotation
debug: [\"pod/checkout\", \"-n\", \"shop\"]
expect:
  exit: 1
  verdict: broken
  rootCause: sa-not-annotated
  errors: [sa-not-annotated]
";

fn world(objects: &str) -> World {
    World::parse("test.yaml", &format!("{HEADER}---\n{objects}")).unwrap()
}

fn complaint(text: &str) -> String {
    World::parse("test.yaml", text).unwrap_err().to_string()
}

fn object_complaint(objects: &str) -> String {
    complaint(&format!("{HEADER}---\n{objects}"))
}

#[test]
fn header_defaults() {
    let world = world("");
    assert_eq!(world.header.now.to_string(), "2026-11-22T08:00:00Z");
    assert_eq!(world.header.user, "oncall");
    assert_eq!(world.header.debug, ["pod/checkout", "-n", "shop"]);
    assert_eq!(world.header.expect.root_cause.as_deref(), Some("sa-not-annotated"));
    assert!(world.objects.is_empty());
}

#[test]
fn every_header_field() {
    let header = format!(
        "{HEADER}now: \"2027-01-01T00:00:00Z\"
deny: [get serviceaccounts, \"create serviceaccounts/token\"]
missing: [mutatingwebhookconfigurations]
fail: {{\"list events\": 500}}
hang: [list pods]
user: eve
serverVersion: v1.33.5-eks-3025e55
issuer: https://issuer.example
"
    );
    let header = World::parse("x", &header).unwrap().header;
    assert_eq!(header.deny[1].to_string(), "create serviceaccounts/token");
    assert_eq!(header.fail.values().collect::<Vec<_>>(), [&500]);
    assert_eq!(header.issuer, "https://issuer.example");
    assert_eq!(header.server_version.as_deref(), Some("v1.33.5-eks-3025e55"));
}

#[test]
fn a_server_fills_in_metadata() {
    let world = world("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n");
    let pod = world.object("Pod", "default", "a").unwrap();
    let again = self::world("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n");
    assert_eq!(pod["metadata"]["uid"], again.object("Pod", "default", "a").unwrap()["metadata"]["uid"]);
    assert_eq!(pod["metadata"]["uid"].as_str().unwrap().len(), 36);
    assert_eq!(pod["metadata"]["creationTimestamp"], "2026-11-20T00:00:00Z");
    assert!(pod["metadata"]["resourceVersion"].is_string());
}

#[test]
fn metadata_that_is_there_stays() {
    let world = world(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, uid: u, resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z'}\n",
    );
    let metadata = &world.object("Pod", "shop", "a").unwrap()["metadata"];
    let expected = json!({"name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "7",
                          "creationTimestamp": "2026-01-01T00:00:00Z"});
    assert_eq!(*metadata, expected);
}

#[test]
fn namespaces_of_objects_exist() {
    let world = world("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n");
    assert_eq!(world.object("Namespace", "", "shop").unwrap()["status"]["phase"], "Active");
}

#[test]
fn lists_are_flattened() {
    let world = world(
        "kind: List
apiVersion: v1
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: shop}}
---
kind: PodList
apiVersion: v1
items: [{metadata: {name: b, namespace: shop}}]
",
    );
    assert!(world.object("Pod", "shop", "a").is_some());
    assert!(world.object("Pod", "shop", "b").is_some());
    assert!(world.object("Deployment", "shop", "d").is_some());
}

#[test]
fn comments_and_empty_documents_are_no_objects() {
    let world =
        world("# nothing\n---\n\n--- # a title\napiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n---\n");
    assert_eq!(world.objects.len(), 1);
}

#[test]
fn unknown_header_fields_name_the_line() {
    let message = complaint(&format!("# a comment\n---\n{HEADER}denied: [get pods]\n"));
    assert!(message.starts_with("test.yaml:12:"), "{message}");
    assert!(message.contains("denied"), "{message}");
}

#[test]
fn broken_yaml_names_the_line_of_the_file() {
    let message = object_complaint("apiVersion: v1\nkind: Pod\nmetadata: {name: [}\n");
    assert!(message.starts_with("test.yaml:13:"), "{message}");
}

#[test]
fn a_denial_with_a_typing_error_is_refused() {
    let message = complaint(&format!("{HEADER}deny: [get serviceacounts]\n"));
    assert!(message.starts_with("test.yaml:10:"), "{message}");
    assert!(message.contains("unknown resource \"serviceacounts\""), "{message}");
}

#[test]
fn mistakes_in_headers() {
    for (replace, with, expected) in [
        ("irsa.test/v1", "v1", "the first document must be"),
        ("verdict: broken", "verdict: healthy", "verdict healthy has exit code 0, not 1"),
        ("verdict: broken", "verdict: bad", "unknown verdict \"bad\""),
        ("rootCause: sa-not-annotated", "rootCause: other", "rootCause other is not among the errors"),
        ("[sa-not-annotated]", "[sa-not-annotated, a]", "errors must be sorted"),
        ("  verdict: broken\n", "", "verdict is missing"),
        ("about:", "missing: [pod]\nabout:", "missing: unknown resource \"pod\""),
        ("about:", "fail: {get pods: 200}\nabout:", "fail: get pods: 200 is not the status of an error"),
    ] {
        let message = complaint(&HEADER.replace(replace, with));
        assert!(message.contains(expected), "{message}");
    }
    assert!(complaint("").contains("empty"));
}

#[test]
fn mistakes_in_objects() {
    for (object, expected) in [
        ("kind: Pod", "an object without apiVersion"),
        ("{apiVersion: v1, kind: Pod}", "Pod without metadata.name"),
        ("{apiVersion: v1, kind: Pood, metadata: {name: a}}", "does not serve v1 Pood"),
        ("{apiVersion: v1, kind: Node, metadata: {name: a, namespace: b}}", "is not namespaced"),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: a, annotations: {x: true}}}",
            "metadata.annotations.x must be a string, but is true",
        ),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{env: [{name: X, value: 1}]}]}}",
            "spec.containers[0].env[0].value must be a string",
        ),
        ("{apiVersion: v1, kind: PodList}", "PodList without items"),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: a}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: a}}",
            "Pod default/a occurs twice",
        ),
    ] {
        let message = object_complaint(object);
        assert!(message.contains(expected), "{message}");
    }
    assert!(object_complaint("{apiVersion: v1, kind: Pod}").starts_with("test.yaml:11:"));
}

#[test]
fn unquoted_words_stay_words() {
    let world = world("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: yes, y: \"no\"}}");
    assert_eq!(world.object("ConfigMap", "default", "a").unwrap()["data"], json!({"x": "yes", "y": "no"}));
}

#[test]
fn world_files_are_found_and_sorted() {
    let dir = tempfile::tempdir().unwrap();
    for file in ["b/fine.one.yaml", "b/broken.two.yaml", "a/broken.x.y.yaml"] {
        let path = dir.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, HEADER).unwrap();
    }
    let found = all_worlds(dir.path()).unwrap();
    let names: Vec<_> = found.iter().map(|w| (w.check.as_str(), w.case, w.name.as_str())).collect();
    assert_eq!(names, [("a", Case::Broken, "x.y"), ("b", Case::Broken, "two"), ("b", Case::Fine, "one")]);
    assert_eq!(World::load(&found[0].path).unwrap().header.expect.exit, 1);

    std::fs::write(dir.path().join("a/brokn.yaml"), HEADER).unwrap();
    assert!(all_worlds(dir.path()).unwrap_err().to_string().contains("must be named"));
    assert!(World::load(Path::new("/nowhere.yaml")).unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn objects_made_by_code() {
    let mut world =
        world("apiVersion: v1\nkind: Pod\nmetadata: {name: z, namespace: shop, resourceVersion: '5000'}\n");
    let pod = |name: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "many"}});
    world.extend((0..1000).map(|i| pod(&format!("p-{i:04}")))).unwrap();
    assert_eq!(world.objects.len(), 1003, "with both namespaces");
    let first = world.object("Pod", "many", "p-0000").unwrap();
    assert!(first["metadata"]["resourceVersion"].as_str().unwrap() > "5000");
    assert_eq!(world.extend([pod("p-0001")]).unwrap_err(), "Pod many/p-0001 occurs twice");
}

const ACCOUNT: &str = "apiVersion: irsa.test/v1\nkind: AwsAccount\naccount: '111122223333'\n";

#[test]
fn accounts() {
    let world = world(&format!("{ACCOUNT}partition: aws-cn\nregion: cn-north-1\noidcProviders: [{{}}]\n"));
    let account = &world.accounts[0];
    assert!(world.has_aws() && world.objects.is_empty());
    let arn = account.provider_arn(&account.oidc_providers[0], "https://issuer.example/a");
    assert_eq!(arn, "arn:aws-cn:iam::111122223333:oidc-provider/issuer.example/a");
    assert!(!self::world("").has_aws());
    let reachable = World::parse("x", &format!("{HEADER}issuerServes: {{}}\n")).unwrap();
    assert!(reachable.has_aws());
}

#[test]
fn mistakes_in_accounts() {
    for (more, expected) in [
        ("denied: [x]", "unknown field `denied`"),
        ("deny: [iam:getRole]", "none of the actions of the fake AWS"),
        ("deny: ['sts:*']", "no policy can deny sts:GetCallerIdentity"),
        ("region: eu-west-9", "has no Region \"eu-west-9\""),
        ("eks: [{name: a, region: cn-north-1}]", "has no Region \"cn-north-1\""),
        ("fail: {'iam:GetRole': 200}", "200 is not the status of an error"),
        ("roles: [{name: a, path: team, trust: {}}]", "the path of role a must begin and end"),
        ("roles: [{name: a}]", "missing field `trust`"),
        ("oidcProviders: [{url: 'https://a'}]", "without the scheme"),
    ] {
        let message = object_complaint(&format!("{ACCOUNT}{more}\n"));
        assert!(message.contains(expected), "{message}");
        assert!(message.starts_with("test.yaml:1"), "{message}");
    }
    assert!(object_complaint(&ACCOUNT.replace("'111122223333'", "'1'")).contains("twelve digits"));
    assert!(object_complaint(&format!("{ACCOUNT}---\n{ACCOUNT}")).contains("111122223333 occurs twice"));
}

#[test]
fn logs_belong_to_containers() {
    let pod = "---\n{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: app}]}}\n";
    let header = |key: &str, text: &str| format!("{HEADER}logs: {{{key}: {{current: '{text}'}}}}\n{pod}");
    assert!(World::parse("x", &header("default/a/app", "2026-11-22T07:00:00Z x")).is_ok());
    let complaint = |key, text| World::parse("x", &header(key, text)).unwrap_err().to_string();
    assert!(complaint("default/a/other", "").contains("there is no container default/a/other"));
    assert!(complaint("a/app", "").contains("NAMESPACE/POD/CONTAINER"));
    assert!(complaint("default/a/app", "no time").contains("\"no time\" does not begin with a time"));
}

#[test]
fn what_a_world_must_get_says_itself() {
    let expect = |text: &str| {
        let header = HEADER.split("expect:").next().unwrap();
        World::parse("x", &format!("{header}expect: {text}\n")).unwrap().header.expect
    };
    let broken = expect("{verdict: broken, rootCause: a}");
    assert_eq!((broken.exit, broken.errors), (1, vec!["a".to_owned()]));
    assert_eq!(expect("{verdict: broken, rootCause: a, errors: [a, b]}").errors, ["a", "b"]);
    assert_eq!(expect("{verdict: inconclusive}").exit, 3);
    assert_eq!(expect("{exit: 2}").verdict, None);
}

#[test]
fn the_stream_is_the_world_made_whole() {
    let text = "base: eks-probed\nabout: x\nexpect: {verdict: healthy}\n---\nkind: Pod\nmetadata: {labels: {odd: \"yes\\n- #\"}}\n";
    let world = World::parse("x", text).unwrap();
    let again = World::parse("x", &world.stream()).unwrap();
    assert_eq!(again.objects, world.objects);
    assert_eq!(again.header.issuer, world.header.issuer);
    let pod = again.object("Pod", "shop", "checkout-7d9f8b6c5d-x2x4z").unwrap();
    assert_eq!(pod["metadata"]["labels"]["odd"], "yes\n- #");
    let report = &pod["status"]["ephemeralContainerStatuses"][0]["state"]["terminated"]["message"];
    assert!(report.as_str().unwrap().contains("\"schema\":\"irsa-probe/v1\""));
}

#[test]
fn mistakes_in_a_world_with_a_base_name_its_lines() {
    let header = "base: eks\nabout: x\nexpect: {verdict: healthy}\n";
    let complaint = |text: &str| complaint(&format!("{header}{text}"));
    assert!(complaint("dny: [get pods]\n").starts_with("test.yaml:1: unknown field `dny`"));
    let same = "---\nkind: AwsAccount\nregion: eu-west-1\n";
    assert_eq!(complaint(same), "test.yaml:5: AwsAccount: region: that is what the base says (base eks)");
    assert!(
        complaint("---\nkind: AwsAccount\nregoin: x\n").starts_with("test.yaml:5: unknown field `regoin`")
    );
    let number = "---\nkind: Pod\nmetadata: {labels: {a: 1}}\n";
    assert!(
        complaint(number).starts_with("test.yaml:5: Pod checkout-7d9f8b6c5d-x2x4z: metadata.labels.a must")
    );
}

//! Tests of worlds that are a base and a difference.

use super::*;

const SHOP: &str = "apiVersion: irsa.test/v1
kind: World
about: the shop
debug: [pod/checkout, -n, shop]
user: eve
expect: {verdict: healthy}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: checkout, namespace: shop, uid: u1, annotations: {role: a}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: checkout, namespace: shop, uid: u2}
spec: {serviceAccountName: checkout, containers: [{name: app, env: [{name: A, value: '1'}]}]}
---
apiVersion: irsa.test/v1
kind: AwsAccount
account: '111122223333'
region: eu-west-1
";

const HEADER: &str = "base: shop\nabout: a world\nexpect: {verdict: broken, rootCause: x}\n";

fn bases(name: &str) -> Result<Stream, String> {
    match name {
        "shop" => read(SHOP, &bases).map_err(|problem| problem.message),
        "probed" => read("base: shop\nabout: more\nuser: ann\n", &bases).map_err(|problem| problem.message),
        _ => Err(format!("no base {name}")),
    }
}

fn stream(text: &str) -> Stream {
    read(text, &bases).unwrap_or_else(|problem| panic!("{}: {}", problem.line, problem.message))
}

fn changed(documents: &str) -> Vec<Value> {
    stream(&format!("{HEADER}---\n{documents}")).documents
}

fn complaint(text: &str) -> (usize, String) {
    let problem = read(text, &bases).map(drop).unwrap_err();
    (problem.line, problem.message)
}

#[test]
fn the_header_is_a_difference_to_the_base_s() {
    let whole = stream(&format!("{HEADER}options: [--no-assume]\n"));
    let expected = json!({
        "apiVersion": "irsa.test/v1", "kind": "World", "about": "a world", "debug": ["pod/checkout", "-n", "shop"],
        "options": ["--no-assume"], "user": "eve", "expect": {"verdict": "broken", "rootCause": "x"},
    });
    assert_eq!(whole.header, expected);
    assert_eq!(whole.documents.len(), 4);
    assert_eq!(stream(&HEADER.replace("shop", "probed")).header["user"], "ann", "a base of a base");
}

#[test]
fn what_a_world_is_about_and_must_get_is_its_own() {
    let header = stream("base: shop\nuser: ann\n").header;
    assert!(header.get("about").is_none() && header.get("expect").is_none(), "{header}");
}

#[test]
fn objects_are_found_by_what_is_needed_to_find_them() {
    let found = changed(
        "kind: Pod\nspec: {containers: {app: {env: {A: {value: '2'}}}}}
---
kind: ServiceAccount\nmetadata: {name: checkout, annotations: {role: b}}
---
kind: AwsAccount\nregion: null
",
    );
    let env = json!([{"name": "A", "value": "2"}]);
    assert_eq!(
        found[2]["spec"],
        json!({"serviceAccountName": "checkout", "containers": [{"name": "app", "env": env}]})
    );
    assert_eq!(found[0]["metadata"]["annotations"], json!({"role": "b"}));
    assert_eq!(found[0]["metadata"]["namespace"], "shop");
    assert!(found[3].get("region").is_none());
}

#[test]
fn objects_are_added_left_out_and_copied() {
    let found = changed(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: checkout, namespace: other}
---
kind: ServiceAccount\nlike: checkout\nmetadata: {name: ledger, annotations: null}
",
    );
    assert_eq!(found[4]["metadata"]["namespace"], "other");
    assert_eq!(
        found[5],
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ledger", "namespace": "shop"}})
    );
    let less =
        stream(&format!("{HEADER}without: [ServiceAccount/shop/default, Pod, AwsAccount/111122223333]\n"));
    assert_eq!(less.documents.len(), 1);
}

#[test]
fn mistakes_name_the_line_and_what_is_wrong() {
    for (documents, expected) in [
        ("kind: Pod\nspec: {serviceAccountName: checkout}", "Pod: spec.serviceAccountName: that is what the"),
        (
            "kind: Pod\nmetadata: {name: checkot}\nspec: {x: 1}",
            "there is no Pod/checkot; an object of the world's",
        ),
        (
            "kind: ServiceAccount\nmetadata: {labels: {a: b}}",
            "ServiceAccount can be ServiceAccount/shop/checkout or ServiceAccount/shop/default; say which",
        ),
        ("kind: Pod", "Pod: says nothing"),
        ("metadata: {name: checkout}", "a document without kind"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: checkout, namespace: shop}",
            "Pod/shop/checkout is there; to say what differs in it, leave out apiVersion",
        ),
        ("kind: Pod\nlike: checkot\nmetadata: {name: b}", "there is no Pod/checkot"),
        ("kind: Pod\nlike: checkout\nspec: {x: 1}", "Pod/shop/checkout is there"),
        (
            "apiVersion: v1\nkind: Pod\nlike: checkout",
            "an object that is like another has its apiVersion from",
        ),
        ("kind: PodTemplate\nspec: {x: 1}", "PodTemplate: there is no Deployment with a ReplicaSet"),
    ] {
        let (line, message) = complaint(&format!("{HEADER}---\n{documents}\n"));
        assert!(message.starts_with(expected), "{message}");
        assert!(message.ends_with("(base shop)"), "{message}");
        assert_eq!(line, 5);
    }
}

#[test]
fn mistakes_in_the_header() {
    for (more, expected) in [
        ("user: eve", "user: that is what the base says"),
        ("logs: null", "logs: is not there to be removed"),
        ("without: []", "without must be a list"),
        ("without: Pod", "without must be a list"),
        ("without: [Node]", "without: there is no Node"),
        ("without: [ServiceAccount]", "without: ServiceAccount can be"),
        ("without: [{kind: Pod}]", "without: each must be KIND, KIND/NAME or"),
    ] {
        let (line, message) = complaint(&format!("{HEADER}{more}\n"));
        assert!(message.starts_with(expected), "{message}");
        assert_eq!(line, 1);
    }
    assert_eq!(complaint(&HEADER.replace("shop", "shp")).1, "no base shp");
    assert_eq!(complaint("base: [shop]\n").1, "base must be a name");
}

#[test]
fn bases_are_files() {
    let unknown = base("ekss").unwrap_err();
    assert!(unknown.starts_with("there is no base \"ekss\"; there are eks"), "{unknown}");
    assert!(unknown.contains(", kops"), "{unknown}");
    assert_eq!(from_file("eks", &["eks"]).unwrap_err(), "base eks is a base of itself");
    assert!(names().contains(&"eks-pod-identity".to_owned()), "{:?}", names());
}

#[test]
fn a_report_may_be_a_map() {
    let mut value = json!({"state": {"terminated": {"exitCode": 0, "report": {"schema": "irsa-probe/v1"}}}});
    write_reports(&mut value);
    let expected =
        json!({"state": {"terminated": {"exitCode": 0, "message": "{\"schema\":\"irsa-probe/v1\"}"}}});
    assert_eq!(value, expected);
}

use proptest::prelude::*;

use super::*;
use crate::facts::kubernetes::resource::Query;
use crate::facts::kubernetes::{
    ConfigMap, Deployment, Event, LabelSelector, MutatingWebhookConfiguration, Pod, Secret, ServiceAccount,
};
use crate::facts::{Fact, Why};

const ARN: &str = r#".metadata.annotations["eks.amazonaws.com/role-arn"]"#;

/// A stream of a service account, a pod and a Secret, as a person writes it.
const STREAM: &str = r#"# Two of ours.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: checkout
  namespace: shop
  annotations:
    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/shop-checkout
---
apiVersion: v1
kind: Pod
metadata: {name: checkout-7d9f, namespace: shop, labels: {app: checkout}}
spec:
  serviceAccountName: checkout
  nodeName: ip-10-0-1-17
  containers:
  - name: app
    env:
      - name: AWS_REGION
        value: eu-west-1
      - name: AWS_ROLE_ARN
        value: "arn:aws:iam::111122223333:role/x"
  volumes:
  - projected:
      defaultMode: 0644
---
apiVersion: v1
kind: Secret
metadata: {name: aws, namespace: shop}
data: {AWS_SECRET_ACCESS_KEY: aHVudGVyMg==}
stringData:
  AWS_ACCESS_KEY_ID: hunter2
"#;

fn try_load(text: &str) -> Result<Store, DocumentError> {
    let mut store = Store::default();
    store.read("f.yaml", text.into())?;
    Ok(store)
}

fn load(text: &str) -> Store {
    try_load(text).unwrap()
}

fn error(text: &str) -> String {
    match try_load(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

fn shown(source: &Source, path: &str) -> String {
    source.at(path).to_string()
}

fn unknown<T: std::fmt::Debug>(fact: &Fact<T>) -> (&str, &Why) {
    let unknown = fact.unknown().unwrap();
    (&unknown.what, &unknown.why)
}

fn listed<T: crate::facts::kubernetes::resource::Resource>(
    store: &Store,
    namespace: Option<&str>,
    query: &Query,
) -> Vec<String> {
    let fact = store.list::<T>(namespace, query);
    let listing = &fact.known().unwrap().value;
    assert_eq!(listing.cut.as_ref().unwrap().why, Why::NotInFiles);
    listing.items.iter().map(|item| item.value.meta().name.clone()).collect()
}

fn by_field(field: &'static str, value: &str) -> Query {
    Query { labels: None, fields: vec![(field, value.to_owned())] }
}

#[test]
fn every_field_knows_its_line_and_column() {
    let store = load(STREAM);
    let account = store.get::<ServiceAccount>(Some("shop"), "checkout");
    let source = &account.known().unwrap().source;
    assert_eq!(source.to_string(), "f.yaml:2:1 serviceaccount/checkout");
    assert_eq!(shown(source, ARN), format!("f.yaml:8:5 serviceaccount/checkout {ARN}"));
    assert!(matches!(source, Source::File { document: 1, .. }));

    let pod = store.get::<Pod>(Some("shop"), "checkout-7d9f");
    let pod = pod.known().unwrap();
    assert!(matches!(pod.source, Source::File { document: 2, .. }));
    for (path, place) in [
        ("", "10:1"),
        (".metadata.labels", "12:50"),
        (".metadata.labels.app", "12:59"),
        (".spec.containers", "16:3"),
        (".spec.containers[0]", "17:5"),
        (".spec.containers[0].env[0].value", "20:9"),
        (".spec.containers[0].env[1]", "21:9"),
        (".spec.containers[0].env[1].name", "21:9"),
        (".spec.volumes[0].projected.defaultMode", "25:7"),
        // What is not written is shown at its nearest parent.
        (".spec.containers[0].envFrom[0]", "17:5"),
        (".spec.containers[0].env[11].name", "18:5"),
        (".metadata.namespaces", "12:1"),
        (".status.phase", "10:1"),
    ] {
        let at = pod.source.at(path);
        assert!(at.to_string().starts_with(&format!("f.yaml:{place} pod/checkout-7d9f")), "{path}: {at}");
    }
    assert_eq!(pod.value.spec.volumes[0].projected.as_ref().unwrap().default_mode, Some(0o644));
}

#[test]
fn json_has_positions_too() {
    let text = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"ServiceAccount\",\n\t\"metadata\": {\n\t\t\"name\": \"checkout\",\n\
        \t\t\"annotations\": {\"a/b\": \"\\/\\u00e9\"}}}\n {\"kind\":\"ServiceAccount\",\n\"metadata\":{\"name\":\"two\"}}";
    let store = load(text);
    let one = store.get::<ServiceAccount>(None, "checkout");
    let one = one.known().unwrap();
    assert_eq!(one.value.metadata.annotations["a/b"], "/é");
    assert!(shown(&one.source, ".metadata.annotations[\"a/b\"]").starts_with("f.yaml:6:19 "));
    let two = store.get::<ServiceAccount>(None, "two");
    let source = &two.known().unwrap().source;
    assert!(shown(source, "").starts_with("f.yaml:7:2 "));
    assert!(shown(source, ".kind").starts_with("f.yaml:7:3 "));
    assert!(shown(source, ".metadata.name").starts_with("f.yaml:8:13 "));
    assert!(matches!(source, Source::File { document: 2, .. }));
}

#[test]
fn json_that_is_no_yaml_is_read_without_positions() {
    let text = r#" {"kind":"ServiceAccount",
        "metadata":{"name":"x","annotations":{"a":"\ud83d\ude00"}}}"#;
    let store = load(text);
    let account = store.get::<ServiceAccount>(None, "x");
    let account = account.known().unwrap();
    assert_eq!(account.value.metadata.annotations["a"], "\u{1f600}");
    assert!(shown(&account.source, ".metadata.annotations.a").starts_with("f.yaml:1:2 "));
    assert!(error(&text.replace(r"\ude00", "")).starts_with("f.yaml:2:51: this is neither YAML nor JSON: "));
}

#[test]
fn lists_are_taken_apart() {
    let store = load(
        "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ServiceAccount
  metadata: {name: a}
- apiVersion: v1
  kind: List
  items: [{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}}]
---
apiVersion: v1
items:
- metadata:
    name: p
- metadata: {name: q, namespace: shop}
kind: PodList
---
apiVersion: apps/v1
kind: DeploymentList
items: [{metadata: {name: e}}]
---
apiVersion: v1
kind: EventList
items: null
---
apiVersion: events.k8s.io/v1
kind: EventList
items: [{regarding: {}, metadata: {name: other}, reason: 5}]
",
    );
    assert_eq!(listed::<Pod>(&store, None, &Query::default()), ["p", "q"]);
    assert_eq!(listed::<Deployment>(&store, None, &Query::default()), ["d", "e"]);
    let pod = store.get::<Pod>(Some("anywhere"), "p");
    let source = &pod.known().unwrap().source;
    assert_eq!(shown(source, ".metadata.name"), "f.yaml:14:5 pod/p .metadata.name");
    assert_eq!(source.to_string(), "f.yaml:13:3 pod/p");
    // Nothing of that kind at all, or of another API group.
    assert_eq!(unknown(&store.list::<Event>(None, &Query::default())), ("events", &Why::NotInFiles));
    assert_eq!(
        unknown(&store.list::<Secret>(Some("shop"), &Query::default())),
        ("secrets of namespace shop", &Why::NotInFiles)
    );
    let listing = store.list::<Pod>(Some("shop"), &Query::default());
    assert_eq!(listing.known().unwrap().source.to_string(), "f.yaml:13:3 pods");
    assert_eq!(listing.known().unwrap().value.cut.as_ref().unwrap().what, "other pods of namespace shop");
}

#[test]
fn what_is_not_there_is_unknown() {
    let store = load(STREAM);
    assert_eq!(unknown(&store.get::<Pod>(Some("shop"), "other")), ("pod shop/other", &Why::NotInFiles));
    assert!(store.get::<Pod>(Some("elsewhere"), "checkout-7d9f").unknown().is_some());
    assert_eq!(
        unknown(&store.get::<MutatingWebhookConfiguration>(Some("shop"), "x")).0,
        "mutatingwebhookconfiguration x"
    );
    assert_eq!(unknown(&store.clock()).1, &Why::NotInFiles);
    assert_eq!(unknown(&store.version()).1, &Why::NotInFiles);
    assert!(listed::<Pod>(&store, Some("elsewhere"), &Query::default()).is_empty());
}

#[test]
fn kinds_that_no_check_reads_are_passed_over() {
    let store = load(
        "{kind: Ingress, metadata: [1]}\n---\n{apiVersion: batch.volcano.sh/v1, kind: Job, spec: 1}\n---\n\
        {apiVersion: irsa/v1, kind: AwsAnswer, action: s3:ListBuckets, response: {a: 1}}\n---\n{kind: AccessControlList}",
    );
    assert!(store.names::<Pod>(None).is_empty());
}

#[test]
fn a_query_narrows_a_list_as_the_server_would() {
    let store = load(
        "
{kind: Pod, metadata: {name: a, namespace: shop, labels: {app: x}}, spec: {serviceAccountName: s, nodeName: node}}
---
{kind: Pod, metadata: {name: b, namespace: shop}, spec: {}}
---
{kind: Pod, metadata: {name: c, namespace: other}, spec: {serviceAccountName: s}}
---
{kind: Event, metadata: {name: e, namespace: shop}, involvedObject: {kind: Pod, name: a, uid: u}}
",
    );
    let of_s = by_field("spec.serviceAccountName", "s");
    assert_eq!(listed::<Pod>(&store, None, &of_s), ["a", "c"]);
    assert_eq!(listed::<Pod>(&store, Some("shop"), &of_s), ["a"]);
    assert_eq!(listed::<Pod>(&store, None, &by_field("spec.serviceAccountName", "default")), ["b"]);
    assert_eq!(listed::<Pod>(&store, None, &by_field("spec.nodeName", "node")), ["a"]);
    assert_eq!(listed::<Pod>(&store, None, &by_field("metadata.name", "b")), ["b"]);
    assert_eq!(listed::<Pod>(&store, None, &by_field("metadata.namespace", "other")), ["c"]);
    let label = LabelSelector {
        match_labels: [(String::from("app"), String::from("x"))].into(),
        ..LabelSelector::default()
    };
    let labelled = Query { labels: Some(label), fields: Vec::new() };
    assert_eq!(listed::<Pod>(&store, None, &labelled), ["a"]);
    for (field, value) in
        [("involvedObject.kind", "Pod"), ("involvedObject.name", "a"), ("involvedObject.uid", "u")]
    {
        assert_eq!(listed::<Event>(&store, None, &by_field(field, value)), ["e"]);
        assert!(listed::<Event>(&store, None, &by_field(field, "z")).is_empty());
    }
    let wrong = store.list::<Pod>(None, &by_field("spec.color", "red"));
    assert_eq!(unknown(&wrong).1, &Why::Failed(String::from("pods cannot be selected by spec.color")));
    assert!(matches!(
        unknown(&store.list::<Event>(None, &by_field("spec.nodeName", "node"))).1,
        Why::Failed(_)
    ));
}

#[test]
fn a_manifest_without_namespace_stands_in_any() {
    let store = load("{kind: Pod, metadata: {name: m}}\n---\n{kind: Pod, metadata: {generateName: g-}}");
    assert!(store.get::<Pod>(Some("shop"), "m").known().is_some());
    assert_eq!(listed::<Pod>(&store, Some("shop"), &Query::default()), ["m", ""]);
    assert_eq!(store.namespace_of("Pod", "m"), ["default"]);
    assert_eq!(store.names::<Pod>(Some("shop")), ["m"]);
    assert!(store.namespace_of("Pod", "none").is_empty());
    assert!(store.namespace_of("Deployment", "m").is_empty());

    // Beside the object as the cluster has it, the manifest is no second one.
    let store = load(
        "{kind: Pod, metadata: {name: m}}\n---\n{kind: Pod, metadata: {name: m, namespace: shop, uid: u}}\n---\n\
        {kind: Pod, metadata: {name: m, namespace: b}}",
    );
    assert_eq!(store.get::<Pod>(Some("shop"), "m").known().unwrap().value.metadata.uid, "u");
    assert_eq!(store.get::<Pod>(Some("c"), "m").known().unwrap().value.metadata.namespace, "");
    assert_eq!(listed::<Pod>(&store, Some("shop"), &Query::default()), ["m"]);
    assert_eq!(listed::<Pod>(&store, None, &Query::default()).len(), 2);
    assert_eq!(store.namespace_of("pod", "m"), ["b", "shop"]);
}

#[test]
fn of_an_object_that_stands_twice_the_later_counts() {
    let store = load(
        "{kind: Pod, metadata: {name: m, namespace: a, uid: one}}\n---\n{kind: Pod, metadata: {name: m, namespace: a, uid: two}}",
    );
    let listing = store.list::<Pod>(None, &Query::default());
    let items = &listing.known().unwrap().value.items;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].value.metadata.uid, "two");
}

#[test]
fn the_time_and_the_version_are_read() {
    let text = "{apiVersion: irsa/v1, kind: X, observedAt: 2026-11-22T08:00:00Z}\n---\n\
        {apiVersion: irsa/v1, observedAt: 2026-11-22T09:00:00Z}\n---\n{apiVersion: irsa/v1, observedAt: 2026-11-22T07:00:00Z}\n---\n\
        {\"clientVersion\": {\"gitVersion\": \"v1\"}, \"serverVersion\": {\"major\": \"1\", \"minor\": \"33+\", \"gitVersion\": \"v1.33.5-eks-ba24e9c\"}}";
    let store = load(text);
    let clock = store.clock();
    assert_eq!(clock.known().unwrap().value.to_string(), "2026-11-22T09:00:00Z");
    assert_eq!(clock.known().unwrap().source.to_string(), "f.yaml:3:23 time .observedAt");
    assert_eq!(store.version().known().unwrap().value.git_version, "v1.33.5-eks-ba24e9c");
    let bare = load("{\"major\": \"1\", \"minor\": \"33\", \"gitVersion\": \"v1.33.0\"}");
    assert_eq!(bare.version().known().unwrap().value.git_version, "v1.33.0");
    assert!(load("clientVersion: {gitVersion: v1}").version().unknown().is_some());
    assert_eq!(
        error("{apiVersion: irsa/v1, observedAt: yesterday}"),
        "f.yaml:1:35: document 1: .observedAt is not in Kubernetes's format (a time looks like 2026-11-22T08:00:00Z)"
    );

    let at = "2027-01-01T00:00:00Z".parse().unwrap();
    let mut store = load(text);
    store.set_clock(at);
    let clock = store.clock();
    assert_eq!(clock.known().unwrap().value, at);
}

/// What `kubectl create --dry-run` of the same text gives.
#[test]
fn scalars_are_read_as_kubectl_reads_them() {
    for (yaml, json) in [
        ("y", "true"),
        ("Yes", "true"),
        ("on", "true"),
        ("off", "false"),
        ("N", "false"),
        ("0644", "420"),
        ("-0644", "-420"),
        ("08", "8"),
        ("0_8", "8"),
        ("0o17", "15"),
        ("0O17", "15"),
        ("0b11", "3"),
        ("0x1F", "31"),
        ("1_000", "1000"),
        ("1__0", "10"),
        ("1e3", "1000"),
        ("86400.0", "86400"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+1", "1"),
        ("-0", "0"),
        ("012345678901", "12345678901"),
        ("111122223333", "111122223333"),
        ("18446744073709551615", "18446744073709551615"),
        ("2026-11-01T00:00:00Z", "\"2026-11-01T00:00:00Z\""),
        ("2026-11-01", "\"2026-11-01\""),
        ("1:20", "\"1:20\""),
        ("~", "null"),
        ("Null", "null"),
        ("", "null"),
        ("nULL", "\"nULL\""),
        ("0x", "\"0x\""),
        ("0x-1", "\"0x-1\""),
        ("--1", "\"--1\""),
        ("1_a", "\"1_a\""),
        ("_1", "\"_1\""),
        ("+y", "\"+y\""),
        ("=", "\"=\""),
        ("1e400", "\"1e400\""),
        ("!!str 5", "\"5\""),
        ("! 5", "\"5\""),
        ("!foo 5", "\"5\""),
        ("!!int \"5\"", "5"),
        ("'yes'", "\"yes\""),
        ("|-\n yes", "\"yes\""),
    ] {
        let mut found = None;
        yaml::documents(&format!("v: {yaml}\n"), |piece| -> Result<(), At<Flaw>> {
            let yaml::Piece::Document(node) = piece else { panic!("it is no list") };
            let value: serde_json::Value = shape::read(node.get("v").unwrap()).unwrap();
            found = Some(value.to_string());
            Ok(())
        })
        .unwrap();
        assert_eq!(found.as_deref(), Some(json), "{yaml}");
    }
}

#[test]
fn keys_and_merges_are_read_as_kubectl_reads_them() {
    let store = load(
        "kind: ConfigMap
metadata: &m
  name: x
  labels: &l {a: '1', b: '2'}
  annotations: {<<: *l, b: '3', on: '4', 0644: '5', 1.5: '6'}
---
kind: ConfigMap
metadata: {<<: [{name: first}, {name: second, uid: u}]}
",
    );
    let map = store.get::<ConfigMap>(None, "x");
    let map = map.known().unwrap();
    let annotations: Vec<_> =
        map.value.metadata.annotations.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(annotations, ["1.5=6", "420=5", "a=1", "b=3", "true=4"]);
    assert!(
        shown(&map.source, ".metadata.annotations.a").starts_with("f.yaml:4:15 "),
        "{}",
        shown(&map.source, ".metadata.annotations.a")
    );
    assert_eq!(store.get::<ConfigMap>(None, "first").known().unwrap().value.metadata.uid, "u");
}

#[test]
fn empty_fields_are_empty_values_as_in_go() {
    let store = load(
        "kind: Pod\nmetadata:\n  name: x\n  annotations:\n    a:\n  labels:\nspec:\n  containers:\n  hostNetwork:\n",
    );
    let pod = store.get::<Pod>(None, "x");
    let pod = &pod.known().unwrap().value;
    assert_eq!(pod.metadata.annotations["a"], "");
    assert!(pod.spec.containers.is_empty());
}

#[test]
fn errors_name_the_place_the_thing_and_what_was_expected() {
    for (text, expected) in [
        (
            "kind: ServiceAccount\nmetadata:\n  name: checkout\n  annotations:\n    eks.amazonaws.com/x: 111122223333\n",
            "f.yaml:5:26: serviceaccount/checkout: .metadata.annotations[\"eks.amazonaws.com/x\"] is a number; \
             Kubernetes requires a string: put it in quotes",
        ),
        (
            "kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - env:\n    - {name: A}\n    - {name: B, value: yes}\n",
            "f.yaml:7:24: pod/p: .spec.containers[0].env[1].value is a boolean; Kubernetes requires a string: \
             put it in quotes",
        ),
        (
            "kind: Pod\nmetadata: {name: p}\nspec:\n  containers: {name: a}\n",
            "f.yaml:4:15: pod/p: .spec.containers is a mapping; Kubernetes requires a list",
        ),
        ("kind: Pod\nspec: [a]\n", "f.yaml:2:7: pod: .spec is a list; Kubernetes requires a mapping"),
        (
            "kind: Deployment\nmetadata: {name: d}\nspec: {replicas: '3'}\n",
            "f.yaml:3:18: deployment/d: .spec.replicas is a string; Kubernetes requires a whole number of 32 bits",
        ),
        (
            "kind: Deployment\nmetadata: {name: d}\nspec: {replicas: 3000000000}\n",
            "f.yaml:3:18: deployment/d: .spec.replicas is out of range; Kubernetes requires a whole number of 32 bits",
        ),
        (
            "kind: Pod\nmetadata: {name: p, creationTimestamp: 2026-11-31}\n",
            "f.yaml:2:40: pod/p: .metadata.creationTimestamp is not in Kubernetes's format (a time looks like \
             2026-11-22T08:00:00Z)",
        ),
        (
            "kind: PodList\nitems: {a: 1}\n",
            "f.yaml:2:8: PodList: .items is a mapping; Kubernetes requires a list",
        ),
        ("kind: 5\n", "f.yaml:1:7: document 1: .kind is a number; Kubernetes requires a string"),
        (
            "kind: Foo\n---\n- kind: Pod\n",
            "f.yaml:3:1: document 2 is a list; expected a Kubernetes object with `apiVersion` and `kind`, as `kubectl get \
             -o yaml` prints it",
        ),
        (
            "hello world\n",
            "f.yaml:1:1: document 1 is a string; expected a Kubernetes object with `apiVersion` and `kind`, as `kubectl get \
             -o yaml` prints it",
        ),
        (
            "kind: List\nitems:\n- metadata: {}\n",
            "f.yaml:3:3: this mapping in document 1 has no `kind`; expected a Kubernetes object with `apiVersion` and \
             `kind`, as `kubectl get -o yaml` prints it",
        ),
        ("kind: Foo\na: 1\na: 2\n", "f.yaml:3:1: duplicate key \"a\" in this mapping"),
        ("{\"kind\": \"Foo\", \"kind\": 1}", "f.yaml:1:17: duplicate key \"kind\" in this mapping"),
        ("a: *b\n", "f.yaml:1:4: this is neither YAML nor JSON: while parsing node, found unknown anchor"),
        ("a: &b [*b]\n", "f.yaml:1:8: the alias refers to no anchor that ends before it in this document"),
        (
            "{kind: Foo, a: &b 1}\n---\n{kind: Foo, c: *b}\n",
            "f.yaml:3:16: the alias refers to no anchor that ends before it in this document",
        ),
        ("kind: Foo\n? [a]\n: b\n", "f.yaml:2:3: a key is a list; expected a string"),
        ("kind: Foo\n~: b\n", "f.yaml:2:1: a key is empty; expected a string"),
        ("kind: Foo\n<<: 5\n", "f.yaml:2:5: `<<` is a number; expected a mapping or a list of mappings"),
        ("kind: Foo\na: \"b\0\"\n", "f.yaml:2:6: this is not UTF-8 text"),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
    for (text, start) in [
        ("kind: Pod\nmetadata:\n\tname: x\n", "f.yaml:3:2: this is neither YAML nor JSON: tabs disallowed"),
        ("kind: Pod\n metadata: x\n", "f.yaml:2:10: this is neither YAML nor JSON: "),
        ("{\"kind\": \"Pod\",", "f.yaml:1:"),
        ("kind: \"Pod", "f.yaml:1:"),
    ] {
        assert!(error(text).starts_with(start), "{}", error(text));
    }
}

#[test]
fn an_escape_sequence_in_a_file_stays_out_of_messages() {
    let text = "kind: Pod\nmetadata:\n  name: \"a\\e[2J\"\n  annotations: {\"\\e[31m\": 5}\n";
    assert!(error(text).chars().all(|c| !c.is_control()), "{}", error(text));
    let twice = "\"\\e\": 1\n\"\\e\": 2\n";
    assert!(error(twice).chars().all(|c| !c.is_control()));
}

#[test]
fn what_is_no_utf8_is_said() {
    let error = |bytes: &[u8]| super::text(bytes.to_vec(), "f").unwrap_err().to_string();
    assert_eq!(error(b"ab\ncd\xc3\xa9\xff"), "f:2:4: this is not UTF-8 text");
    let damaged = "f is damaged UTF-16 text; expected UTF-8 (in PowerShell: `| Out-File -Encoding utf8`)";
    assert_eq!(error(b"\xff\xfek\0i"), damaged);
    assert_eq!(error(b"\xfe\xff\xd8\0"), damaged);
    assert_eq!(error(b"\xff\xfek\0\0\0"), "f:1:2: this is not UTF-8 text");
    assert_eq!(super::text("\u{feff}kind: x".into(), "f").unwrap(), "kind: x");
}

#[test]
fn utf16_is_read_as_powershell_writes_it() {
    let units = || "\u{feff}kind: é𝄞\r\n".encode_utf16();
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes: Vec<u8> = units().flat_map(order).collect();
        assert_eq!(super::text(bytes, "f").unwrap(), "kind: é𝄞\r\n");
    }
}

#[test]
fn bombs_are_refused() {
    use std::fmt::Write as _;
    let started = std::time::Instant::now();
    for text in [
        format!("a: {}", "[".repeat(1_000_000)),
        format!("a: {}", "{\"a\":".repeat(1_000_000)),
        format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000)),
        "- ".repeat(1_000_000),
        "? ".repeat(1_000_000),
        (0..1000).fold(String::new(), |text, depth| text + &" ".repeat(depth) + "a:\n"),
    ] {
        let message = error(&text);
        assert!(message.contains("nested deeper than 100 levels"), "{message}");
    }
    let mut laughs = String::from("a0: &a0 [x, x]\n");
    for level in 1..60 {
        let below = level - 1;
        writeln!(laughs, "a{level}: &a{level} [*a{below}, *a{below}]").unwrap();
    }
    assert!(error(&laughs).ends_with("the aliases in this file expand to more than 1000000 values"));
    let mut merges = String::from("a0: &a0 {x: {y: {z: 1}}}\n");
    for level in 1..60 {
        let below = level - 1;
        writeln!(merges, "a{level}: &a{level} {{p: *a{below}, q: *a{below}, <<: *a{below}}}").unwrap();
    }
    assert!(error(&merges).ends_with("the aliases in this file expand to more than 1000000 values"));
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), "*a, ".repeat(100));
    assert!(error(&long).ends_with("the aliases in this file expand to more than 1000000 values"));
    let mut tower = String::from("a0: &a0 [x]\n");
    for level in 1..150 {
        writeln!(tower, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert!(error(&tower).contains("nested deeper than 100 levels"));
    // Not a benchmark: minutes would mean that something grows with the square of the text.
    assert!(started.elapsed().as_secs() < 60);
}

#[test]
fn no_message_holds_the_value_of_a_secret() {
    let store = load(STREAM);
    let secret = store.get::<Secret>(Some("shop"), "aws");
    let keys: Vec<_> = secret.known().unwrap().value.keys.iter().map(String::as_str).collect();
    assert_eq!(keys, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    for text in [format!("{store:?}"), format!("{secret:?}")] {
        assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMg"), "{text}");
    }
    let expected = "f.yaml:1:1: secret/aws does not have the shape of a Secret";
    for broken in [
        "kind: Secret\nmetadata: {name: aws, labels: hunter2}\n",
        "kind: Secret\nmetadata: {name: aws}\ndata: hunter2\n",
        "kind: Secret\nmetadata: {name: aws}\nstringData: [hunter2]\n",
        "kind: Secret\nmetadata: {name: aws, creationTimestamp: hunter2}\n",
        "kind: Secret\nmetadata: {name: aws, labels: {hunter2: 1}}\n",
    ] {
        let failed = try_load(broken).map(|_| ()).unwrap_err();
        assert_eq!(failed.to_string(), expected);
        assert!(!format!("{failed:?}").contains("hunter2"));
    }
    // Nor anything else's values: a variable may hold a password.
    for broken in [
        "kind: Pod\nspec: {containers: [{env: [{name: A, value: 77123}]}]}\n",
        "kind: Pod\nspec: {containers: '77123'}\n",
        "kind: Pod\nmetadata: {creationTimestamp: '77123'}\n",
        "kind: Deployment\nspec: {replicas: 77123000000}\n",
        "kind: Secret\ndata: {a: \"77123\\q\"}\n",
        "kind: Secret\ndata: {a: 77123, a: 77123}\n",
        "kind: Secret\ndata:\n  a: |\n  77123\n",
        "kind: Secret\ndata: [77123\n",
        "{\"kind\": \"Secret\", \"data\": {\"a\": \"77123\\ud83d\"}}",
    ] {
        let failed = try_load(broken).map(|_| ()).unwrap_err();
        assert!(!format!("{failed} {failed:?}").contains("77123"), "{failed}");
    }
}

#[test]
fn a_stream_cut_anywhere_is_read_or_refused() {
    for end in 0..STREAM.len() {
        if let Some(cut) = STREAM.get(..end) {
            let _ = try_load(cut);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(text) = super::text(bytes, "f") {
            let _ = Store::default().add("f", &text, Given::ByName);
        }
    }

    #[test]
    fn any_text_of_yaml_marks_is_read_or_refused(text in "[-:?,#&*!|>%@'\"\\[\\]{}\n\t a0<~.\\\\k]{0,60}") {
        let _ = try_load(&text);
    }

    #[test]
    fn any_change_of_a_stream_is_read_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), "[-:?,&*!|>'\"\\[\\]{}\n\t a]{0,3}"), 1..6)
    ) {
        let mut text = STREAM.to_owned();
        for (at, new) in changes {
            let at = at.index(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                text.replace_range(at..=at, &new);
            }
        }
        if let Err(error) = try_load(&text) {
            let shown = error.to_string();
            prop_assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg"), "{}", shown);
        }
    }
}

/// The identity of the answers below.
fn plan() -> crate::derive::plan::Plan {
    crate::derive::plan::Plan {
        namespace: String::from("shop"),
        service_account: String::from("checkout"),
        audience: String::from("sts.amazonaws.com"),
        role_arn: Some(String::from("arn:aws:iam::111122223333:role/team/shop-checkout")),
        role_name: None,
        seeks_role: false,
        region: String::from("eu-west-1"),
        host: String::from("sts.eu-west-1.amazonaws.com"),
        session_name: String::from("kubectl-irsa-debug"),
        second_host: None,
    }
}

#[test]
fn listed_roles_are_those_that_trust_an_oidc_provider() {
    let roles = r#"{"Roles": [
        {"RoleName": "shop-checkout", "Arn": "arn:aws:iam::111122223333:role/shop-checkout", "AssumeRolePolicyDocument": {
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/issuer.example"}}]}},
        {"RoleName": "node", "Arn": "arn:aws:iam::111122223333:role/node", "AssumeRolePolicyDocument": {
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "ec2.amazonaws.com"}}]}}]"#;
    let seeking = crate::derive::plan::Plan { role_arn: None, seeks_role: true, ..plan() };
    for (rest, is_whole) in [("}", true), (r#", "NextToken": "x"}"#, false)] {
        let store = load(&format!("{roles}{rest}"));
        let listed = store.aws(&seeking).federated_roles;
        let listing = &listed.known().unwrap().value;
        let names: Vec<&str> = listing.items.iter().map(|role| role.value.name.as_str()).collect();
        assert_eq!((names, listing.complete()), (vec!["shop-checkout"], is_whole));
        assert!(store.aws(&plan()).federated_roles.known().is_none(), "a role is named");
    }
}

#[test]
fn answers_are_read_as_the_aws_cli_prints_them() {
    let store = load(
        r#"{"Role": {"Path": "/team/", "RoleName": "shop-checkout", "Arn": "arn:aws:iam::111122223333:role/team/shop-checkout",
            "CreateDate": "2026-11-01T00:00:00+00:00", "MaxSessionDuration": 3600,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}
---
{"cluster": {"name": "prod", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/prod",
             "identity": {"oidc": {"issuer": "https://oidc.eks.eu-west-1.amazonaws.com/id/A1"}}}}
---
{"OpenIDConnectProviderList": [{"Arn": "arn:aws:iam::111122223333:oidc-provider/x"}]}
"#,
    );
    let aws = store.aws(&plan());
    let role = &aws.role.known().unwrap().value;
    assert_eq!(role.max_session, Some(3600));
    let trust: serde_json::Value = serde_json::from_str(&role.trust).unwrap();
    assert_eq!(trust["Version"], "2012-10-17");
    let issuer = aws.cluster.known().unwrap().value.issuer.as_deref();
    assert_eq!(issuer, Some("https://oidc.eks.eu-west-1.amazonaws.com/id/A1"));
    assert_eq!(aws.providers.known().unwrap().value.arns, ["arn:aws:iam::111122223333:oidc-provider/x"]);
    assert_eq!(unknown(&aws.caller).1, &Why::NotInFiles);
}

#[test]
fn a_role_of_another_account_or_name_is_not_the_role() {
    for arn in ["arn:aws:iam::444455556666:role/team/shop-checkout", "arn:aws:iam::111122223333:role/cart"] {
        let name = arn.rsplit('/').next().unwrap();
        let text = format!(
            r#"{{"Role": {{"RoleName": "{name}", "Arn": "{arn}", "AssumeRolePolicyDocument": {{}}}}}}"#
        );
        assert_eq!(unknown(&load(&text).aws(&plan()).role).1, &Why::NotInFiles, "{arn}");
    }
}

#[test]
fn an_error_in_an_envelope_is_an_answer() {
    let with = |account: &str, code: &str| {
        load(&format!(
            "apiVersion: irsa/v1\nkind: AwsAnswer\naccount: \"{account}\"\naction: iam:GetRole\n\
             error: {{code: {code}, message: words}}\n"
        ))
        .aws(&plan())
        .role
    };
    assert!(with("111122223333", "NoSuchEntity").is_absent());
    assert!(!with("444455556666", "NoSuchEntity").is_absent(), "another account cannot tell");
    assert_eq!(unknown(&with("111122223333", "AccessDenied")).1, &Why::Denied(String::from("words")));
}

#[test]
fn a_provider_is_told_by_the_envelopes_request() {
    let arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A1";
    let response =
        r#"{"Url": "oidc.eks.eu-west-1.amazonaws.com/id/A1", "ClientIDList": ["sts.amazonaws.com"]}"#;
    let enveloped = |arn: &str| {
        let text = format!(
            r#"{{"apiVersion": "irsa/v1", "kind": "AwsAnswer", "action": "iam:GetOpenIDConnectProvider",
                "request": {{"OpenIDConnectProviderArn": "{arn}"}}, "response": {response}}}"#
        );
        load(&text).aws(&plan()).provider
    };
    let provider = enveloped(arn);
    let provider = provider.known().unwrap();
    assert_eq!(provider.value.client_ids, ["sts.amazonaws.com"]);
    assert!(enveloped(&arn.replace("111122223333", "444455556666")).known().is_none());

    // Bare, it is that of the role's account.
    let bare = load(response).aws(&plan()).provider;
    assert_eq!(bare.known().unwrap().value, provider.value);
}

/// The cluster, and whose credentials were used.
const CLUSTER: &str = r#"{"cluster": {"name": "prod", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/prod",
    "identity": {"oidc": {"issuer": "https://oidc.eks.eu-west-1.amazonaws.com/id/A1"}}}}"#;
const OTHER_CALLER: &str =
    r#"{"UserId": "AIDA", "Account": "444455556666", "Arn": "arn:aws:iam::444455556666:user/x"}"#;

#[test]
fn a_bare_provider_is_that_of_the_clusters_issuer_in_the_account_that_was_asked() {
    let provider = |url: &str, beside: &str| {
        let text =
            format!(r#"{{"Url": "{url}", "ClientIDList": ["x"], "CreateDate": 1795859892.0}} {beside}"#);
        load(&text).aws(&plan()).provider
    };
    let url = "oidc.eks.eu-west-1.amazonaws.com/id/A1";
    let found = provider(url, CLUSTER);
    let found = found.known().unwrap();
    assert_eq!(found.value.arn, format!("arn:aws:iam::111122223333:oidc-provider/{url}"));
    assert_eq!(found.value.created.unwrap().as_second(), 1_795_859_892);
    assert_eq!(
        found.source.at("ClientIDList").to_string(),
        "f.yaml:1:51 iam:GetOpenIDConnectProvider ClientIDList"
    );
    assert!(provider(&url.replace("A1", "A2"), CLUSTER).known().is_none(), "of another cluster");
    assert!(provider(url, OTHER_CALLER).known().is_none(), "of another account");
}

#[test]
fn a_query_for_the_thing_itself_is_the_answer() {
    let arn = "arn:aws:iam::111122223333:role/team/shop-checkout";
    let role = format!(
        "{{\"RoleName\": \"shop-checkout\",\n\"Arn\": \"{arn}\",\n\"AssumeRolePolicyDocument\": {{\n\"Statement\": []}}}}"
    );
    let aws = load(&role).aws(&plan());
    let role = aws.role.known().unwrap();
    assert_eq!((role.value.arn.as_str(), role.value.trust.as_str()), (arn, r#"{"Statement":[]}"#));
    let statement = role.source.at("Role.AssumeRolePolicyDocument.Statement");
    assert_eq!(statement.to_string(), "f.yaml:4:1 iam:GetRole Role.AssumeRolePolicyDocument.Statement");

    let cluster: serde_json::Value = serde_json::from_str(CLUSTER).unwrap();
    let aws = load(&cluster["cluster"].to_string()).aws(&plan());
    assert_eq!(aws.cluster.known().unwrap().value.name, "prod");
    let aws = load(r#"[{"Arn": "arn:aws:iam::111122223333:oidc-provider/x"}]"#).aws(&plan());
    assert_eq!(aws.providers.known().unwrap().value.arns.len(), 1);
    // `--output yaml-stream`: a list of pages.
    let aws = load(&format!("- {}\n- {OTHER_CALLER}\n", CLUSTER.replace('\n', ""))).aws(&plan());
    assert!(aws.cluster.known().is_some() && aws.caller.known().is_some());
}

/// Allows what the role's trust policy should.
const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/x"}, "Action": "sts:AssumeRoleWithWebIdentity"}]}"#;

#[test]
fn a_trust_policy_alone_is_that_of_the_role() {
    let trust = |text: &str| load(text).aws(&plan()).role;
    let encoded: String = TRUST.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for text in [
        TRUST.to_owned(),
        encoded.clone(),
        format!("\"{encoded}\""),
        format!(r#"{{"AssumeRolePolicyDocument": "{encoded}"}}"#),
        format!(r#"{{"RoleName": "shop-checkout", "AssumeRolePolicyDocument": {TRUST}}}"#),
        format!(
            r#"{{"Role": {{"Arn": "arn:aws:iam::111122223333:role/team/shop-checkout", "RoleName": "shop-checkout",
            "CreateDate": "yesterday", "AssumeRolePolicyDocument": "{encoded}"}}}}"#
        ),
        // What is of another role does not count.
        format!(r#"{TRUST} {{"RoleName": "cart", "AssumeRolePolicyDocument": {{"Statement": []}}}}"#),
    ] {
        let role = trust(&text);
        let role = &role.known().unwrap_or_else(|| panic!("not read: {text}")).value;
        assert_eq!(role.arn, "arn:aws:iam::111122223333:role/team/shop-checkout");
        let read: serde_json::Value = serde_json::from_str(&role.trust).unwrap();
        assert_eq!(read["Statement"][0]["Action"], "sts:AssumeRoleWithWebIdentity", "{text}");
        assert_eq!(role.created, None);
    }
    let two = trust(&format!("{TRUST} {}", TRUST.replace("Allow", "Deny")));
    assert!(unknown(&two).1.to_string().ends_with("none says of which role it is"), "{two:?}");
    let elsewhere = trust(&format!("{TRUST} {OTHER_CALLER}"));
    assert!(unknown(&elsewhere).1.to_string().ends_with("says 444455556666"), "{elsewhere:?}");
    let gone = "{apiVersion: irsa/v1, kind: AwsAnswer, action: 'iam:GetRole', account: '111122223333', error: {code: NoSuchEntity}}";
    assert!(trust(&format!("{gone}\n---\n{TRUST}")).is_absent(), "what should be is not what is");
}

#[test]
fn other_policies_are_passed_over_with_a_word() {
    for (text, what) in [
        (r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#, "an identity-based"),
        (r#"{"PolicyVersion": {"Document": {"Statement": []}}}"#, "an identity-based"),
        (
            r#"{"RoleName": "shop-checkout", "PolicyName": "p", "PolicyDocument": {"Statement": []}}"#,
            "an identity-based",
        ),
        (
            r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Resource": "arn:aws:s3:::b"}]}"#,
            "a resource-based",
        ),
    ] {
        let mut store = Store::default();
        let contents = store.read("f.json", text.into()).unwrap();
        let skipped: Vec<_> = contents.skipped.iter().map(DocumentError::in_short).collect();
        assert_eq!(skipped, [format!("f.json:1:1: {what} policy, which no check reads")]);
        assert_eq!(unknown(&store.aws(&plan()).role).1, &Why::NotInFiles);
    }
}

#[test]
fn both_lists_of_policies_are_needed() {
    let attached = r#"{"AttachedPolicies": [{"PolicyName": "p", "PolicyArn": "arn:aws:iam::aws:policy/p"}]}"#;
    let inline = r#"{"PolicyNames": ["orders"]}"#;
    let policies = |text: &str| load(text).aws(&plan()).policies;
    let both = policies(&format!("{attached} {inline}"));
    let both = &both.known().unwrap().value;
    assert_eq!(
        (both.attached.as_slice(), both.inline.as_slice()),
        (["arn:aws:iam::aws:policy/p".into()].as_slice(), ["orders".into()].as_slice())
    );
    assert_eq!(
        unknown(&policies(attached)).1.to_string(),
        "the files contain its attached policies only; add `aws iam list-role-policies --role-name shop-checkout`"
    );
    assert!(unknown(&policies(inline)).1.to_string().contains("list-attached-role-policies"));
    let cut = policies(&format!(r#"{attached} {{"PolicyNames": [], "IsTruncated": true}}"#));
    assert!(unknown(&cut).1.to_string().ends_with("is only the first page of the answer"), "{cut:?}");
    // In an envelope, the request names the role.
    let of = |role: &str| {
        format!(
            r#"{{"apiVersion": "irsa/v1", "kind": "AwsAnswer", "action": "iam:ListRolePolicies",
                "request": {{"RoleName": "{role}"}}, "response": {inline}}}"#
        )
    };
    assert!(policies(&format!("{attached} {} {}", of("shop-checkout"), of("cart"))).known().is_some());
    assert!(policies(&format!("{attached} {}", of("cart"))).known().is_none());
}

#[test]
fn an_association_is_that_of_the_service_account() {
    let entry = |namespace: &str, service_account: &str| {
        format!(
            r#"{{"clusterName": "prod", "namespace": "{namespace}", "serviceAccount": "{service_account}",
                "associationArn": "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/prod/a-1",
                "associationId": "a-{service_account}", "createdAt": 1795859892.5, "roleArn": "arn:aws:iam::111122223333:role/x"}}"#
        )
    };
    let associations = |text: &str| load(text).aws(&plan()).associations;
    let (ours, cart, other) = (entry("shop", "checkout"), entry("shop", "cart"), entry("other", "checkout"));
    let listed = |entries: &[&str]| format!(r#"{{"associations": [{}]}}"#, entries.join(","));
    let described = format!(r#"{{"association": {ours}}}"#);
    for text in [
        described.clone(),
        ours.clone(),
        format!("{CLUSTER} {ours}"),
        format!("{} {ours}", listed(&[&cart, &ours])),
    ] {
        let found = associations(&text);
        let found = found.known().unwrap_or_else(|| panic!("not read: {text}"));
        assert_eq!(found.value[0].id, "a-checkout");
        assert!(found.value[0].session_tags);
        assert_eq!(found.value[0].created.unwrap().as_millisecond(), 1_795_859_892_500);
    }
    let only_listed = associations(&listed(&[&cart, &ours]));
    assert!(unknown(&only_listed).1.to_string().ends_with("--association-id a-checkout`"), "{only_listed:?}");
    // Its roles, where the pod names none itself.
    let of_pod = crate::derive::plan::Plan { role_arn: None, ..plan() };
    let aws = load(&format!("{described} {TRUST}")).aws(&of_pod);
    assert_eq!(aws.associated_role.known().unwrap().value.arn, "arn:aws:iam::111122223333:role/x");
    assert!(matches!(unknown(&aws.target_role).1, Why::NotAsked(_)));
    let chained = described
        .replace("\"createdAt\"", "\"targetRoleArn\": \"arn:aws:iam::111122223333:role/y\", \"createdAt\"");
    let target = r#"{"RoleName": "y", "AssumeRolePolicyDocument": {"Statement": []}}"#;
    let aws = load(&format!("{chained} {TRUST} {target}")).aws(&of_pod);
    assert_eq!(aws.target_role.known().unwrap().value.name, "y");
    assert_eq!(
        unknown(&aws.associated_role).1,
        &Why::NotInFiles,
        "of which role the bare policy is cannot be told"
    );
    let aws = load(&listed(&[&cart, &other])).aws(&of_pod);
    assert_eq!(aws.other_associations.known().unwrap().value.items.len(), 2);
    // The list says that there is none if its filter would have let it through.
    for (text, none) in [
        (listed(&[]), true),
        (listed(&[&cart, &other]), true),
        (listed(&[&cart]), false),
        (listed(&[&other]), false),
        (listed(&[]).replace("]}", "], \"nextToken\": \"t\"}"), false),
        (format!("{} {}", CLUSTER.replace("prod", "test"), listed(&[&ours])), false),
        (format!("{} {ours}", CLUSTER.replace("prod", "test")), false),
        (format!(r#"{{"association": {cart}}}"#), false),
    ] {
        let found = associations(&text);
        assert_eq!(found.known().is_some_and(|found| found.value.is_empty()), none, "{text}");
        assert_eq!(found.known().is_some(), none, "{text}");
    }
}

#[test]
fn the_simulators_results_and_events_are_read() {
    let results = r#"{"EvaluationResults": [{"EvalActionName": "s3:GetObject", "EvalDecision": "implicitDeny",
        "MatchedStatements": [{"SourcePolicyId": "p", "StartPosition": {"Line": 1}}],
        "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": false}}]}"#;
    let simulation = load(results).aws(&plan()).simulation;
    let result = &simulation.known().unwrap().value[0];
    assert_eq!((result.resource.as_str(), result.decision.as_str()), ("*", "implicitDeny"));
    assert_eq!((result.boundary_allows, result.organization_allows), (Some(false), None));
    assert_eq!(result.matched, ["p"]);

    let event = |subject: &str| {
        let text = format!(
            r#"{{"eventName": "AssumeRoleWithWebIdentity", "eventTime": "2026-11-22T07:00:00Z", "errorCode": "AccessDenied",
                "userIdentity": {{"userName": "system:serviceaccount:shop:{subject}"}}}}"#
        );
        serde_json::json!({"EventId": "e", "EventTime": 1_795_859_892.0, "CloudTrailEvent": text})
    };
    let events = serde_json::json!({"Events": [event("cart"), event("checkout")], "NextToken": "t"});
    let trail = load(&events.to_string()).aws(&plan()).trail;
    let listing = &trail.known().unwrap().value;
    assert_eq!(listing.items.len(), 1);
    assert_eq!(listing.items[0].value.at, "2026-11-22T07:00:00Z".parse().ok());
    assert_eq!(listing.cut.as_ref().unwrap().why, Why::NotInFiles);
}

#[test]
fn what_is_printed_for_people_is_to_be_saved_again() {
    let table = "-----------\n|  GetRole  |\n+-----+\n||  Role  ||\n";
    for (text, form, line) in [
        (table.to_owned(), "table", 1),
        (format!("\n{table}"), "table", 2),
        ("ROLE\tarn:aws:iam::111122223333:role/x\t2026-10-02T07:00:00+00:00\tx\nASSUMEROLEPOLICYDOCUMENT\t2012-10-17\n".into(), "text", 1),
        ("2026-10-01T00:00:00+00:00\toidc.eks.eu-west-1.amazonaws.com/id/A1\r\nCLIENTIDLIST\tsts.amazonaws.com\r\n".into(), "text", 1),
        ("111122223333\tarn:aws:iam::111122223333:user/x\tAIDA\n".into(), "text", 1),
        ("POLICYNAMES\torders\n".into(), "text", 1),
        ("STATEMENT\tsts:AssumeRole: x\tAllow\n".into(), "text", 1),
    ] {
        let expected = format!(
            "f.yaml:{line}:1: this is what the AWS CLI prints with `--output {form}`; save it again with `--output json`"
        );
        assert_eq!(error(&text), expected);
        let found = Store::default().read_found("f.yaml", text.into()).unwrap_err();
        assert_eq!(found.to_string(), expected, "an answer is no foreign file");
    }
    for (text, command) in [
        ("\"https://oidc.eks.eu-west-1.amazonaws.com/id/A1\"", "eks describe-cluster --name CLUSTER"),
        ("{\"oidc\": {\"issuer\": \"https://oidc.eks.x\"}}", "eks describe-cluster --name CLUSTER"),
        ("arn:aws:iam::111122223333:role/x", "iam get-role --role-name NAME"),
    ] {
        let expected = format!(
            "this is one value of an answer; save all of it: `aws {command} --output json`, without `--query`"
        );
        assert_eq!(error(text), format!("f.yaml:1:1: {expected}"));
    }
}

#[test]
fn foreign_documents_of_a_directory_are_passed_over() {
    let pod = "kind: Pod\nmetadata: {name: p}\n";
    for (foreign, word) in [
        ("resources:\n- k8s.yaml\n", "no kind"),
        ("- op: remove\n  path: /x\n", "a list, not an object"),
        ("hello\n", "a string, not an object"),
        ("kind: Pod\nmetadata:\n  name: {{ include \"x\" . }}\n", "a template"),
        ("{{- if .Values.sa }}\nkind: Pod\n{{- end }}\n", "a template"),
        (
            "kind: Deployment\nmetadata: {name: d}\nspec: {replicas: \"{{ .Values.replicas }}\"}\n",
            "a template",
        ),
        (
            "kind: ServiceAccount\nmetadata: {name: s, annotations: {a: '{{ .Release.Name }}'}}\n",
            "a template",
        ),
    ] {
        let text = format!("kind: Pod\nmetadata: {{name: first}}\n---\n{foreign}");
        let mut store = Store::default();
        let contents = store.read_found("f.yaml", text.clone().into()).unwrap();
        let words: Vec<_> = contents.skipped.iter().map(DocumentError::in_short).collect();
        assert!(words.len() == 1 && words[0].ends_with(&format!(": {word}")), "{text}: {words:?}");
        assert_eq!(contents.documents, 1);
        assert_eq!(store.names::<Pod>(None), ["first"], "what was before it is kept");
        assert!(store.names::<Deployment>(None).is_empty() && store.names::<ServiceAccount>(None).is_empty());
    }
    let not_text = Store::default().read_found("f.json", b"\xff".to_vec()).unwrap();
    assert_eq!(not_text.skipped[0].in_short(), "f.json:1:1: not UTF-8");
    // Another program's templates, and what Kubernetes would not accept.
    for whole in [
        "kind: Pod\nmetadata: {name: p, uid: u, annotations: {a: '{{ .Values.x }}'}}\n",
        "kind: List\nitems: [{kind: Pod, metadata: {name: p, annotations: {a: '{{ .Values.x }}'}}}]\n",
        "kind: ConfigMap\nmetadata: {name: c}\ndata: {a: '{{ .Values.x }}'}\n",
    ] {
        assert!(Store::default().read_found("f.yaml", whole.into()).unwrap().skipped.is_empty(), "{whole}");
    }
    for broken in [
        "kind: Pod\nspec: [a]\n".to_owned(),
        "kind: List\nitems: [{metadata: {}}]\n".into(),
        format!("{pod}  x: [\n"),
        r#"{"Role": {"AssumeRolePolicyDocument": {}, "MaxSessionDuration": "x"}}"#.into(),
    ] {
        assert!(Store::default().read_found("f.yaml", broken.clone().into()).is_err(), "{broken}");
    }
}

/// Trees of the words that answers are made of.
fn anything() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Value, json};
    let word = prop::sample::select(vec![
        "Role",
        "RoleName",
        "Arn",
        "AssumeRolePolicyDocument",
        "CreateDate",
        "PermissionsBoundary",
        "cluster",
        "arn",
        "name",
        "identity",
        "oidc",
        "issuer",
        "OpenIDConnectProviderList",
        "Url",
        "ClientIDList",
        "AttachedPolicies",
        "PolicyArn",
        "PolicyName",
        "PolicyNames",
        "associations",
        "association",
        "associationId",
        "namespace",
        "serviceAccount",
        "createdAt",
        "EvaluationResults",
        "EvalActionName",
        "EvalDecision",
        "MatchedStatements",
        "Events",
        "CloudTrailEvent",
        "UserId",
        "Account",
        "Statement",
        "Principal",
        "Resource",
        "PolicyDocument",
        "NextToken",
        "IsTruncated",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "arn:aws:iam::111122223333:role/team/shop-checkout",
            "arn:aws:eks:eu-west-1:111122223333:cluster/prod",
            "arn:aws:iam::111122223333:oidc-provider/x",
            "arn:aws:iam::aws:policy/p",
            "https://oidc.x",
            "shop",
            "checkout",
            "%7B",
            "%7B%22Statement%22%3A%5B%5D%7D",
            "{{ .Values.x }}",
            "",
            "\u{1b}",
        ])
        .prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|entries| Value::Object(
                entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn any_answer_is_read_or_refused(documents in prop::collection::vec(anything(), 1..4)) {
        let text: String = documents.iter().map(|document| format!("{document}\n---\n")).collect();
        let mut store = Store::default();
        if let Err(error) = store.read_found("f.yaml", text.clone().into()) {
            prop_assert!(!error.to_string().chars().any(char::is_control));
        }
        let aws = store.aws(&plan());
        if let Some(role) = aws.role.known() {
            prop_assert_eq!(&role.value.name, "shop-checkout");
        }
        let _ = try_load(&text);
    }
}

#[test]
fn a_list_is_read_item_by_item_wherever_it_says_what_it_is() {
    let pod = |name: &str, kind: &str| format!("- {kind}metadata: {{name: {name}, namespace: shop}}\n");
    let own = "apiVersion: v1\n  kind: Pod\n  ";
    for (text, names) in [
        (format!("items:\n{}{}kind: List\n", pod("a", own), pod("b", own)), &["a", "b"][..]),
        (format!("kind: List\nitems:\n{}", pod("a", own)), &["a"]),
        (format!("items:\n{}{}kind: PodList\n", pod("a", ""), pod("b", "")), &["a", "b"]),
        (format!("apiVersion: v1\nkind: PodList\nitems:\n{}", pod("a", "")), &["a"]),
        (format!("kind: List\nitems: &all\n{}", pod("a", own)), &["a"]),
        // Not Kubernetes's own pods.
        (format!("apiVersion: example.com/v1\nkind: PodList\nitems:\n{}", pod("a", "")), &[]),
        (format!("items:\n{}apiVersion: example.com/v1\nkind: PodList\n", pod("a", "")), &[]),
        // No list, whatever it holds.
        (format!("items:\n{}kind: Recipe\n", pod("a", own)), &[]),
    ] {
        for text in [text.clone(), format!("{text}---\nkind: List\nitems: []\n")] {
            assert_eq!(load(&text).names::<Pod>(None), names, "{text}");
        }
    }
    for (json, names) in [
        (
            r#"{"items":[{"kind":"Pod","metadata":{"name":"a","annotations":{"x":"\ud83d\ude00"}}}],"kind":"List"}"#,
            &["a"][..],
        ),
        (
            r#" { "kind" : "PodList" , "items" : [ {"metadata":{"name":"a"}} , {"metadata":{"name":"b"}} ] } "#,
            &["a", "b"],
        ),
        (r#"{"items":[{"metadata":{"name":"a"}}],"kind":"PodList"}{"items":[],"kind":"List"}"#, &["a"]),
        (
            r#"{"items":[{"kind":"List","items":[{"kind":"Pod","metadata":{"name":"a"}}]}],"kind":"List"}"#,
            &["a"],
        ),
        (r#"{"items":[{"kind":"Pod","metadata":{"name":"a"}}],"kind":"Recipe"}"#, &[]),
        (r#"{"items":{},"kind":"Recipe"}"#, &[]),
    ] {
        assert_eq!(load(json).names::<Pod>(None), names, "{json}");
    }
    let place = |json: &str| Store::default().read("l.json", json.into()).unwrap_err().to_string();
    let wrong = place(
        "{\n \"items\": [{\"kind\": \"Pod\"},\n  {\"kind\": \"Pod\", \"metadata\": {\"name\": 7}}], \"kind\": \"List\"}",
    );
    assert!(wrong.starts_with("l.json:3:40: pod: .metadata.name is a number"), "{wrong}");
}

#[test]
fn an_item_that_does_not_fit_is_placed_and_those_before_it_are_not_lost() {
    let text = "items:\n- kind: Pod\n  metadata: {name: a}\n- kind: Pod\n  metadata: {name: 7}\nkind: List\n";
    let mut store = Store::default();
    let error = store.read("list.yaml", text.into()).unwrap_err().to_string();
    assert!(error.starts_with("list.yaml:5:20: pod: .metadata.name is a number"), "{error}");
    // Of what is no list, nobody cares.
    assert!(Store::default().read("list.yaml", text.replace("List", "Recipe").into()).is_ok());
}

#[test]
fn what_was_read_of_a_document_is_overwritten() {
    let text = "kind: Secret\ndata: {a: aHVudGVyMg==}\nlist: [hunter2, &x hunter2]\n";
    let mut seen = 0;
    yaml::documents(text, |piece| -> Result<(), At<Flaw>> {
        let yaml::Piece::Document(mut node) = piece else { panic!("it is no list") };
        assert!(node.any_text(&|text| text.contains("hunter2")));
        node.wipe();
        assert!(!node.any_text(&|text| !text.is_empty()));
        seen += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, 1);
}

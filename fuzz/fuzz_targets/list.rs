//! The objects of a list are the same, one by one: as a stream, in a list that says what it is before or behind them, in JSON and in YAML.
#![no_main]

use irsa::documents::Store;
use irsa::facts::kubernetes::{ConfigMap, Deployment, Pod, Secret, ServiceAccount};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let objects: Vec<&str> = text.lines().filter(|line| is_object(line)).collect();
    if objects.is_empty() {
        return;
    }
    let items = objects.join(",");
    let of_list: Vec<_> = [
        format!("{{\"kind\":\"List\",\"items\":[{items}]}}"),
        format!("{{\"items\" : [ {items} ] , \"kind\":\"List\"}}"),
        format!("items:\n- {}\nkind: List\n", objects.join("\n- ")),
    ]
    .map(read)
    .into();
    let stream = read(objects.join("\n"));
    assert_eq!(of_list[0], stream);
    assert_eq!(of_list[1], stream);
    // To YAML, a few JSON texts are none.
    assert!(of_list[2].is_none() || of_list[2] == stream);
});

/// An object that says what it is, and is no list itself.
fn is_object(line: &str) -> bool {
    let value: Option<Value> = serde_json::from_str(line).ok();
    let kind = value.as_ref().and_then(|value| value.get("kind")).and_then(Value::as_str);
    kind.is_some_and(|kind| !kind.is_empty() && !kind.ends_with("List"))
}

/// The names of what was read, by kind; `None` if it was refused.
fn read(text: String) -> Option<[Vec<String>; 5]> {
    let mut store = Store::default();
    store.read("file", text.into_bytes()).ok()?;
    Some([
        store.names::<Pod>(None),
        store.names::<ServiceAccount>(None),
        store.names::<ConfigMap>(None),
        store.names::<Secret>(None),
        store.names::<Deployment>(None),
    ])
}

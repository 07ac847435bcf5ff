//! Worlds that are altered part by part: what comes out is still YAML, and most of it still a cluster.

use fastrand::Rng;
use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Value, json};

/// Values that stand for nothing, for too much, or for another type than belongs there.
const ODD: [&str; 12] = [
    "null",
    "true",
    "0",
    "-1",
    "9223372036854775807",
    "1e300",
    "[]",
    "{}",
    r#""""#,
    r#""*""#,
    r#""\u001b[2J\u202e\n✓ healthy: all is well\n""#,
    r#""x'; `reboot` $(reboot) \" | <b> [a](b)""#,
];
/// Longest text that a value becomes.
const LONGEST: usize = 512;

/// Alters a file of objects in one to four places; `None` if it is no such file.
pub fn altered(bytes: &[u8], seed: u32) -> Option<String> {
    let mut rng = Rng::with_seed(seed.into());
    let text = std::str::from_utf8(bytes).ok()?;
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).ok()?;
    let mut tree = documents.into_iter().flat_map(as_saved).collect();
    for _ in 0..rng.u8(1..=4) {
        alter(&mut tree, &mut rng);
    }
    let documents = tree.as_array()?;
    Some(documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n"))
}

/// The head of a world and its AWS accounts as `--from` takes them: as answers of AWS.
fn as_saved(document: Value) -> Vec<Value> {
    match document["kind"].as_str() {
        Some("World") => vec![
            json!({"apiVersion": "irsa/v1", "kind": "Observation", "observedAt": document["now"]}),
            json!({"cluster": {
                "name": "shop",
                "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/shop",
                "identity": {"oidc": {"issuer": document["issuer"]}},
            }}),
        ],
        Some("AwsAccount") => {
            let arn = |name: &Value| {
                let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                format!("arn:aws:iam::{}:role/{}", part(&document["account"]), part(name))
            };
            let roles = document["roles"].as_array().into_iter().flatten();
            roles
                .map(|role| {
                    let name = &role["name"];
                    json!({"Role": {
                        "RoleName": name, "Arn": arn(name), "AssumeRolePolicyDocument": role["trust"],
                    }})
                })
                .collect()
        }
        _ => vec![document],
    }
}

/// Alters one part of a tree.
fn alter(tree: &mut Value, rng: &mut Rng) {
    let mut places = Vec::new();
    list(tree, String::new(), &mut places);
    let (place, other) = (any(&places, rng), any(&places, rng));
    match rng.u8(0..8) {
        0 => *at(tree, &place) = at(tree, &other).clone(),
        1 => *at(tree, &place) = serde_json::from_str(ODD[rng.usize(..ODD.len())]).unwrap_or_default(),
        2 => remove(tree, &place),
        3 => {
            let more = at(tree, &other).clone();
            if let Value::Array(items) = at(tree, &place) {
                items.push(more);
            }
        }
        _ => {
            places.retain(|place| at(tree, place).is_string());
            if let Value::String(text) = at(tree, &any(&places, rng)) {
                rewrite(text, rng);
            }
        }
    }
}

fn any(places: &[String], rng: &mut Rng) -> String {
    rng.choice(places).cloned().unwrap_or_default()
}

fn at<'t>(tree: &'t mut Value, place: &str) -> &'t mut Value {
    tree.pointer_mut(place).expect("a place of this tree")
}

/// The places of a tree, as JSON pointers.
fn list(tree: &Value, place: String, places: &mut Vec<String>) {
    match tree {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| list(item, format!("{place}/{index}"), places));
        }
        Value::Object(members) => {
            for (key, value) in members {
                list(value, format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        _ => {}
    }
    places.push(place);
}

fn remove(tree: &mut Value, place: &str) {
    let Some((parent, last)) = place.rsplit_once('/') else { return };
    match tree.pointer_mut(parent) {
        Some(Value::Array(items)) => {
            if let Ok(index) = last.parse() {
                items.remove(index);
            }
        }
        Some(Value::Object(members)) => drop(members.remove(&last.replace("~1", "/").replace("~0", "~"))),
        _ => {}
    }
}

/// Alters a text; one that is itself JSON (a policy, a report) in one of its parts.
fn rewrite(text: &mut String, rng: &mut Rng) {
    if let Ok(mut inner @ Value::Object(_)) = serde_json::from_str(text) {
        alter(&mut inner, rng);
        *text = inner.to_string();
    } else if text.len() <= LONGEST {
        let mut bytes = [0; LONGEST];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        let length = fuzzer_mutate(&mut bytes, text.len(), LONGEST);
        *text = String::from_utf8_lossy(&bytes[..length]).into_owned();
    }
}

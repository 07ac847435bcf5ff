//! Worlds that are altered part by part: what comes out is still YAML, and most of it still a cluster.

use fastrand::Rng;
use libfuzzer_sys::fuzzer_mutate;
use serde_json::Value;

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
    let mut documents = Value::Array(serde_saphyr::from_multiple(text).ok()?);
    for _ in 0..rng.u8(1..=4) {
        alter(&mut documents, &mut rng);
    }
    let documents = documents.as_array()?;
    Some(documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n"))
}

/// Alters one part of a tree.
fn alter(tree: &mut Value, rng: &mut Rng) {
    let mut places = Vec::new();
    list(tree, String::new(), &mut places);
    let mut any = |places: &[String]| rng.choice(places).cloned().unwrap_or_default();
    let (place, other) = (any(&places), any(&places));
    let from_elsewhere = tree.pointer(&other).cloned().unwrap_or_default();
    let Some(part) = tree.pointer_mut(&place) else { return };
    match rng.u8(0..8) {
        0 => *part = from_elsewhere,
        1 => *part = serde_json::from_str(ODD[rng.usize(..ODD.len())]).unwrap_or_default(),
        2 => {
            if let Value::Array(items) = part {
                items.push(from_elsewhere);
            }
        }
        3 => remove(tree, &place),
        _ => rewrite(part, rng),
    }
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
fn rewrite(part: &mut Value, rng: &mut Rng) {
    let text = part.as_str().map_or_else(|| part.to_string(), str::to_owned);
    if let Ok(mut inner @ Value::Object(_)) = serde_json::from_str(&text)
        && part.is_string()
    {
        alter(&mut inner, rng);
        *part = Value::String(inner.to_string());
        return;
    }
    if text.len() > LONGEST {
        return;
    }
    let mut bytes = [0; LONGEST];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    let length = fuzzer_mutate(&mut bytes, text.len(), LONGEST);
    *part = Value::String(String::from_utf8_lossy(&bytes[..length]).into_owned());
}

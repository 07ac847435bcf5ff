//! What a world says of an object of its base: a difference, merged into it.
//!
//! A map changes what it names and leaves the rest; `null` removes. A map also changes a list: its keys are the names of
//! the entries, or their numbers from 0 where the entries have no names. Anything else replaces what was there. What
//! would change nothing is an error, because it is a typing error or a part of a world that no longer tests anything.

use serde_json::{Map, Value};

/// Merges the difference into the value; `path` is where it is, for messages.
pub(super) fn apply(value: &mut Value, difference: Value, path: &str) -> Result<(), String> {
    match (value, difference) {
        (Value::Object(_) | Value::Array(_), Value::Object(changes)) if changes.is_empty() => {
            Err(if path.is_empty() { "says nothing".to_owned() } else { format!("{path}: says nothing") })
        }
        (Value::Object(fields), Value::Object(changes)) => {
            changes.into_iter().try_for_each(|(key, change)| change_field(fields, key, change, path))
        }
        (Value::Array(items), Value::Object(changes)) => change_items(items, changes, path),
        (value, difference) if *value == difference => Err(format!("{path}: that is what the base says")),
        (value, difference) => {
            *value = added(difference, path)?;
            Ok(())
        }
    }
}

fn change_field(
    fields: &mut Map<String, Value>,
    key: String,
    change: Value,
    path: &str,
) -> Result<(), String> {
    let path = join(path, &key);
    match (fields.get_mut(&key), change) {
        (None, Value::Null) => Err(format!("{path}: is not there to be removed")),
        (Some(_), Value::Null) => {
            fields.remove(&key);
            Ok(())
        }
        (Some(field), change) => apply(field, change, &path),
        (None, change) => {
            fields.insert(key, added(change, &path)?);
            Ok(())
        }
    }
}

/// Entries that are new come last, in the order of their names or numbers.
fn change_items(items: &mut Vec<Value>, changes: Map<String, Value>, path: &str) -> Result<(), String> {
    let names = names(items);
    let mut changes = changes
        .into_iter()
        .map(|(key, change)| match &names {
            Some(names) => {
                Ok((names.iter().position(|name| *name == key).unwrap_or(usize::MAX), key, change))
            }
            None => match key.parse() {
                Ok(number) => Ok((number, key, change)),
                Err(_) => Err(format!("{}: the entries have no names; number them from 0", join(path, &key))),
            },
        })
        .collect::<Result<Vec<_>, _>>()?;
    // Stable, so that new names stay in order.
    changes.sort_by_key(|(number, ..)| *number);
    let mut removed = Vec::new();
    for (number, key, change) in changes {
        let (path, count) = (join(path, &key), items.len());
        match (items.get_mut(number), change) {
            (Some(_), Value::Null) => removed.push(number),
            (Some(item), change) => apply(item, change, &path)?,
            (None, Value::Null) => return Err(format!("{path}: is not there to be removed")),
            (None, change) if names.is_some() => items.push(named(key, change, &path)?),
            (None, change) if number == count => items.push(added(change, &path)?),
            (None, _) => return Err(format!("{path}: there are {count} entries")),
        }
    }
    removed.into_iter().rev().for_each(|number| drop(items.remove(number)));
    Ok(())
}

/// The names of the entries, if each has one of its own.
pub(super) fn names(items: &[Value]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for item in items {
        let name = item["name"].as_str()?;
        if names.iter().any(|other| other == name) {
            return None;
        }
        names.push(name.to_owned());
    }
    (!names.is_empty()).then_some(names)
}

fn named(name: String, entry: Value, path: &str) -> Result<Value, String> {
    let Value::Object(mut fields) = added(entry, path)? else {
        return Err(format!("{path}: a new entry must be a map"));
    };
    match fields.insert("name".to_owned(), Value::String(name)) {
        None => Ok(Value::Object(fields)),
        Some(_) => Err(format!("{path}: has its name already")),
    }
}

/// In what is new there is nothing to remove.
fn added(value: Value, path: &str) -> Result<Value, String> {
    match &value {
        Value::Null => return Err(format!("{path}: null removes, and here is nothing to remove")),
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, field)| field.is_null() || field.is_object())
            .try_for_each(|(key, field)| added(field.clone(), &join(path, key)).map(drop))?,
        _ => {}
    }
    Ok(value)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merge(base: Value, difference: Value) -> Result<Value, String> {
        let mut value = base;
        apply(&mut value, difference, "").map(|()| value)
    }

    fn base() -> Value {
        json!({
            "spec": {"replicas": 1, "containers": [
                {"name": "app", "image": "a", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            ]},
            "sources": [{"path": "token"}, {"path": "ca"}],
            "args": ["x"],
        })
    }

    fn changed(difference: Value) -> Value {
        merge(base(), difference).unwrap()
    }

    #[test]
    fn maps_are_merged_and_null_removes() {
        let found = changed(json!({"spec": {"replicas": 2, "paused": true}, "args": null}));
        assert_eq!(found["spec"]["replicas"], 2);
        assert_eq!(found["spec"]["paused"], true);
        assert_eq!(found["spec"]["containers"], base()["spec"]["containers"]);
        assert!(found.get("args").is_none());
    }

    #[test]
    fn a_map_changes_a_list_by_names() {
        let found = changed(json!({"spec": {"containers": {
            "app": {"env": {"A": null, "B": {"value": "3"}, "C": {"value": "4"}}},
            "z": {"image": "z"}, "y": {"image": "y"},
        }}}));
        let app = json!({"name": "app", "image": "a", "env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]});
        let more = |name: &str| json!({"name": name, "image": name});
        assert_eq!(found["spec"]["containers"], json!([app, more("y"), more("z")]));
    }

    #[test]
    fn a_map_changes_a_list_by_numbers() {
        let found =
            changed(json!({"sources": {"0": null, "1": {"path": "crt"}, "2": {"path": "namespace"}}}));
        assert_eq!(found["sources"], json!([{"path": "crt"}, {"path": "namespace"}]));
    }

    #[test]
    fn a_list_replaces() {
        assert_eq!(changed(json!({"args": ["y", "z"]}))["args"], json!(["y", "z"]));
        assert_eq!(
            changed(json!({"spec": {"containers": [{"name": "b"}]}}))["spec"]["containers"],
            json!([{"name": "b"}])
        );
        assert_eq!(changed(json!({"sources": []}))["sources"], json!([]));
    }

    #[test]
    fn what_changes_nothing_is_an_error() {
        for (difference, expected) in [
            (json!({"spec": {"replicas": 1}}), "spec.replicas: that is what the base says"),
            (json!({"args": ["x"]}), "args: that is what the base says"),
            (json!({"args": ["y"], "spec": {"replicas": 1}}), "spec.replicas: that is what the base says"),
            (
                json!({"spec": {"containers": {"app": {"image": "a"}}}}),
                "spec.containers.app.image: that is what",
            ),
            (json!({"spec": {}}), "spec: says nothing"),
            (json!({"args": {}}), "args: says nothing"),
            (json!({"status": null}), "status: is not there to be removed"),
            (json!({"spec": {"containers": {"ap": null}}}), "spec.containers.ap: is not there to be removed"),
            (json!({"sources": {"2": null}}), "sources.2: is not there to be removed"),
            (json!({"sources": {"3": {"path": "x"}}}), "sources.3: there are 2 entries"),
            (
                json!({"sources": {"token": {"path": "x"}}}),
                "sources.token: the entries have no names; number them",
            ),
            (json!({"status": {"phase": null}}), "status.phase: null removes, and here is nothing to remove"),
            (json!({"spec": {"containers": {"b": "x"}}}), "spec.containers.b: a new entry must be a map"),
            (
                json!({"spec": {"containers": {"b": {"name": "c"}}}}),
                "spec.containers.b: has its name already",
            ),
        ] {
            let found = merge(base(), difference.clone()).unwrap_err();
            assert!(found.starts_with(expected), "{difference}: {found}");
        }
    }

    #[test]
    fn names_that_occur_twice_are_no_names() {
        let twice = json!([{"name": "a", "x": 1}, {"name": "a", "x": 2}]);
        assert_eq!(merge(twice.clone(), json!({"1": {"x": 3}})).unwrap()[1], json!({"name": "a", "x": 3}));
        assert!(merge(twice, json!({"a": {"x": 3}})).unwrap_err().contains("number them"));
    }
}

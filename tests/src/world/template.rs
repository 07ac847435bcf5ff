//! A pod template stands in the Deployment, in its ReplicaSet, and in what the pods were made from. A world says once what
//! differs in it, as a document of kind `PodTemplate`.

use serde_json::{Map, Value, json};

use super::difference::{apply, names};

/// Merges the difference into the template of the Deployment that has ReplicaSets, into theirs, and into their pods.
pub(super) fn change(objects: &mut [Value], difference: Value) -> Result<(), String> {
    let with_replica_sets = |deployment: &&Value| {
        deployment["kind"] == "Deployment"
            && objects.iter().any(|object| is_owned(object, "ReplicaSet", deployment))
    };
    let mut deployments = objects.iter().filter(with_replica_sets);
    let deployment = match (deployments.next(), deployments.next()) {
        (Some(deployment), None) => deployment.clone(),
        (None, _) => return Err("there is no Deployment with a ReplicaSet".to_owned()),
        _ => return Err("there are several Deployments with ReplicaSets; say it of each object".to_owned()),
    };
    let before = deployment["spec"]["template"].clone();
    let mut after = before.clone();
    apply(&mut after, difference, "")?;
    let owned: Vec<Value> =
        objects.iter().filter(|object| is_owned(object, "ReplicaSet", &deployment)).cloned().collect();
    for object in objects {
        if *object == deployment {
            object["spec"]["template"] = after.clone();
        } else if is_owned(object, "ReplicaSet", &deployment) {
            carry(&before, &after, &mut object["spec"]["template"]);
        } else if owned.iter().any(|replica_set| is_owned(object, "Pod", replica_set)) {
            for part in ["metadata", "spec"] {
                let of = |template: &Value| template.get(part).cloned().unwrap_or_else(|| json!({}));
                carry(&of(&before), &of(&after), &mut object[part]);
            }
        }
    }
    Ok(())
}

fn is_owned(object: &Value, kind: &str, owner: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    object["kind"] == kind
        && object["metadata"]["namespace"] == owner["metadata"]["namespace"]
        && owners.into_iter().flatten().any(|reference| {
            reference["kind"] == owner["kind"] && reference["name"] == owner["metadata"]["name"]
        })
}

/// Changes in a copy what differs between `before` and `after`. What the copy has besides, as what was injected into a pod,
/// stays, and comes after what the template says.
fn carry(before: &Value, after: &Value, copy: &mut Value) {
    match (before, after, copy) {
        (Value::Object(before), Value::Object(after), Value::Object(copy)) => {
            carry_fields(before, after, copy)
        }
        (Value::Array(before), Value::Array(after), Value::Array(copy))
            if [before, after, copy].iter().all(|items| items.is_empty() || names(items).is_some()) =>
        {
            carry_items(before, after, copy);
        }
        (_, after, copy) => *copy = after.clone(),
    }
}

fn carry_fields(before: &Map<String, Value>, after: &Map<String, Value>, copy: &mut Map<String, Value>) {
    copy.retain(|key, _| !before.contains_key(key) || after.contains_key(key));
    for (key, value) in after.iter().filter(|(key, value)| before.get(*key) != Some(value)) {
        let empty = if value.is_array() { json!([]) } else { json!({}) };
        match copy.get_mut(key) {
            Some(copy) => carry(before.get(key).unwrap_or(&empty), value, copy),
            None => drop(copy.insert(key.clone(), value.clone())),
        }
    }
}

fn carry_items(before: &[Value], after: &[Value], copy: &mut Vec<Value>) {
    let position = |items: &[Value], name: &Value| items.iter().position(|item| item["name"] == *name);
    copy.retain(|item| position(before, &item["name"]).is_none() || position(after, &item["name"]).is_some());
    let mut next = 0;
    for item in after {
        let was = position(before, &item["name"]).and_then(|at| before.get(at));
        let at = position(copy, &item["name"]);
        match (was, at) {
            (Some(was), Some(at)) => {
                if was != item {
                    carry(was, item, &mut copy[at]);
                }
                next = at + 1;
            }
            // What a pod has lost since, it does not get again.
            (Some(_), None) => {}
            (None, at) => {
                let mut new = json!({});
                if let Some(at) = at {
                    new = copy.remove(at);
                    next -= usize::from(at < next);
                }
                carry(&json!({}), item, &mut new);
                copy.insert(next, new);
                next += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(kind: &str, name: &str) -> Value {
        json!([{"kind": kind, "name": name}])
    }

    /// A Deployment, its ReplicaSet, its injected pod, and a pod of another workload.
    fn objects() -> [Value; 4] {
        let template = json!({"metadata": {"labels": {"app": "a"}},
                              "spec": {"serviceAccountName": "a", "containers": [{"name": "app", "image": "x"}]}});
        let pod = |owners| {
            json!({"kind": "Pod", "metadata": {"name": "p", "ownerReferences": owners, "labels": {"app": "a", "hash": "h"}},
                   "spec": {"serviceAccountName": "a", "nodeName": "n", "containers": [
                       {"name": "app", "image": "x", "env": [{"name": "INJECTED", "value": "1"}]}]}})
        };
        [
            json!({"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": template}}),
            json!({"kind": "ReplicaSet", "metadata": {"name": "r", "ownerReferences": owner("Deployment", "d")},
                   "spec": {"template": template}}),
            pod(owner("ReplicaSet", "r")),
            pod(owner("ReplicaSet", "other")),
        ]
    }

    #[test]
    fn it_reaches_the_deployment_its_replica_set_and_its_pod() {
        let mut found = objects();
        let own = json!({"name": "OWN", "value": "2"});
        let difference = json!({
            "metadata": {"annotations": {"x": "y"}},
            "spec": {"serviceAccountName": "b", "containers": {"app": {"env": [own]}, "sidecar": {"image": "s"}}},
        });
        change(&mut found, difference).unwrap();
        let [deployment, replica_set, pod, other] = &found;
        let sidecar = json!({"name": "sidecar", "image": "s"});
        let template = json!({
            "metadata": {"labels": {"app": "a"}, "annotations": {"x": "y"}},
            "spec": {"serviceAccountName": "b", "containers": [{"name": "app", "image": "x", "env": [own]}, sidecar]},
        });
        assert_eq!(deployment["spec"]["template"], template);
        assert_eq!(replica_set["spec"]["template"], template);
        assert_eq!(pod["metadata"]["annotations"], json!({"x": "y"}));
        assert_eq!(pod["metadata"]["labels"], json!({"app": "a", "hash": "h"}));
        let app = json!({"name": "app", "image": "x", "env": [own, {"name": "INJECTED", "value": "1"}]});
        assert_eq!(
            pod["spec"],
            json!({"serviceAccountName": "b", "nodeName": "n", "containers": [app, sidecar]})
        );
        assert_eq!(*other, objects()[3]);
    }

    #[test]
    fn what_the_template_loses_the_pod_loses() {
        let mut found = objects();
        change(
            &mut found,
            json!({"metadata": {"labels": null}, "spec": {"containers": {"app": {"image": null}}}}),
        )
        .unwrap();
        assert!(found[2]["metadata"].get("labels").is_none());
        assert!(found[2]["spec"]["containers"][0].get("image").is_none());
    }

    #[test]
    fn mistakes() {
        let complaint = |objects: &mut [Value], difference| change(objects, difference).unwrap_err();
        assert!(complaint(&mut [], json!({"spec": {"x": 1}})).contains("no Deployment with a ReplicaSet"));
        let same = json!({"spec": {"serviceAccountName": "a"}});
        assert_eq!(
            complaint(&mut objects(), same.clone()),
            "spec.serviceAccountName: that is what the base says"
        );
        let mut two = [objects(), objects()].concat();
        two[4]["metadata"]["name"] = json!("e");
        two[5]["metadata"]["ownerReferences"] = owner("Deployment", "e");
        assert!(complaint(&mut two, same).contains("several Deployments"));
    }
}

//! Everything that is not a stored object: `/version`, discovery, access reviews.

use super::resources::{RESOURCES, Resource, VERSION, group_exists};
use super::route::ResourcePath;
use super::rule::Rule;
use super::status::{Answer, bad_request};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `/version`, recording `version`; `git_version` replaces the recorded one and gives major and minor.
pub fn version(git_version: Option<&str>) -> Answer {
    let git_version = git_version.unwrap_or("v1.36.2");
    let mut parts = git_version.trim_start_matches('v').split('.');
    let major = parts.next().unwrap_or("1");
    let minor = parts.next().unwrap_or("36");
    let before = minor.parse::<u32>().unwrap_or(1).saturating_sub(1).to_string();
    Answer::json(
        200,
        &json!({
            "major": major, "minor": minor, "emulationMajor": major, "emulationMinor": minor,
            "minCompatibilityMajor": major, "minCompatibilityMinor": before, "gitVersion": git_version,
            "gitCommit": "microshift-8e16b12f", "gitTreeState": "clean", "buildDate": "2026-08-21T00:00:00Z",
            "goVersion": "go1.26.3", "compiler": "gc", "platform": "linux/amd64",
        }),
    )
}

/// Unaggregated discovery, so that a real kubectl can talk to the fake: `/api`, `/apis`, `/api/v1`, `/apis/G/v1`.
pub fn discovery(path: &str, missing: &[String]) -> Option<Answer> {
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let body = match segments.as_slice() {
        ["api"] => json!({"kind": "APIVersions", "versions": [VERSION], "serverAddressByClientCIDRs": []}),
        ["apis"] => json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups()}),
        ["api", version] if *version == VERSION => resource_list("", missing),
        ["apis", group, version] if *version == VERSION && !group.is_empty() && group_exists(group) => {
            resource_list(group, missing)
        }
        _ => return None,
    };
    Some(Answer::json(200, &body))
}

fn groups() -> Vec<Value> {
    let names: BTreeSet<&str> = RESOURCES.iter().map(|r| r.group).filter(|g| !g.is_empty()).collect();
    let group = |name: &str| {
        let version = json!({"groupVersion": format!("{name}/{VERSION}"), "version": VERSION});
        json!({"name": name, "versions": [version], "preferredVersion": version})
    };
    names.into_iter().map(group).collect()
}

/// Of OpenAPI, what kubectl asks before it creates something: whether the server validates fields itself.
pub fn openapi(path: &str) -> Option<Answer> {
    let rest = path.strip_prefix("/openapi/v3")?;
    let places = || {
        RESOURCES
            .iter()
            .map(|r| if r.group.is_empty() { "api/v1".into() } else { format!("apis/{}/v1", r.group) })
    };
    if rest.is_empty() {
        let url = |place: &String| json!({"serverRelativeURL": format!("/openapi/v3/{place}?hash=1")});
        let paths: serde_json::Map<String, Value> =
            places().map(|place| (place.clone(), url(&place))).collect();
        return Some(Answer::json(200, &json!({ "paths": paths })));
    }
    let of_place = RESOURCES.iter().zip(places()).filter(|(_, place)| rest == format!("/{place}"));
    let parameters: Vec<Value> = ["dryRun", "fieldManager", "fieldValidation"]
        .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}))
        .into();
    let paths: serde_json::Map<String, Value> = of_place
        .map(|(resource, place)| {
            let kind = json!({"group": resource.group, "version": VERSION, "kind": resource.kind});
            let patch =
                json!({"x-kubernetes-group-version-kind": kind, "parameters": parameters, "responses": {}});
            (format!("/{place}/{}/{{name}}", resource.plural), json!({ "patch": patch }))
        })
        .collect();
    let info = json!({"title": "Kubernetes", "version": "v1.36.2"});
    (!paths.is_empty()).then(|| Answer::json(200, &json!({"openapi": "3.0.0", "info": info, "paths": paths})))
}

fn resource_list(group: &str, missing: &[String]) -> Value {
    let present = |r: &&Resource| r.group == group && !missing.iter().any(|m| m == r.plural);
    let group_version = if group.is_empty() { VERSION.to_owned() } else { format!("{group}/{VERSION}") };
    let resources: Vec<Value> = RESOURCES.iter().filter(present).map(describe).collect();
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})
}

fn describe(resource: &Resource) -> Value {
    json!({
        "name": resource.plural, "singularName": resource.kind.to_ascii_lowercase(),
        "namespaced": resource.namespaced, "kind": resource.kind, "verbs": ["create", "delete", "get", "list", "patch", "watch"],
        "shortNames": resource.short,
    })
}

/// SelfSubjectAccessReview, recording `self-subject-access-review`: allowed unless a rule denies it.
pub fn access_review(body: &[u8], deny: &[Rule]) -> Result<Answer, Answer> {
    let mut review: Value = serde_json::from_slice(body)
        .map_err(|error| bad_request(&format!("the object provided is unrecognized: {error}")))?;
    let spec = review["spec"].take();
    let denied = deny.iter().any(|rule| asks_for(rule, &spec));
    let answer = json!({
        "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
        "spec": spec, "status": { "allowed": !denied },
    });
    Ok(Answer::json(201, &answer))
}

fn asks_for(rule: &Rule, spec: &Value) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let wanted = &spec["resourceAttributes"];
    if wanted.is_null() {
        let url = &spec["nonResourceAttributes"];
        return rule.matches_path(&text(&url["verb"]), &text(&url["path"]));
    }
    let resource = ResourcePath {
        group: text(&wanted["group"]),
        plural: text(&wanted["resource"]),
        namespace: text(&wanted["namespace"]),
        name: text(&wanted["name"]),
        subresource: text(&wanted["subresource"]),
        ..ResourcePath::default()
    };
    rule.matches_resource(&text(&wanted["verb"]), &resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(answer: Answer) -> Value {
        serde_json::from_slice(&answer.body).unwrap()
    }

    #[test]
    fn versions() {
        let recorded = body(version(None));
        assert_eq!(recorded["gitVersion"], "v1.36.2");
        assert_eq!((&recorded["minor"], &recorded["minCompatibilityMinor"]), (&json!("36"), &json!("35")));
        let eks = body(version(Some("v1.33.5-eks-3025e55")));
        assert_eq!((&eks["major"], &eks["minor"]), (&json!("1"), &json!("33")));
        assert_eq!(eks["gitVersion"], "v1.33.5-eks-3025e55");
    }

    #[test]
    fn discovery_leaves_out_what_is_missing() {
        let names = |missing: &[String]| -> Vec<String> {
            let list = body(discovery("/apis/apps/v1", missing).unwrap());
            list["resources"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r["name"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(names(&[]), ["deployments", "replicasets", "statefulsets", "daemonsets"]);
        assert_eq!(names(&["daemonsets".to_owned()]).len(), 3);
        assert_eq!(discovery("/apis/karpenter.sh/v1", &[]), None);
    }

    #[test]
    fn reviews() {
        let deny = [Rule::try_from("patch pods/ephemeralcontainers".to_owned()).unwrap()];
        let review = |subresource: &str| {
            let spec = json!({"resourceAttributes": {"namespace": "rec-shop", "verb": "patch", "resource": "pods",
                                                     "subresource": subresource}});
            let request = json!({"kind": "SelfSubjectAccessReview", "spec": spec}).to_string();
            let answer = access_review(request.as_bytes(), &deny).unwrap();
            assert_eq!(answer.code, 201);
            let body = body(answer);
            assert_eq!(body["spec"], spec);
            body["status"]["allowed"].clone()
        };
        assert_eq!(review("ephemeralcontainers"), json!(false));
        assert_eq!(review("status"), json!(true));
        assert_eq!(access_review(b"{", &deny).unwrap_err().code, 400);
    }
}

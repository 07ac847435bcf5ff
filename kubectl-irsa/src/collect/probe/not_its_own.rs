//! Whatever answers in the API server's place with 200, no request takes it for the API server's word.

use std::pin::Pin;
use std::time::Duration;

use futures::stream::StreamExt;
use irsa::facts::Fact;
use irsa::facts::kubernetes::resource::{Kinds, Query, Resource, every_kind};
use irsa::facts::kubernetes::{Pod, Secret};
use irsa::rounds::Objects;
use kube::api::WatchEvent;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::calls::Change;
use crate::collect::cluster::{Api, NoAnswer, Server, Type};
use crate::collect::{Deadline, Progress, issuer};

/// An API server that answers everything with 200 and this.
async fn answering(content_type: &'static str, body: &str) -> Api {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 16 << 10]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    let server = Server::at(address);
    let minute = Duration::from_secs(60);
    Api::open(server, minute, Deadline::beyond(minute), Progress::silent()).await.unwrap()
}

/// What is nobody's answer to anything that is asked here.
fn foreign() -> Vec<(&'static str, String)> {
    let json = |value: Value| ("application/json", value.to_string());
    vec![
        ("application/json", String::new()),
        ("application/json", String::from(" \n")),
        ("application/json", String::from("{\"kind\": [<")),
        ("text/html", String::from("<html><body>Please sign in</body></html>")),
        ("application/json", String::from("<!DOCTYPE html><p>Please sign in")),
        json(Value::Null),
        json(json!({})),
        json(json!([])),
        json(json!(["Pod", "v1", {"name": "checkout"}])),
        json(json!("ok")),
        json(json!({"metadata": {"name": "checkout"}})),
        json(json!({"items": []})),
        json(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})),
        json(
            json!({"kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "metadata": {"name": "checkout"}}),
        ),
        json(
            json!({"kind": "LeaseList", "apiVersion": "coordination.k8s.io/v1", "metadata": {}, "items": []}),
        ),
    ]
}

fn type_of<T: Resource>() -> (String, String) {
    let group = if T::GROUP.is_empty() { String::new() } else { format!("{}/", T::GROUP) };
    (T::KIND.to_owned(), format!("{group}{}", T::VERSION))
}

/// An object as the API server would answer it.
fn own<T: Resource>(name: &str) -> Value {
    if T::METADATA_ONLY {
        return json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": name}});
    }
    let (kind, api_version) = type_of::<T>();
    let pod = json!({"containers": [{"name": "app", "image": "app"}]});
    let spec = match T::KIND {
        "Pod" => pod,
        "CronJob" => json!({"jobTemplate": {"spec": {"template": {"spec": pod}}}}),
        _ => json!({"template": {"spec": pod}}),
    };
    let mut object = json!({"kind": kind, "apiVersion": api_version, "metadata": {"name": name}});
    if has_containers::<T>() {
        object["spec"] = spec;
    }
    object
}

/// True for what has containers.
fn has_containers<T: Resource>() -> bool {
    ["Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"].contains(&T::KIND)
}

async fn is_unknown_to_get<T: Resource>(api: &Api) -> bool {
    matches!(api.get::<T>(Some("shop"), "checkout").await, Fact::Unknown(_))
}

async fn of_a_kind<T: Resource>() {
    for (content_type, body) in foreign() {
        let api = answering(content_type, &body).await;
        assert!(is_unknown_to_get::<T>(&api).await, "get {}: {body}", T::PLURAL);
        let listed = api.list::<T>(Some("shop"), &Query::default()).await;
        assert!(matches!(listed, Fact::Unknown(_)), "list {}: {body}", T::PLURAL);
        assert!(api.names::<T>(Some("shop")).await.is_err(), "names of {}: {body}", T::PLURAL);
    }
    let mut object = own::<T>("checkout");
    let get = async |object: &Value| {
        is_unknown_to_get::<T>(&answering("application/json", &object.to_string()).await).await
    };
    assert!(!get(&object).await, "{object}");
    assert!(get(&own::<T>("payments")).await, "another {}", T::SINGULAR);
    if has_containers::<T>() {
        object["spec"] = Value::Null;
        assert!(get(&object).await, "{object}");
    }
    of_a_list::<T>().await;
}

async fn of_a_list<T: Resource>() {
    let (kind, api_version) = type_of::<T>();
    let list = |items: Value| json!({"kind": format!("{kind}List"), "apiVersion": api_version, "metadata": {}, "items": items});
    let read = async |list: &Value| {
        let api = answering("application/json", &list.to_string()).await;
        match api.list::<T>(Some("shop"), &Query::default()).await {
            Fact::Known(listing) => Some((listing.value.items.len(), listing.value.cut.is_none())),
            Fact::Unknown(_) | Fact::Absent { .. } => None,
        }
    };
    // Go's nil.
    for empty in [json!([]), Value::Null] {
        assert_eq!(read(&list(empty.clone())).await, Some((0, true)), "{kind} {empty}");
    }
    for member in ["items", "metadata", "kind", "apiVersion"] {
        let mut lacking = list(json!([]));
        lacking.as_object_mut().unwrap().remove(member);
        assert_eq!(read(&lacking).await, None, "{lacking}");
    }
    let mut item = own::<T>("checkout");
    item.as_object_mut().unwrap().retain(|key, _| key != "kind" && key != "apiVersion");
    assert_eq!(read(&list(json!([item]))).await, Some((1, true)), "{kind}");
    for odd in
        [json!({}), json!([]), Value::Null, json!({"metadata": {"name": ""}}), json!({"kind": "Lease"})]
    {
        assert_eq!(read(&list(json!([item, odd]))).await, Some((1, false)), "{kind} {odd}");
    }
}

#[tokio::test]
async fn of_every_kind() {
    struct All(Vec<Pin<Box<dyn Future<Output = ()>>>>);
    impl Kinds for All {
        fn of<T: Resource>(&mut self) {
            if !T::METADATA_ONLY {
                self.0.push(Box::pin(of_a_kind::<T>()));
            }
        }
    }
    let mut all = All(Vec::new());
    every_kind(&mut all);
    for kind in all.0 {
        kind.await;
    }
}

#[tokio::test]
async fn of_a_secret_only_metadata_is_an_answer() {
    for (content_type, body) in foreign() {
        assert!(is_unknown_to_get::<Secret>(&answering(content_type, &body).await).await, "{body}");
    }
    let partial = own::<Secret>("checkout").to_string();
    assert!(!is_unknown_to_get::<Secret>(&answering("application/json", &partial).await).await);
}

/// What each of the other requests makes of it.
async fn taken(api: &Api) -> Vec<(&'static str, bool)> {
    let container = json!({"name": "irsa-probe-x"});
    let manifest = json!({"metadata": {"name": "checkout"}});
    let mut events = api.watch_pod("shop", "checkout", "", 1).await.unwrap();
    let event = match events.next().await {
        Some(Ok(WatchEvent::Added(pod) | WatchEvent::Modified(pod) | WatchEvent::Deleted(pod))) => {
            pod.among(&[Type::of::<k8s_openapi::api::core::v1::Pod>()]).is_ok()
        }
        Some(_) | None => false,
    };
    vec![
        ("watch", event),
        ("token", api.token("shop", "checkout", "sts.amazonaws.com", None).await.is_ok()),
        ("raw pod", api.raw_pod("shop", "checkout").await.is_ok()),
        ("patch", api.add_container("shop", "checkout", &container, Change::Made).await.is_ok()),
        ("create", api.create_pod("shop", &manifest, Change::Made).await.is_ok()),
        ("delete", api.delete_pod("shop", "checkout", Change::Made).await.is_ok()),
        ("version", !matches!(api.version().await, Fact::Unknown(_))),
        ("issuer", !matches!(issuer::of_api(api).await, Fact::Unknown(_))),
        ("keys", !matches!(issuer::keys_of_api(api).await, Fact::Unknown(_))),
    ]
}

#[tokio::test]
async fn of_every_other_request() {
    let mut bodies = foreign();
    for odd in [
        json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "status": {}}),
        json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "status": {"token": ""}}),
        json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "status": {"token": null}}),
        json!({"kind": "Secret", "apiVersion": "v1", "status": {"token": "e30.e30.x"}}),
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "payments"}, "spec": {"containers": [{}]}}),
        json!({"issuer": ""}),
        json!({"keys": []}),
        json!({"keys": null}),
        json!({"keys": [{}]}),
        json!({"gitVersion": null}),
    ] {
        bodies.push(("application/json", odd.to_string()));
    }
    for (content_type, body) in bodies {
        if content_type == "text/html" {
            continue;
        }
        for (request, taken) in taken(&answering(content_type, &body).await).await {
            assert!(!taken, "{request}: {body}");
        }
    }
    let page = answering("text/html; charset=utf-8", "<html>").await;
    assert!(matches!(page.watch_pod("shop", "checkout", "", 1).await, Err(NoAnswer::Unreadable(_))));
}

#[tokio::test]
async fn what_the_api_server_answers_is_taken() {
    let token = json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "status": {"token": "e30.e30.x"}});
    let done =
        json!({"kind": "Status", "apiVersion": "v1", "status": "Success", "details": {"name": "checkout"}});
    for (body, requests) in [
        (token, vec!["token"]),
        (own::<Pod>("checkout"), vec!["raw pod", "patch", "create", "delete"]),
        (done, vec!["delete"]),
        (json!({"type": "ADDED", "object": own::<Pod>("checkout")}), vec!["watch"]),
        (json!({"gitVersion": "v1.33.5"}), vec!["version"]),
        (json!({"issuer": "https://i", "jwks_uri": "https://i/keys"}), vec!["issuer"]),
        (json!({"keys": [{"kty": "RSA", "kid": "k"}]}), vec!["keys"]),
    ] {
        let taken = taken(&answering("application/json", &body.to_string()).await).await;
        let taken: Vec<_> =
            taken.into_iter().filter(|(_, taken)| *taken).map(|(request, _)| request).collect();
        assert_eq!(taken, requests, "{body}");
    }
}

//! The application's log. Nothing of it is kept but what is recognised.

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;

use super::cluster::{Api, NoAnswer, encode, of_namespace};
use irsa::documents::log::app_errors;
use irsa::facts::kubernetes as slim;
use irsa::facts::{Fact, Facts, Grant, Listing, LoggedError, Source, Sourced, Subject, Why};

/// Lines and bytes read of a log.
const LOG: (i64, i64) = (500, 1 << 20);
/// Pods whose logs are read; the others of a workload say the same.
const PODS: usize = 3;

/// Reads the logs of the containers, and those of their last runs where they were restarted. `index` counts the subjects.
pub async fn of(
    api: &Api,
    facts: &Facts,
    containers: &[String],
    wanted: bool,
    index: usize,
) -> Fact<Listing<LoggedError>> {
    let what = "the application's log";
    if !wanted {
        return Fact::unknown_because(what, Why::Excluded(String::from("--no-logs")), None);
    }
    if index >= PODS {
        return Fact::not_asked(what, format!("only the logs of the newest {PODS} pods are read"));
    }
    let Subject::Pod(pod) = &facts.subject else { return Fact::not_asked(what, "there is no pod") };
    if containers.is_empty() {
        return Fact::not_asked(what, "there is no container");
    }
    let name = &pod.value.metadata.name;
    let one = |container: &String| of_container(api, facts, &pod.value, container.clone());
    let mut items = Vec::new();
    for log in join_all(containers.iter().map(one)).await {
        match log {
            Ok(errors) => items.extend(errors),
            Err(error) => {
                let denied = matches!(&error, NoAnswer::Status { code, .. } if code.as_u16() == 403);
                let grant = denied.then(|| Grant::rbac("get", "pods/log", Some(&facts.namespace_name)));
                return Fact::Unknown(api.unknown(what.to_owned(), &error, grant));
            }
        }
    }
    let source = Source::Api {
        verb: "get".into(),
        object: format!("pod/{name}/log"),
        namespace: Some(facts.namespace_name.clone()),
        field: String::new(),
    };
    Fact::observed(Listing { items, cut: None }, source)
}

async fn of_container(
    api: &Api,
    facts: &Facts,
    pod: &slim::Pod,
    container: String,
) -> Result<Vec<Sourced<LoggedError>>, NoAnswer> {
    let restarted = pod
        .status
        .all_container_statuses()
        .any(|status| status.name == container && status.restart_count > 0);
    let log = |previous| api.log(&facts.namespace_name, &pod.metadata.name, &container, previous);
    let before = async {
        // The log of a former run may be gone: that is not an error.
        if restarted { log(true).await.unwrap_or_default() } else { Vec::new() }
    };
    let (now, before) = tokio::join!(log(false), before);
    let now = match now {
        // 400: the container has not started yet, so it has said nothing.
        Err(NoAnswer::Status { code, .. }) if code.as_u16() == 400 => Vec::new(),
        now => now?,
    };
    let mut items = app_errors(&String::from_utf8_lossy(&now), &Source::log_of(&container, false));
    items.extend(app_errors(&String::from_utf8_lossy(&before), &Source::log_of(&container, true)));
    Ok(items)
}

impl Api {
    /// The last lines of a container's log, each with its time before it.
    async fn log(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
    ) -> Result<Vec<u8>, NoAnswer> {
        let wanted = LogParams {
            container: Some(container.to_owned()),
            previous,
            timestamps: true,
            tail_lines: Some(LOG.0),
            limit_bytes: Some(LOG.1),
            ..LogParams::default()
        };
        self.ask(of_namespace::<Pod>(namespace).logs(&encode(pod), &wanted)).await
    }
}

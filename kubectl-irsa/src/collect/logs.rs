//! The application's log. Nothing of it is kept but what is recognised.

use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;

use super::cluster::{Api, NoAnswer, encode, of_namespace};
use irsa::documents::log::app_errors;
use irsa::facts::{Fact, Facts, Grant, Listing, LoggedError, Source, Subject, Why};

/// Lines and bytes read of a log.
const LOG: (i64, i64) = (500, 1 << 20);
/// Pods whose logs are read; the others of a workload say the same.
const PODS: usize = 3;

/// Reads the container's log, and that of its last run where it was restarted. `index` counts the subjects.
pub async fn of(
    api: &Api,
    facts: &Facts,
    container: Option<&str>,
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
    let (Subject::Pod(pod), Some(container)) = (&facts.subject, container) else {
        return Fact::not_asked(what, "there is no pod");
    };
    let name = &pod.value.metadata.name;
    let restarted = pod
        .value
        .status
        .all_container_statuses()
        .any(|status| status.name == container && status.restart_count > 0);
    let log = |previous| api.log(&facts.namespace_name, name, container, previous);
    let before = async {
        // The log of a former run may be gone: that is not an error.
        if restarted { log(true).await.unwrap_or_default() } else { Vec::new() }
    };
    let (now, before) = tokio::join!(log(false), before);
    let now = match now {
        Ok(now) => now,
        // 400: the container has not started yet, so it has said nothing.
        Err(NoAnswer::Status { code, .. }) if code.as_u16() == 400 => Vec::new(),
        Err(error) => {
            let denied = matches!(&error, NoAnswer::Status { code, .. } if code.as_u16() == 403);
            let grant = denied.then(|| Grant::rbac("get", "pods/log", Some(&facts.namespace_name)));
            return Fact::Unknown(api.unknown(what.to_owned(), &error, grant));
        }
    };
    let mut items = app_errors(&String::from_utf8_lossy(&now), &format!("log of container {container}"));
    let of = format!("log of container {container} before its last restart");
    items.extend(app_errors(&String::from_utf8_lossy(&before), &of));
    let source = Source::Api {
        verb: "get".into(),
        object: format!("pod/{name}/log"),
        namespace: Some(facts.namespace_name.clone()),
        field: String::new(),
    };
    Fact::observed(Listing { items, cut: None }, source)
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

//! The application's log. Nothing of it is kept but what is recognised.

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use zeroize::Zeroizing;

use super::bounded::Limit;
use super::cluster::{Api, NoAnswer, encode, of_namespace};
use irsa::documents::log::app_errors;
use irsa::facts::kubernetes as slim;
use irsa::facts::{Fact, Facts, Grant, Listing, LoggedError, Source, Sourced, Subject, Unknown, Why};

/// Lines read of a log, or of one whose lines are long.
const LINES: [i64; 2] = [500, 50];
/// The most that they may be. The kubelet, too, counts that from the first of the lines on.
const LARGEST: Limit = Limit::mib(1);
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
    let (mut items, mut cut) = (Vec::new(), None);
    for log in join_all(containers.iter().map(one)).await {
        match log {
            Ok(log) => {
                items.extend(log.errors);
                cut = cut.or(log.cut);
            }
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
    Fact::observed(Listing { items, cut }, source)
}

/// What was found in a container's log.
struct Found {
    errors: Vec<Sourced<LoggedError>>,
    /// What was not read of it.
    cut: Option<Unknown>,
}

async fn of_container(
    api: &Api,
    facts: &Facts,
    pod: &slim::Pod,
    container: String,
) -> Result<Found, NoAnswer> {
    let restarted = pod
        .status
        .all_container_statuses()
        .any(|status| status.name == container && *status.restart_count > 0);
    let log = |previous| api.log(&facts.namespace_name, &pod.metadata.name, &container, previous);
    let before = async {
        // The log of a former run may be gone: that is not an error.
        if restarted { log(true).await.unwrap_or_default() } else { Read::default() }
    };
    let (now, before) = tokio::join!(log(false), before);
    let now = match now {
        // 400: the container has not started yet, so it has said nothing.
        Err(NoAnswer::Status { code, .. }) if code.as_u16() == 400 => Read::default(),
        now => now?,
    };
    let mut errors = app_errors(&String::from_utf8_lossy(&now.0), &Source::log_of(&container, false));
    errors.extend(app_errors(&String::from_utf8_lossy(&before.0), &Source::log_of(&container, true)));
    let cut = now.1.then(|| Unknown {
        what: format!("the newest lines of the log of container {container}"),
        why: Why::Incomplete(format!("its last lines are longer than {LARGEST}")),
        grant: None,
    });
    Ok(Found { errors, cut })
}

/// A log, and whether it was cut.
type Read = (Zeroizing<Vec<u8>>, bool);

impl Api {
    /// The last lines of a container's log, each with its time before it: fewer, where so many are too much, since the newest count.
    async fn log(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
    ) -> Result<Read, NoAnswer> {
        let mut wanted = LogParams {
            container: Some(container.to_owned()),
            previous,
            timestamps: true,
            limit_bytes: i64::try_from(LARGEST.0).ok(),
            ..LogParams::default()
        };
        let mut last = Read::default();
        for lines in LINES {
            wanted.tail_lines = Some(lines);
            let log = of_namespace::<Pod>(namespace).logs(&encode(pod), &wanted);
            let read = self.ask_beginning(LARGEST, log).await?;
            // The kubelet says nothing where it cuts.
            let cut = read.len() == LARGEST.0;
            last = (read, cut);
            if !cut {
                break;
            }
        }
        Ok(last)
    }
}

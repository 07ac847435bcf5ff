//! Starts the probe in a pod as an ephemeral container, and waits for its report.

use std::time::Duration;

use irsa_probe::{FaultKind, Report};
use tokio::time::Instant;

use super::calls::Change;
use super::container::{Wanted, ephemeral, new_name};
use super::obstacle::{Obstacle, on_fargate};
use super::pod::RawPod;
use super::watch::Watch;
use super::{Probing, security, settings};
use crate::collect::cluster::{Api, NoAnswer};
use irsa::facts::Fact;
use irsa::facts::kubernetes::ProbeEnd;
use irsa::facts::probed::{Place, ProbeFacts};

/// With less time left the probe is not started.
const LEAST: Duration = Duration::from_secs(2);
/// The probe's own deadline, where there is time enough.
const DEADLINE: Duration = Duration::from_secs(15);
/// What must be allowed.
const EPHEMERAL: (&str, &str) = ("patch", "pods/ephemeralcontainers");

/// The container to look into.
pub struct Into<'p> {
    /// Namespace.
    pub namespace: &'p str,
    /// The pod.
    pub pod: &'p str,
    /// Its container.
    pub container: &'p str,
}

/// Looks into a container.
pub async fn run(api: &Api, probing: &Probing, into: &Into<'_>) -> Fact<ProbeFacts> {
    match Box::pin(look(api, probing, into)).await {
        Ok((name, report)) => Fact::Known(ProbeFacts::reported(report, Place::Pod, into.container, &name)),
        Err(obstacle) => obstacle.of_a_pod(into.namespace),
    }
}

async fn look(api: &Api, probing: &Probing, into: &Into<'_>) -> Result<(String, Report), Obstacle> {
    let Into { namespace, pod: pod_name, container } = *into;
    let get = || async {
        let pod = api.raw_pod(namespace, pod_name).await;
        pod.map_err(|error| Obstacle::of_answer("get", "pods", &error))
    };
    let mut pod = get().await?;
    if let Some(obstacle) = Obstacle::before(&pod) {
        return Err(obstacle);
    }
    // First of all, so that nothing is missed, and nothing is added that could not be waited for.
    let mut watch = Watch::open(api, namespace, pod_name, pod.resource_version(), probing.until).await?;
    let mut beside = pod.runs(container);
    let first = loop {
        match one(api, probing, into, &mut watch, &pod, (beside, None)).await {
            // It stopped in the meantime: without its processes there is still much to see.
            Err(Obstacle::TargetNotRunning(_)) if beside => {
                beside = false;
                pod = get().await?;
            }
            first => break first?,
        }
    };
    // A runtime that does not tell the user of the target leaves the probe with another one, which may not read the target's
    // environment; but the user can be seen. Whatever keeps the second probe from reporting, there is the first report.
    let Some(seen) = beside.then(|| unread_user(&pod, container, &first.1)).flatten() else {
        return Ok(first);
    };
    let Ok(pod) = get().await else { return Ok(first) };
    Ok(one(api, probing, into, &mut watch, &pod, (true, Some(seen))).await.unwrap_or(first))
}

/// Adds a probe and waits for its report.
async fn one(
    api: &Api,
    probing: &Probing,
    into: &Into<'_>,
    watch: &mut Watch<'_>,
    pod: &RawPod,
    how: (bool, Option<(u32, u32)>),
) -> Result<(String, Report), Obstacle> {
    let name = add(api, probing, into, pod, how).await?;
    match watch.end_of(&name).await {
        Ok(end) => Ok((name.clone(), read(api, into.namespace, into.pod, &name, &end).await?)),
        Err(Obstacle::NotInTime { seconds, last }) if on_fargate(pod) => {
            let last = format!("{last}; it runs on Fargate: --via pod runs the probe in a pod of its own");
            Err(Obstacle::NotInTime { seconds, last })
        }
        Err(obstacle) => Err(obstacle),
    }
}

/// The user and group of the target, if nothing told them before, and the probe could not read its environment for that reason.
fn unread_user(pod: &RawPod, container: &str, report: &Report) -> Option<(u32, u32)> {
    if security::user(pod, pod.container(container)?).is_some() {
        return None;
    }
    let fault = report.environment.as_ref()?.fault.as_ref()?;
    let target = report.target.as_ref()?.identity.as_ref()?;
    let own = report.process.as_ref()?.identity.as_ref()?;
    let differs = (target.uid, target.gid) != (own.uid, own.gid);
    (fault.kind == FaultKind::PermissionDenied && differs).then_some((target.uid[0], target.gid[0]))
}

/// Adds the container, after the server has said that it would take it; gives its name.
async fn add(
    api: &Api,
    probing: &Probing,
    into: &Into<'_>,
    pod: &RawPod,
    (beside, seen_user): (bool, Option<(u32, u32)>),
) -> Result<String, Obstacle> {
    let target =
        pod.container(into.container).ok_or_else(|| Obstacle::NoContainer(into.container.to_owned()))?;
    let name = new_name();
    let wanted = Wanted {
        image: probing.image.as_str(),
        deadline: deadline(probing.until)?,
        assume: probing.assume,
        seen_user,
    };
    let container = ephemeral(pod, target, &name, beside, wanted);
    let patch = |change| api.add_container(into.namespace, into.pod, &container, change);
    let copied = settings::environment(target);
    let refused = |error: NoAnswer| {
        let error = error.with_words(|words| settings::without_secrets(words, &copied));
        let there = pod.containers().filter_map(|container| container["name"].as_str());
        Obstacle::of_addition(EPHEMERAL.0, EPHEMERAL.1, there, &error)
    };
    patch(Change::DryRun).await.map_err(refused)?;
    let user = security::user(pod, target).or(seen_user.map(|(user, _)| user.into()));
    probing.progress.say(&announcement(probing, into, &name, user, beside));
    let making = probing.cleanup.container(&name, into.pod);
    match patch(Change::Made).await {
        Ok(()) => making.made(),
        Err(error) => {
            // After a refusal it is certain that nothing was added; after silence it is not.
            if error.is_refusal() {
                making.refused();
            }
            return Err(refused(error));
        }
    }
    Ok(name)
}

/// After which time the probe reports, so that its report is here in time.
pub(super) fn deadline(until: Instant) -> Result<Duration, Obstacle> {
    let left = until.saturating_duration_since(Instant::now());
    if left < LEAST { Err(Obstacle::NoTime) } else { Ok(DEADLINE.min(left * 2 / 3)) }
}

fn announcement(probing: &Probing, into: &Into<'_>, name: &str, user: Option<i64>, beside: bool) -> String {
    let user = user.map_or_else(|| String::from("its image's user"), |user| format!("user {user}"));
    let beside = if beside {
        format!("beside container {}", into.container)
    } else {
        format!("without the processes of container {}, which is not running", into.container)
    };
    let sts = if probing.assume { "; the credentials that STS issues are discarded" } else { "" };
    format!(
        "adding the ephemeral container {name} ({}) to pod/{} -n {} as {user}, {beside}{sts}; its entry stays in \
         the pod (--no-probe skips this)",
        probing.image, into.pod, into.namespace
    )
}

/// The report: from the termination message, or from the log where that has more.
pub(super) async fn read(
    api: &Api,
    namespace: &str,
    pod: &str,
    container: &str,
    end: &ProbeEnd,
) -> Result<Report, Obstacle> {
    let message = match irsa::documents::report::read(&end.message) {
        Ok(report) if report.dropped.is_empty() => return Ok(report),
        message => message,
    };
    if message.is_err()
        && let Some(obstacle) = Obstacle::of_end(end)
    {
        return Err(obstacle);
    }
    let log = api.probe_log(namespace, pod, container).await;
    let log = log.map_err(|error| Obstacle::of_answer("get", "pods/log", &error));
    match (log.as_ref().ok().and_then(|log| last_report(log)), message) {
        (Some(whole), _) => Ok(whole),
        (None, Ok(compact)) => Ok(compact),
        (None, Err(error)) => Err(Obstacle::NoReport { error, log: log.err().map(Box::new) }),
    }
}

/// The last line that is a report.
fn last_report(log: &[u8]) -> Option<Report> {
    String::from_utf8_lossy(log).lines().rev().find_map(|line| irsa::documents::report::read(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_is_a_report_counts() {
        let log =
            b"{\"schema\":\"irsa-probe/v1\",\"now\":1}\n{\"schema\":\"irsa-probe/v1\",\"now\":2}\nkilled\n";
        assert_eq!(last_report(log).unwrap().now, Some(2));
        assert_eq!(last_report(b"no report\n"), None);
    }

    #[test]
    fn the_probe_ends_before_the_run() {
        let after = |seconds| deadline(Instant::now() + Duration::from_secs(seconds));
        assert_eq!(after(60), Ok(DEADLINE));
        assert!(after(12).unwrap() <= Duration::from_secs(8));
        assert_eq!(after(1), Err(Obstacle::NoTime));
    }
}

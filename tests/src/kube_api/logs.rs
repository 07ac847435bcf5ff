//! Container logs, with the refusals of the kubelet (`validateContainerLogStatus`), recording `ec-logs`.

use super::resources::by_path;
use super::route::{ResourcePath, Route};
use super::status::{Answer, bad_request, not_found};
use super::store::Store;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// What a container has logged.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerLog {
    /// Since it was last started; every line begins with its time, as `kubectl logs --timestamps` prints them.
    #[serde(default)]
    pub current: Option<String>,
    /// Before that.
    #[serde(default)]
    pub previous: Option<String>,
}

impl ContainerLog {
    /// Every line needs a time.
    pub fn check(&self) -> Result<(), String> {
        let mut lines = self.current.iter().chain(&self.previous).flat_map(|text| text.lines());
        let timed =
            |line: &&str| line.split(' ').next().is_some_and(|time| time.parse::<Timestamp>().is_ok());
        lines
            .find(|line| !timed(line))
            .map_or(Ok(()), |line| Err(format!("{line:?} does not begin with a time")))
    }
}

/// The names of a pod's containers, of all three kinds.
pub fn containers(pod: &Value) -> impl Iterator<Item = &str> {
    let kinds = ["initContainers", "containers", "ephemeralContainers"];
    let listed = kinds.into_iter().filter_map(|kind| pod["spec"][kind].as_array()).flatten();
    listed.filter_map(|container| container["name"].as_str())
}

/// Answers a request for a log; `find` gives the world's log of a container of the pod.
pub fn answer(
    store: &Store,
    at: &ResourcePath,
    route: &Route,
    find: impl Fn(&str) -> Option<ContainerLog>,
) -> Result<Answer, Answer> {
    let pod = by_path("", "pods").and_then(|pods| store.find(pods, &at.namespace, &at.name));
    let pod = pod.ok_or_else(|| not_found("", "pods", &at.name))?;
    let pod = &pod.value;
    let name = container(pod, &at.name, route.param("container"))?;
    let log = find(name).unwrap_or_default();
    let given = if route.flag("previous") { log.previous } else { log.current };
    let text = match given {
        Some(text) => text,
        None => {
            available(pod, &at.name, name, route.flag("previous"))?;
            String::new()
        }
    };
    Ok(Answer::bytes(200, "text/plain", cut(&text, route)?.into_bytes()))
}

fn container<'p>(pod: &'p Value, pod_name: &str, asked: Option<&str>) -> Result<&'p str, Answer> {
    let names: Vec<&str> = containers(pod).collect();
    match (asked, names.as_slice()) {
        (None, [only]) => Ok(only),
        (None, several) => Err(bad_request(&format!(
            "a container name must be specified for pod {pod_name}, choose one of: [{}]",
            several.join(" ")
        ))),
        (Some(asked), names) => names
            .iter()
            .find(|name| **name == asked)
            .copied()
            .ok_or_else(|| bad_request(&format!("container {asked} is not valid for pod {pod_name}"))),
    }
}

/// Whether the container has run; one that has, and for which the world gives no log, has logged nothing.
fn available(pod: &Value, pod_name: &str, name: &str, previous: bool) -> Result<(), Answer> {
    let kinds = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];
    let statuses = kinds.into_iter().filter_map(|kind| pod["status"][kind].as_array()).flatten();
    let status = statuses.into_iter().find(|status| status["name"] == name);
    let refused = |why: &str| Err(bad_request(&format!("container {name:?} in pod {pod_name:?} {why}")));
    let Some(status) = status else { return refused("is not available") };
    let ended = !status["lastState"]["terminated"].is_null();
    let state = &status["state"];
    match state["waiting"]["reason"].as_str() {
        _ if previous && ended => Ok(()),
        _ if previous => {
            Err(bad_request(&format!("previous terminated container {name:?} in pod {pod_name:?} not found")))
        }
        _ if ended || !state["running"].is_null() || !state["terminated"].is_null() => Ok(()),
        Some("ErrImagePull") => refused("is waiting to start: image can't be pulled"),
        Some("ImagePullBackOff") => refused("is waiting to start: trying and failing to pull image"),
        Some(reason) => refused(&format!("is waiting to start: {reason}")),
        None => refused("is waiting to start - no logs yet"),
    }
}

/// The last lines, and of these the first bytes.
fn cut(text: &str, route: &Route) -> Result<String, Answer> {
    let number = |name: &str| match route.param(name).map(str::parse::<usize>) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(bad_request(&format!("{name} must be a number"))),
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let skipped = number("tailLines")?.map_or(0, |tail| lines.len().saturating_sub(tail));
    let timed = route.flag("timestamps");
    let shown = |line: &&str| {
        if timed { *line } else { line.split_once(' ').map_or("", |(_, rest)| rest) }.to_owned()
    };
    let mut text: String = lines[skipped..].iter().map(shown).collect();
    if let Some(limit) = number("limitBytes")? {
        text.truncate(text.floor_char_boundary(limit));
    }
    Ok(text)
}

//! Watches: the current objects as ADDED events, then silence until the timeout. The world does not change.

use super::accept::{Form, negotiate, wrong_form};
use super::resources::Resource;
use super::route::{ResourcePath, Route};
use super::status::{Answer, bad_request};
use super::store::{Store, partial, revision_of, selector};
use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// A watch that was accepted.
#[derive(Debug)]
pub struct Watch {
    /// The lines to send at once.
    pub events: Vec<Value>,
    /// When the server ends the stream.
    pub timeout: Duration,
}

/// A real server draws a timeout between 30 and 60 minutes for clients that name none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Opens a watch, events as in the recording `watch-ephemeral-container`.
pub fn watch(
    store: &Store,
    resource: &Resource,
    at: &ResourcePath,
    route: &Route,
    accept: &str,
) -> Result<Watch, Answer> {
    let form = negotiate(accept)?;
    if form == Form::PartialList {
        return Err(wrong_form(form, resource.kind));
    }
    let selector = selector(resource, route)?;
    let since = since(route)?;
    let initial = route.flag("sendInitialEvents");
    let shown = |object: &Value| if form == Form::Partial { partial(object) } else { object.clone() };
    let mut events: Vec<Value> = store
        .all(resource, &at.namespace)
        .map(|object| &object.value)
        .filter(|object| selector.matches(object) && (initial || revision_of(object) > since))
        .map(|object| json!({"type": "ADDED", "object": shown(object)}))
        .collect();
    if initial {
        events.push(end_of_initial_events(resource, store.revision(), form));
    }
    Ok(Watch { events, timeout: timeout(route)? })
}

/// No version and "0" both mean: start with the state as it is.
fn since(route: &Route) -> Result<i64, Answer> {
    let text = route.param("resourceVersion").unwrap_or("0");
    text.parse().map_err(|_| bad_request(&format!("invalid resource version {text:?}")))
}

fn timeout(route: &Route) -> Result<Duration, Answer> {
    let Some(text) = route.param("timeoutSeconds") else { return Ok(DEFAULT_TIMEOUT) };
    let seconds = text
        .parse()
        .map_err(|_| bad_request(&format!("strconv.ParseInt: parsing {text:?}: invalid syntax")))?;
    Ok(if seconds == 0 { DEFAULT_TIMEOUT } else { Duration::from_secs(seconds) })
}

/// The bookmark that tells a streaming list that it is complete.
fn end_of_initial_events(resource: &Resource, revision: i64, form: Form) -> Value {
    let (kind, api_version) = match form {
        Form::Full => (resource.kind, resource.api_version()),
        _ => ("PartialObjectMetadata", "meta.k8s.io/v1".to_owned()),
    };
    let metadata = json!({ "resourceVersion": revision.to_string(), "creationTimestamp": null,
                           "annotations": { "k8s.io/initial-events-end": "true" } });
    json!({"type": "BOOKMARK", "object": {"kind": kind, "apiVersion": api_version, "metadata": metadata}})
}

/// The body of a watch: one line per event, then open until the timeout.
pub struct WatchBody {
    lines: VecDeque<Bytes>,
    end: Pin<Box<Sleep>>,
}

impl WatchBody {
    /// The stream of a watch; the timeout runs from now.
    pub fn new(watch: Watch) -> WatchBody {
        let line = |event: Value| Bytes::from(format!("{event}\n"));
        WatchBody { lines: watch.events.into_iter().map(line).collect(), end: Box::pin(sleep(watch.timeout)) }
    }
}

impl Body for WatchBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(line) = self.lines.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(line))));
        }
        self.end.as_mut().poll(context).map(|()| None)
    }
}

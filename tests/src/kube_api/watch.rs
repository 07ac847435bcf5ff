//! Watches: what has happened, then what happens, until the timeout.

use super::accept::{Form, negotiate, wrong_form};
use super::resources::Resource;
use super::route::{ResourcePath, Route};
use super::select::Selector;
use super::status::{Answer, bad_request};
use super::store::{Change, Store, partial, selector};
use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Sleep, sleep};

/// A watch that was accepted.
#[derive(Debug)]
pub struct Watch {
    events: Vec<Value>,
    rest: UnboundedReceiver<Change>,
    filter: Filter,
    timeout: Duration,
}

/// Which changes are shown, and how.
#[derive(Debug)]
struct Filter {
    resource: &'static Resource,
    namespace: String,
    selector: Selector,
    form: Form,
}

impl Filter {
    fn event(&self, change: &Change) -> Option<Value> {
        let object = &change.object;
        let here = self.namespace.is_empty() || self.namespace == object.namespace;
        if object.resource != self.resource || !here || !self.selector.matches(&object.value) {
            return None;
        }
        let shown = if self.form == Form::Partial { partial(&object.value) } else { object.value.clone() };
        Some(json!({"type": change.kind.name(), "object": shown}))
    }
}

/// A real server draws a timeout between 30 and 60 minutes for clients that name none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Opens a watch, events as in the recording `watch-ephemeral-container`.
pub fn watch(
    store: &Store,
    resource: &'static Resource,
    at: &ResourcePath,
    route: &Route,
    accept: &str,
) -> Result<Watch, Answer> {
    let form = negotiate(accept)?;
    if form == Form::PartialList {
        return Err(wrong_form(form, resource.kind));
    }
    let filter =
        Filter { resource, namespace: at.namespace.clone(), selector: selector(resource, route)?, form };
    let initial = route.flag("sendInitialEvents");
    let since = if initial { 0 } else { since(route)? };
    let timeout = timeout(route)?;
    let subscription = store.subscribe(resource, &at.namespace, since);
    let mut events: Vec<Value> =
        subscription.changes.iter().filter_map(|change| filter.event(change)).collect();
    if initial {
        events.push(end_of_initial_events(resource, store.revision(), form));
    }
    Ok(Watch { events, rest: subscription.rest, filter, timeout })
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

/// The body of a watch: one line per event, until the timeout.
pub struct WatchBody {
    lines: VecDeque<Bytes>,
    rest: UnboundedReceiver<Change>,
    filter: Filter,
    end: Pin<Box<Sleep>>,
}

fn line(event: &Value) -> Bytes {
    Bytes::from(format!("{event}\n"))
}

impl WatchBody {
    /// The stream of a watch; the timeout runs from now.
    pub fn new(watch: Watch) -> WatchBody {
        let Watch { events, rest, filter, timeout } = watch;
        WatchBody { lines: events.iter().map(line).collect(), rest, filter, end: Box::pin(sleep(timeout)) }
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
        while let Poll::Ready(Some(change)) = self.rest.poll_recv(context) {
            if let Some(event) = self.filter.event(&change) {
                return Poll::Ready(Some(Ok(Frame::data(line(&event)))));
            }
        }
        self.end.as_mut().poll(context).map(|()| None)
    }
}

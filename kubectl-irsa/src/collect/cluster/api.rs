//! What is asked of the Kubernetes API. Every answer, also a refusal and a silence, becomes a [`Fact`].

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};
use http::header::{self, HeaderMap};
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use kube::Client;
use kube::api::{
    ApiResource, DynamicObject, GetParams, GroupVersionKind, ListParams, ObjectList, WatchEvent,
};
use kube::client::Body;
use kube::core::{Request as Path, Resource as _, request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::access::Server;
use super::answer::{NoAnswer, unexpected};
use super::connection::{ConnectionError, connect};
use crate::collect::Progress;
use irsa::facts::kubernetes::resource::{Query, Resource};
use irsa::facts::kubernetes::{Meta, ServerVersion};
use irsa::facts::{Fact, Grant, Listing, Source, Sourced, Unknown, Why};

/// Objects asked for at once; what kubectl asks for.
const PAGE: u32 = 500;
/// Pages read before a list is called incomplete: the newest 10,000 pods of one namespace tell enough.
const PAGES: u32 = 20;
/// How often a request is sent again where the server asks to come back.
const RETRIES: usize = 3;
/// kube panics if a path and the server's URL together are longer than a URL may be, which is 64 KiB.
const LONGEST_URL: usize = 60_000;
/// All but the unreserved characters of RFC 3986, 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A connection to an API server.
#[derive(Clone)]
pub struct Api {
    client: Client,
    address: String,
    timeout: Duration,
    progress: Progress,
    clock: Arc<OnceLock<Timestamp>>,
}

impl Api {
    /// Signs in, in the time that is left; nothing is sent yet. An answer may then take as long as `timeout`.
    pub(crate) async fn open(
        server: Server,
        timeout: Duration,
        left: Duration,
        progress: Progress,
    ) -> Result<Self, ConnectionError> {
        let clock: Arc<OnceLock<Timestamp>> = Arc::default();
        let set = Arc::clone(&clock);
        let client = connect(&server, left, move |answer| {
            if let Some(time) = date(answer.headers()) {
                let _ = set.set(time);
            }
        });
        Ok(Self { client: client.await?, address: server.address.to_string(), timeout, progress, clock })
    }

    /// The server's URL.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How long an answer may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The server's time, from the `Date` header of its first answer.
    pub fn clock(&self) -> Fact<Timestamp> {
        match self.clock.get() {
            Some(time) => Fact::Known(Sourced { value: *time, source: source("get", "Date header", None) }),
            None => Fact::not_asked("the API server's clock", "no answer carried a Date header"),
        }
    }

    /// `GET /version`, which anyone may ask.
    pub async fn version(&self) -> Fact<ServerVersion> {
        match self.document::<ServerVersion>("/version", "application/json").await {
            Ok(value) => Fact::Known(Sourced { value, source: source("get", "/version", None) }),
            Err(error) => {
                Fact::Unknown(self.unknown(String::from("version of the API server"), &error, None))
            }
        }
    }

    /// Reads one object.
    pub async fn get<T: Resource>(&self, namespace: Option<&str>, name: &str) -> Fact<T> {
        match self.try_get(namespace, name).await {
            Ok(fact) => fact,
            Err(error) => {
                let what = match namespace {
                    Some(namespace) => format!("{} {namespace}/{name}", T::SINGULAR),
                    None => format!("{} {name}", T::SINGULAR),
                };
                Fact::Unknown(self.unknown(what, &error, Some(T::grant("get", namespace))))
            }
        }
    }

    /// The same with the error kept, for the object without which there is nothing to say.
    pub async fn try_get<T: Resource>(
        &self,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Fact<T>, NoAnswer> {
        let source = source("get", format!("{}/{name}", T::SINGULAR), namespace);
        let (path, name_in_path, newest) = (path::<T>(namespace), encode(name), GetParams::default());
        let request = match T::METADATA_ONLY {
            true => path.get_metadata(&name_in_path, &newest),
            false => path.get(&name_in_path, &newest),
        };
        match self.read::<T>(request).await {
            Ok(value) if value.meta().name == name => Ok(Fact::Known(Sourced { value, source })),
            Ok(_) => {
                Err(NoAnswer::Unreadable(String::from("the answer is not the object that was asked for")))
            }
            Err(NoAnswer::Status { code: StatusCode::NOT_FOUND, about_object: true, .. }) => {
                Ok(Fact::Absent { source })
            }
            Err(error) => Err(error),
        }
    }

    /// Reads a list, page by page. Items are read one by one, so that a single odd object does not hide the others.
    pub async fn list<T: Resource>(&self, namespace: Option<&str>, query: &Query) -> Fact<Listing<T>> {
        let what = match namespace {
            Some(namespace) => format!("{} of namespace {namespace}", T::PLURAL),
            None => T::PLURAL.to_owned(),
        };
        let mut items = Vec::new();
        let mut cut = None;
        let mut wanted = parameters(query);
        for page_number in 1.. {
            let page: ObjectList<Value> = match self.read(path::<T>(namespace).list(&wanted)).await {
                Ok(page) => page,
                Err(error) if page_number == 1 => {
                    return Fact::Unknown(self.unknown(what, &error, Some(T::grant("list", namespace))));
                }
                Err(error) => {
                    cut = Some(self.unknown(format!("the rest of {what}"), &error, None));
                    break;
                }
            };
            for item in page.items {
                match serde_json::from_value::<T>(item) {
                    Ok(value) => {
                        let Meta { name, namespace, .. } = value.meta();
                        let own = (!namespace.is_empty()).then_some(namespace.as_str());
                        let source = source("list", format!("{}/{name}", T::SINGULAR), own);
                        items.push(Sourced { value, source });
                    }
                    Err(error) => {
                        let why = Why::Failed(format!("an object could not be read: {}", unexpected(&error)));
                        cut = Some(Unknown { what: format!("some of {what}"), why, grant: None });
                    }
                }
            }
            wanted.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if wanted.continue_token.is_none() {
                break;
            }
            if page_number == PAGES {
                let why = Why::Incomplete(format!("more than {} exist; the rest was not read", PAGE * PAGES));
                cut = Some(Unknown { what: format!("the rest of {what}"), why, grant: None });
                break;
            }
        }
        let source = source("list", T::PLURAL, namespace);
        Fact::Known(Sourced { value: Listing { items, cut }, source })
    }

    /// The names in the first page of a list, without the objects: for completion, which shows no more.
    pub async fn names<T: Resource>(&self, namespace: Option<&str>) -> Result<Vec<String>, NoAnswer> {
        let request = path::<T>(namespace).list_metadata(&parameters(&Query::default()));
        let page: ObjectList<Value> = self.read(request).await?;
        let name = |item: Value| Some(item.pointer("/metadata/name")?.as_str()?.to_owned());
        Ok(page.items.into_iter().filter_map(name).collect())
    }

    /// Reads a document that is no resource: discovery, keys.
    pub async fn document<T: DeserializeOwned>(&self, path: &str, accept: &str) -> Result<T, NoAnswer> {
        let request = Request::get(path).header(header::ACCEPT, accept).body(Vec::new());
        self.read(request.map_err(request::Error::BuildRequest)).await
    }

    /// What an error means for a fact.
    pub fn unknown(&self, what: String, error: &NoAnswer, grant: Option<Grant>) -> Unknown {
        error.unknown(what, self.timeout.as_secs(), grant)
    }

    /// A request and what its answer holds.
    pub(crate) async fn read<T: DeserializeOwned>(&self, request: Asked) -> Result<T, NoAnswer> {
        let body = self.ask(request).await?;
        serde_json::from_slice(&body).map_err(|error| NoAnswer::Unreadable(unexpected(&error)))
    }

    /// A request and the whole body of its answer.
    pub(crate) async fn ask(&self, request: Asked) -> Result<Vec<u8>, NoAnswer> {
        let until = Instant::now() + self.timeout;
        self.within(until, request, async |request| {
            let answer = self.send(request, until).await?;
            let code = answer.status();
            let body = answer.into_body().collect_bytes().await?;
            if code.is_success() { Ok(body.to_vec()) } else { Err(NoAnswer::of_status(code, &body)) }
        })
        .await
    }

    /// A watch, whose answer has no end.
    pub(crate) async fn watch<T: Clone + DeserializeOwned + Send + 'static>(
        &self,
        request: Asked,
    ) -> Result<BoxStream<'static, Result<WatchEvent<T>, kube::Error>>, NoAnswer> {
        let until = Instant::now() + self.timeout;
        let open = async |request| Ok(self.client.request_events(request).await?.boxed());
        self.within(until, request, open).await
    }

    /// Sends a request and has its answer read before the time is up.
    async fn within<T>(
        &self,
        until: Instant,
        request: Asked,
        read: impl AsyncFnOnce(Request<Vec<u8>>) -> Result<T, NoAnswer>,
    ) -> Result<T, NoAnswer> {
        let request = request.map_err(|error| NoAnswer::Unreadable(error.to_string()))?;
        let uri = request.uri().to_string();
        if self.address.len() + uri.len() > LONGEST_URL {
            return Err(NoAnswer::Unreadable(String::from("the request is longer than a URL may be")));
        }
        let task = self.progress.start(&format!("{} {}", request.method(), uri.replace("?&", "?")));
        let answer = timeout_at(until, read(request)).await.unwrap_or(Err(NoAnswer::TimedOut));
        task.finish(answer.as_ref().map_or_else(NoAnswer::word, |_| String::from("200")));
        answer
    }

    /// Sends it. What only reads is sent again after the time that the server asks for (429, 503), if that is left.
    async fn send(&self, request: Request<Vec<u8>>, until: Instant) -> Result<Response<Body>, NoAnswer> {
        let mut retries = if request.method() == Method::GET { RETRIES } else { 0 };
        loop {
            let answer = self.client.send(request.clone().map(Body::from)).await?;
            let left = until.saturating_duration_since(Instant::now());
            match come_back(&answer).filter(|after| retries > 0 && *after < left) {
                None => return Ok(answer),
                Some(after) => sleep(after).await,
            }
            retries -= 1;
        }
    }
}

/// A request as kube makes it.
type Asked = Result<Request<Vec<u8>>, request::Error>;

/// When the server wants to be asked again.
fn come_back(answer: &Response<Body>) -> Option<Duration> {
    let busy = matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let after = answer.headers().get(header::RETRY_AFTER).filter(|_| busy)?;
    Some(Duration::from_secs(after.to_str().ok()?.parse().ok()?))
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}

fn source(verb: &str, object: impl Into<String>, namespace: Option<&str>) -> Source {
    Source::Api {
        verb: verb.to_owned(),
        object: object.into(),
        namespace: namespace.map(str::to_owned),
        field: String::new(),
    }
}

/// Where the objects of a resource are.
fn path<T: Resource>(namespace: Option<&str>) -> Path {
    let kind = GroupVersionKind::gvk(T::GROUP, T::VERSION, T::KIND);
    let kind = ApiResource::from_gvk_with_plural(&kind, T::PLURAL);
    let namespace = namespace.filter(|_| T::NAMESPACED).map(encode);
    Path::new(DynamicObject::url_path(&kind, namespace.as_deref()))
}

/// The same for a kind that is written to.
pub fn of_namespace<K: kube::Resource<DynamicType = ()>>(namespace: &str) -> Path {
    Path::new(K::url_path(&(), Some(&encode(namespace))))
}

fn parameters(query: &Query) -> ListParams {
    let labels = query.labels.as_ref().map(|labels| labels.to_query()).filter(|labels| !labels.is_empty());
    let fields: Vec<String> = query.fields.iter().map(|(field, value)| format!("{field}={value}")).collect();
    ListParams {
        label_selector: labels,
        field_selector: (!fields.is_empty()).then(|| fields.join(",")),
        limit: Some(PAGE),
        ..ListParams::default()
    }
}

/// A name in a path, which it must not become: kube takes names as they are.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// An object to send.
pub fn body(object: &impl Serialize) -> Result<Vec<u8>, NoAnswer> {
    serde_json::to_vec(object).map_err(|error| NoAnswer::Unreadable(unexpected(&error)))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1 as core;

    use super::*;
    use irsa::facts::kubernetes::{Deployment, MutatingWebhookConfiguration, Pod};

    #[test]
    fn a_name_does_not_become_a_path() {
        let of = |namespace: &str, name: &str| {
            let request = path::<Pod>(Some(namespace)).get(&encode(name), &GetParams::default());
            request.unwrap().uri().to_string()
        };
        assert_eq!(of("shop", "checkout"), "/api/v1/namespaces/shop/pods/checkout");
        assert_eq!(of("a/../b", "x?y#z%ä"), "/api/v1/namespaces/a%2F..%2Fb/pods/x%3Fy%23z%25%C3%A4");
    }

    #[test]
    fn paths_are_those_of_the_typed_objects() {
        use k8s_openapi::api::admissionregistration::v1 as admission;
        use k8s_openapi::api::apps::v1 as apps;
        assert_eq!(path::<Pod>(Some("shop")).url_path, core::Pod::url_path(&(), Some("shop")));
        assert_eq!(path::<Deployment>(None).url_path, apps::Deployment::url_path(&(), None));
        assert_eq!(
            path::<MutatingWebhookConfiguration>(Some("shop")).url_path,
            admission::MutatingWebhookConfiguration::url_path(&(), None)
        );
    }

    #[tokio::test]
    async fn an_answer_without_end_is_given_up() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server {
            address: format!("http://{}", listener.local_addr().unwrap()).parse().unwrap(),
            namespace: String::from("shop"),
            cluster: kube::config::Cluster::default(),
            user: kube::config::AuthInfo::default(),
        };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let head = "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n";
                let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
                let _ = stream.read(&mut [0; 4096]).await;
                let mut sent = stream.write_all(head.as_bytes()).await;
                while sent.is_ok() {
                    sent = stream.write_all(chunk.as_bytes()).await;
                }
            }
        });
        let minute = Duration::from_secs(60);
        let api = Api::open(server, minute, minute, Progress::silent()).await.unwrap();
        let too_long = |error| matches!(error, NoAnswer::Unreachable(words) if words.contains("limit"));
        let answer = api.document::<Value>("/version", "application/json").await;
        assert!(answer.is_err_and(too_long));
        let watched = of_namespace::<core::Pod>("shop").watch(&kube::api::WatchParams::default(), "");
        assert!(api.watch::<Value>(watched).await.is_err_and(too_long));
    }

    #[test]
    fn when_to_come_back() {
        let answer = |code: u16, after: &str| {
            let answer = Response::builder().status(code).header("Retry-After", after);
            come_back(&answer.body(Body::empty()).unwrap())
        };
        assert_eq!(answer(429, "1"), Some(Duration::from_secs(1)));
        assert_eq!(answer(503, "0"), Some(Duration::ZERO));
        assert_eq!(answer(429, &u64::MAX.to_string()), Some(Duration::from_secs(u64::MAX)));
        assert_eq!((answer(500, "1"), answer(429, "soon"), answer(200, "1")), (None, None, None));
    }
}

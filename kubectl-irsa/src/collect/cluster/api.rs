//! Requests to the Kubernetes API and their answers, each within its time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};
use http::header::{self, HeaderMap};
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use kube::Client;
use kube::api::WatchEvent;
use kube::client::Body;
use kube::core::{Request as Path, request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::access::Server;
use super::answer::{NoAnswer, unexpected};
use super::connection::{ConnectionError, connect};
use crate::collect::{Deadline, Progress};
use irsa::facts::{Grant, Unknown};

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
    pub(super) address: String,
    timeout: Duration,
    deadline: Deadline,
    progress: Progress,
    pub(super) clock: Arc<OnceLock<Timestamp>>,
}

impl Api {
    /// Signs in before the deadline; nothing is sent yet. An answer may then take as long as `timeout`, and not beyond the deadline.
    pub(crate) async fn open(
        server: Server,
        timeout: Duration,
        deadline: Deadline,
        progress: Progress,
    ) -> Result<Self, ConnectionError> {
        let clock: Arc<OnceLock<Timestamp>> = Arc::default();
        let set = Arc::clone(&clock);
        let client = connect(&server, &deadline, move |answer| {
            if let Some(time) = date(answer.headers()) {
                let _ = set.set(time);
            }
        });
        Ok(Self {
            client: client.await?,
            address: server.address.to_string(),
            timeout,
            deadline,
            progress,
            clock,
        })
    }

    /// The deadline of the run.
    pub(crate) fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// The same connection, for what must be done after the run's deadline.
    pub(crate) fn beyond_deadline(&self, limit: Duration) -> Self {
        Self { deadline: Deadline::beyond(limit), ..self.clone() }
    }

    /// Reads a document that is no resource: discovery, keys.
    pub async fn document<T: DeserializeOwned>(&self, path: &str, accept: &str) -> Result<T, NoAnswer> {
        let request = Request::get(path).header(header::ACCEPT, accept).body(Vec::new());
        self.read(request.map_err(request::Error::BuildRequest)).await
    }

    /// What an error means for a fact.
    pub fn unknown(&self, what: String, error: &NoAnswer, grant: Option<Grant>) -> Unknown {
        error.unknown(what, grant)
    }

    /// A request and what its answer holds.
    pub(crate) async fn read<T: DeserializeOwned>(&self, request: Asked) -> Result<T, NoAnswer> {
        let body = self.ask(request).await?;
        serde_json::from_slice(&body).map_err(|error| NoAnswer::Unreadable(unexpected(&error)))
    }

    /// A request and the whole body of its answer.
    pub(crate) async fn ask(&self, request: Asked) -> Result<Vec<u8>, NoAnswer> {
        let until = self.deadline.within(self.timeout);
        self.within(request, async |request| {
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
        let open = async |request| Ok(self.client.request_events(request).await?.boxed());
        self.within(request, open).await
    }

    /// Sends a request and has its answer read before the time is up.
    async fn within<T>(
        &self,
        request: Asked,
        read: impl AsyncFnOnce(Request<Vec<u8>>) -> Result<T, NoAnswer>,
    ) -> Result<T, NoAnswer> {
        let request = request.map_err(|error| NoAnswer::Unreadable(error.to_string()))?;
        let uri = request.uri().to_string();
        if self.address.len() + uri.len() > LONGEST_URL {
            return Err(NoAnswer::Unreadable(String::from("the request is too long for a URL")));
        }
        let label = format!("{} {}", request.method(), uri.replace("?&", "?"));
        let task = self.progress.start(&label);
        let label = format!("the cluster ({} {})", request.method(), request.uri().path());
        let answer = self.deadline.wait(&label, self.timeout, read(request)).await;
        let answer = answer.unwrap_or_else(|late| Err(NoAnswer::Late(late)));
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

/// Where the objects of a kind that is written to are.
pub fn of_namespace<K: kube::Resource<DynamicType = ()>>(namespace: &str) -> Path {
    Path::new(K::url_path(&(), Some(&encode(namespace))))
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
    use serde_json::Value;

    use super::*;

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
        let api = Api::open(server, minute, Deadline::beyond(minute), Progress::silent()).await.unwrap();
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

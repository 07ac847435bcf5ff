//! Requests to the Kubernetes API and their answers, each within its time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use http::header::{self, HeaderMap};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
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
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::io::StreamReader;
use zeroize::Zeroizing;

use super::access::Server;
use super::answer::{NoAnswer, unexpected};
use super::connection::{ConnectionError, connect};
use super::own::{Own, Type, decode, page};
use crate::collect::bounded::{self, Limit, TooLarge};
use crate::collect::{Deadline, Progress};
use irsa::documents::report::LARGEST;
use irsa::facts::{Grant, Unknown};

/// How often a request is sent again where the server asks to come back.
const RETRIES: usize = 3;
/// kube panics if a path and the server's URL together are longer than a URL may be, which is 64 KiB.
const LONGEST_URL: usize = 60_000;
/// All but the unreserved characters of RFC 3986, 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An error's words, and an answer that is a few fields.
const SMALL: Limit = Limit::kib(64);

/// What is asked for, by which the size of its answer is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// One object, and an event of a watch, which holds one. etcd takes 1.5 MiB of it, and JSON may need more for the same.
    Object,
    /// A page of a list: 500 objects of 64 KiB. Pods are a tenth of that.
    Page,
    /// Keys, and what is known about an issuer: STS takes at most 100 keys.
    Document,
    /// What the probe wrote.
    Report,
    /// A version, a token.
    Few,
}

impl Answer {
    fn limit(self) -> Limit {
        match self {
            Self::Object => Limit::mib(4),
            Self::Page => Limit::mib(32),
            Self::Document => Limit::mib(1),
            Self::Report => Limit(LARGEST),
            Self::Few => SMALL,
        }
    }
}

/// The server's time, as its first answer told it.
pub(super) type Clock = Arc<Mutex<Option<Timestamp>>>;

/// A connection to an API server.
#[derive(Clone)]
pub struct Api {
    client: Client,
    pub(super) address: String,
    timeout: Duration,
    deadline: Deadline,
    progress: Progress,
    pub(super) clock: Clock,
}

impl Api {
    /// Signs in before the deadline; nothing is sent yet. An answer may then take as long as `timeout`, and not beyond the deadline.
    pub(crate) async fn open(
        server: Server,
        timeout: Duration,
        deadline: Deadline,
        progress: Progress,
    ) -> Result<Self, ConnectionError> {
        let clock = Clock::default();
        let set = Arc::clone(&clock);
        let client = connect(&server, &deadline, move |answer| {
            let mut clock = set.lock().unwrap_or_else(PoisonError::into_inner);
            *clock = clock.or_else(|| date(answer.headers()));
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

    /// URL of the server.
    pub(crate) fn server(&self) -> &str {
        &self.address
    }

    /// The deadline of the run.
    pub(crate) fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// The same connection, for another try.
    pub(crate) fn anew(&self, deadline: Deadline) -> Self {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Self { deadline, ..self.clone() }
    }

    /// The same connection, for what must be done after the run's deadline.
    pub(crate) fn beyond_deadline(&self, limit: Duration) -> Self {
        Self { deadline: Deadline::beyond(limit), ..self.clone() }
    }

    /// Reads a document that is no resource: discovery, keys.
    pub async fn document<T: DeserializeOwned>(&self, path: &str, accept: &str) -> Result<T, NoAnswer> {
        let request = Request::get(path).header(header::ACCEPT, accept).body(Vec::new());
        let request = request.map_err(request::Error::BuildRequest);
        decode(&self.ask(Answer::Document, request).await?).map(Own::untyped)
    }

    /// What an error means for a fact.
    pub fn unknown(&self, what: String, error: &NoAnswer, grant: Option<Grant>) -> Unknown {
        error.unknown(what, grant)
    }

    /// A request and what its answer holds, which must be of one of these types.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        wanted: Answer,
        types: &[Type],
        request: Asked,
    ) -> Result<T, NoAnswer> {
        decode(&self.ask(wanted, request).await?)?.among(types)
    }

    /// A request and the whole body of its answer. It is wiped when it is dropped: it may hold a token.
    pub(crate) async fn ask(&self, wanted: Answer, request: Asked) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let until = self.deadline.within(self.timeout);
        let read = async |request| {
            let body = self.send(request, until).await?;
            bounded::whole(body, wanted.limit()).await.map_err(NoAnswer::of_body)
        };
        self.within(request, read).await
    }

    /// The beginning of a text.
    pub(crate) async fn ask_beginning(
        &self,
        limit: Limit,
        request: Asked,
    ) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let until = self.deadline.within(self.timeout);
        let read = async |request| Ok(bounded::beginning(self.send(request, until).await?, limit).await?);
        self.within(request, read).await
    }

    /// A watch, whose answer has no end; each of its lines has one.
    pub(crate) async fn watch<T: DeserializeOwned + Send + 'static>(
        &self,
        request: Asked,
    ) -> Result<Events<T>, NoAnswer> {
        let until = self.deadline.within(self.timeout);
        let body = self.within(request, async |request| self.send(request, until).await).await?;
        let bytes = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
        let limit = Answer::Object.limit();
        let lines = FramedRead::new(bytes, LinesCodec::new_with_max_length(limit.0));
        let event = move |line: Result<String, LinesCodecError>| match line {
            Ok(line) => {
                let line = Zeroizing::new(line);
                serde_json::from_str(&line).map_err(|error| NoAnswer::Unreadable(unexpected(&error)))
            }
            Err(LinesCodecError::MaxLineLengthExceeded) => Err(NoAnswer::of_body(TooLarge(limit).into())),
            Err(LinesCodecError::Io(error)) => Err(NoAnswer::of_body(error.into())),
        };
        Ok(lines.map(event).boxed())
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
        // On the heap: what asks many questions at once is larger than a thread's stack should have to hold.
        let answer = self.deadline.wait(&label, self.timeout, Box::pin(read(request))).await;
        let answer = answer.unwrap_or_else(|late| Err(NoAnswer::Late(late)));
        task.finish(answer.as_ref().map_or_else(NoAnswer::word, |_| String::from("200")));
        answer
    }

    /// Sends it, for the body of a good answer. What only reads is sent again after the time that the server asks for (429, 503), if that is left.
    async fn send(&self, request: Request<Vec<u8>>, until: Instant) -> Result<Body, NoAnswer> {
        let mut retries = if request.method() == Method::GET { RETRIES } else { 0 };
        loop {
            let answer = self.client.send(request.clone().map(Body::from)).await?;
            let left = until.saturating_duration_since(Instant::now());
            match come_back(&answer).filter(|after| retries > 0 && *after < left) {
                // The API server serves none where anything is asked of it.
                None if answer.status().is_success() && is_page(answer.headers()) => {
                    return Err(page());
                }
                None if answer.status().is_success() => return Ok(answer.into_body()),
                None => return Err(refused(answer).await),
                Some(after) => sleep(after).await,
            }
            retries -= 1;
        }
    }
}

/// What the server says instead of an answer. Where that has no end, the status still counts.
async fn refused(answer: Response<Body>) -> NoAnswer {
    let code = answer.status();
    match bounded::whole(answer.into_body(), SMALL).await {
        Ok(body) => NoAnswer::of_status(code, &body),
        Err(error) => match NoAnswer::of_body(error) {
            NoAnswer::Unreadable(message) => NoAnswer::Status { code, message, about_object: false },
            other => other,
        },
    }
}

/// What a watch tells.
pub(crate) type Events<T> = BoxStream<'static, Result<WatchEvent<T>, NoAnswer>>;

/// A request as kube makes it.
pub(crate) type Asked = Result<Request<Vec<u8>>, request::Error>;

/// When the server wants to be asked again.
fn come_back(answer: &Response<Body>) -> Option<Duration> {
    let busy = matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let after = answer.headers().get(header::RETRY_AFTER).filter(|_| busy)?;
    Some(Duration::from_secs(after.to_str().ok()?.parse().ok()?))
}

fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
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

    /// An API server that answers everything with this status and with a body that never ends: a JSON text, or a single line.
    async fn endless(status: &'static str) -> Api {
        let address = crate::collect::bounded::tests::endless(status).await;
        let server = Server::at(address);
        let minute = Duration::from_secs(60);
        Api::open(server, minute, Deadline::beyond(minute), Progress::silent()).await.unwrap()
    }

    fn pod() -> Asked {
        of_namespace::<core::Pod>("shop").get("checkout", &kube::api::GetParams::default())
    }

    fn watched() -> Asked {
        of_namespace::<core::Pod>("shop").watch(&kube::api::WatchParams::default(), "")
    }

    #[tokio::test]
    async fn an_answer_without_end_is_refused() {
        let api = endless("200 OK").await;
        for (wanted, size) in [
            (Answer::Object, "4 MiB"),
            (Answer::Page, "32 MiB"),
            (Answer::Document, "1 MiB"),
            (Answer::Report, "256 KiB"),
            (Answer::Few, "64 KiB"),
        ] {
            let Err(NoAnswer::Unreadable(words)) = api.ask(wanted, pod()).await else { panic!("it ended") };
            assert_eq!(words, format!("the answer is larger than {size}"));
        }
        let beginning = api.ask_beginning(Limit::mib(1), pod()).await.unwrap();
        assert_eq!(beginning.len(), 1 << 20);
        let mut events = api.watch::<Value>(watched()).await.unwrap();
        let Some(Err(NoAnswer::Unreadable(words))) = events.next().await else { panic!("it is an event") };
        assert_eq!(words, "the answer is larger than 4 MiB");
        assert!(events.next().await.is_none());
    }

    #[tokio::test]
    async fn of_an_error_without_end_the_status_counts() {
        let api = endless("403 Forbidden").await;
        for answer in
            [api.ask(Answer::Page, pod()).await.map(drop), api.watch::<Value>(watched()).await.map(drop)]
        {
            let Err(NoAnswer::Status { code, message, about_object: false }) = answer else {
                panic!("no status")
            };
            assert_eq!((code.as_u16(), message.as_str()), (403, "the answer is larger than 64 KiB"));
        }
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

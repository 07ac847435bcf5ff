//! The Kubernetes API as facts: every answer, also a refusal and a silence, becomes a [`Fact`].

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Progress;
use super::cluster::{Connection, ConnectionError, Server};
use super::token::Token;
use irsa::facts::kubernetes::resource::{Query, Resource};
use irsa::facts::kubernetes::{Meta, ServerVersion};
use irsa::facts::{Fact, Grant, Listing, Source, Sourced, Unknown, Why};

/// Objects asked for at once; what kubectl asks for.
const PAGE: usize = 500;
/// Pages read before a list is called incomplete: the newest 10,000 pods of one namespace tell enough.
const PAGES: usize = 20;
/// The largest answer that is read, in bytes. A page of 500 large pods is some 20 MB.
const LARGEST: usize = 256 * 1024 * 1024;
/// Lines read of a log.
const LOG_LINES: usize = 500;
/// Bytes read of a log.
const LOG_BYTES: usize = 1 << 20;
/// Lifetime of a token made for this run, in seconds; the API server makes none shorter.
const TOKEN_SECONDS: u32 = 600;

/// A connection to an API server.
#[derive(Clone)]
pub struct Api {
    connection: Arc<Connection>,
    address: String,
    timeout: Duration,
    progress: Progress,
    clock: Arc<OnceLock<Timestamp>>,
}

/// Why an answer could not be had.
#[derive(Debug, Clone)]
pub enum NoAnswer {
    /// The server answered, with an error.
    Status {
        /// HTTP status.
        code: StatusCode,
        /// The server's words.
        message: String,
        /// True if the message is about this very object, and not about the resource.
        about_object: bool,
    },
    /// Nothing came within the deadline.
    TimedOut,
    /// The server could not be reached, or it could not be authenticated.
    Unreachable(String),
    /// An answer came that could not be read.
    Unreadable(String),
}

impl NoAnswer {
    /// True if the server refused, so that nothing was done.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Status { code, .. } if code.is_client_error())
    }

    /// The same with the server's words changed.
    pub fn with_words(self, change: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Status { code, message, about_object } => {
                Self::Status { code, message: change(&message), about_object }
            }
            other => other,
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct StatusBody {
    message: String,
    details: Option<StatusDetails>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct StatusDetails {
    name: String,
}

/// What TokenRequest answers. No `Debug`: it holds a token.
#[derive(Deserialize)]
struct TokenAnswer {
    status: TokenStatus,
}

#[derive(Deserialize)]
struct TokenStatus {
    token: String,
}

/// One page of a list. Items are read one by one, so that a single odd object does not hide the others.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    /// Required: an answer without it is no list, and must not pass for an empty one.
    #[serde(deserialize_with = "Option::deserialize")]
    items: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PageMeta {
    r#continue: Option<String>,
}

impl Api {
    /// Signs in; nothing is sent yet.
    pub async fn open(
        server: Server,
        timeout: Duration,
        progress: Progress,
    ) -> Result<Self, ConnectionError> {
        let connection = Arc::new(Connection::open(&server).await?);
        let address = server.address.to_string();
        Ok(Self { connection, address, timeout, progress, clock: Arc::default() })
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
        let source = Source::Api {
            verb: "get".into(),
            object: "Date header".into(),
            namespace: None,
            field: String::new(),
        };
        match self.clock.get() {
            Some(time) => Fact::Known(Sourced { value: *time, source }),
            None => Fact::not_asked("the API server's clock", "no answer carried a Date header"),
        }
    }

    /// `GET /version`, which anyone may ask.
    pub async fn version(&self) -> Fact<ServerVersion> {
        let source = source("get", String::from("/version"), None);
        match self.read::<ServerVersion>("/version", "application/json").await {
            Ok(value) => Fact::Known(Sourced { value, source }),
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
                let grant = T::grant("get", namespace);
                Fact::Unknown(self.unknown(what::<T>(namespace, name), &error, Some(grant)))
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
        let path = format!("{}/{}", collection::<T>(namespace), encode(name));
        let accept = if T::METADATA_ONLY {
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
        } else {
            "application/json"
        };
        match self.read::<T>(&path, accept).await {
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

    /// Reads a list, page by page.
    pub async fn list<T: Resource>(&self, namespace: Option<&str>, query: &Query) -> Fact<Listing<T>> {
        let what = match namespace {
            Some(namespace) => format!("{} of namespace {namespace}", T::PLURAL),
            None => T::PLURAL.to_owned(),
        };
        let mut items = Vec::new();
        let mut cut = None;
        let mut next: Option<String> = None;
        for page_number in 0.. {
            let path = format!("{}?{}", collection::<T>(namespace), parameters(query, next.as_deref()));
            let page = match self.read::<Page>(&path, "application/json").await {
                Ok(page) => page,
                Err(error) if page_number == 0 => {
                    return Fact::Unknown(self.unknown(what, &error, Some(T::grant("list", namespace))));
                }
                Err(error) => {
                    cut = Some(self.unknown(format!("the rest of {what}"), &error, None));
                    break;
                }
            };
            for item in page.items.unwrap_or_default() {
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
            next = page.metadata.r#continue.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
            if page_number + 1 == PAGES {
                let why = Why::Incomplete(format!("more than {} exist; the rest was not read", PAGE * PAGES));
                cut = Some(Unknown { what: format!("the rest of {what}"), why, grant: None });
                break;
            }
        }
        Fact::Known(Sourced {
            value: Listing { items, cut },
            source: source("list", T::PLURAL.to_owned(), namespace),
        })
    }

    /// The names in the first page of a list, without the objects: for completion, which shows no more.
    pub async fn names<T: Resource>(&self, namespace: Option<&str>) -> Result<Vec<String>, NoAnswer> {
        let path = format!("{}?{}", collection::<T>(namespace), parameters(&Query::default(), None));
        let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        let page = self.read::<Page>(&path, accept).await?;
        let name = |item: serde_json::Value| Some(item.pointer("/metadata/name")?.as_str()?.to_owned());
        Ok(page.items.unwrap_or_default().into_iter().filter_map(name).collect())
    }

    /// Reads a document that is no resource: discovery, keys.
    pub async fn document<T: DeserializeOwned>(&self, path: &str, accept: &str) -> Result<T, NoAnswer> {
        self.read(path, accept).await
    }

    /// The last lines of a container's log, each with its time before it.
    pub async fn log(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
    ) -> Result<Vec<u8>, NoAnswer> {
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&previous={previous}&timestamps=true&tailLines={LOG_LINES}&limitBytes={LOG_BYTES}",
            encode(namespace),
            encode(pod),
            encode(container),
        );
        self.ask(get(&path, "*/*")).await
    }

    /// Makes a token of a service account, for one audience, bound to a pod where there is one.
    pub async fn token(
        &self,
        namespace: &str,
        service_account: &str,
        audience: &str,
        pod: Option<&Meta>,
    ) -> Result<Token, NoAnswer> {
        let bound = pod.map(
            |pod| serde_json::json!({"kind": "Pod", "apiVersion": "v1", "name": pod.name, "uid": pod.uid}),
        );
        let request = serde_json::json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [audience], "expirationSeconds": TOKEN_SECONDS, "boundObjectRef": bound},
        });
        let path = format!(
            "/api/v1/namespaces/{}/serviceaccounts/{}/token",
            encode(namespace),
            encode(service_account)
        );
        let request = Request::post(path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(request.to_string()));
        let body = self.ask(request).await?;
        let answer: TokenAnswer =
            serde_json::from_slice(&body).map_err(|error| NoAnswer::Unreadable(unexpected(&error)))?;
        Ok(Token::new(answer.status.token))
    }

    async fn read<T: DeserializeOwned>(&self, path: &str, accept: &str) -> Result<T, NoAnswer> {
        let body = self.ask(get(path, accept)).await?;
        serde_json::from_slice(&body).map_err(|error| NoAnswer::Unreadable(unexpected(&error)))
    }

    /// A request and the whole body of its answer.
    pub(super) async fn ask(&self, request: http::Result<Request<Full<Bytes>>>) -> Result<Vec<u8>, NoAnswer> {
        self.within(request, |response| async {
            let body = Limited::new(response.into_body(), LARGEST).collect().await;
            Ok(body.map_err(|error| NoAnswer::Unreachable(error.to_string()))?.to_bytes().to_vec())
        })
        .await
    }

    /// A request whose answer has no end: its body is left to the caller.
    pub(super) async fn stream(
        &self,
        request: http::Result<Request<Full<Bytes>>>,
    ) -> Result<Incoming, NoAnswer> {
        self.within(request, |response| async { Ok(response.into_body()) }).await
    }

    /// Sends a request and reads its answer before the time is up.
    async fn within<T, F: Future<Output = Result<T, NoAnswer>>>(
        &self,
        request: http::Result<Request<Full<Bytes>>>,
        read: impl FnOnce(Response<Incoming>) -> F,
    ) -> Result<T, NoAnswer> {
        let mut request = request.map_err(|error| NoAnswer::Unreadable(error.to_string()))?;
        let agent = header::HeaderValue::from_static(concat!("kubectl-irsa/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().insert(header::USER_AGENT, agent);
        let task = self.progress.start(&format!("{} {}", request.method(), request.uri()));
        let answer = async { read(self.send(request).await?).await };
        let answer = tokio::time::timeout(self.timeout, answer).await;
        let answer = answer.unwrap_or(Err(NoAnswer::TimedOut));
        task.finish(match &answer {
            Ok(_) => String::from("200"),
            Err(NoAnswer::Status { code, .. }) => code.as_u16().to_string(),
            Err(NoAnswer::TimedOut) => String::from("timed out"),
            Err(NoAnswer::Unreachable(_)) => String::from("unreachable"),
            Err(NoAnswer::Unreadable(_)) => String::from("unreadable"),
        });
        answer
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, NoAnswer> {
        let response = self.connection.send(request).await;
        let response = response.map_err(|error| NoAnswer::Unreachable(causes(&*error)))?;
        if let Some(time) = response.headers().get(header::DATE).and_then(|date| date.to_str().ok())
            && let Ok(time) = rfc2822::DateTimeParser::new().parse_timestamp(time)
        {
            let _ = self.clock.set(time);
        }
        let code = response.status();
        if code.is_success() {
            return Ok(response);
        }
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let body = body.map_err(|error| NoAnswer::Unreachable(error.to_string()))?.to_bytes();
        Err(match serde_json::from_slice::<StatusBody>(&body) {
            Ok(status) => NoAnswer::Status {
                code,
                about_object: status.details.is_some_and(|details| !details.name.is_empty()),
                message: status.message,
            },
            // Unknown API groups are answered in plain text: `404 page not found`.
            Err(_) => NoAnswer::Status {
                code,
                about_object: false,
                message: String::from_utf8_lossy(&body)
                    .chars()
                    .take(200)
                    .collect::<String>()
                    .trim()
                    .to_owned(),
            },
        })
    }

    /// What an error means for a fact.
    pub fn unknown(&self, what: String, error: &NoAnswer, grant: Option<Grant>) -> Unknown {
        match error {
            NoAnswer::Status { code: StatusCode::FORBIDDEN, message, .. } => {
                Unknown { what, why: Why::Denied(message.clone()), grant }
            }
            NoAnswer::Status { code: StatusCode::NOT_FOUND, .. } => Unknown {
                what,
                why: Why::Failed(String::from("the server does not have this resource")),
                grant: None,
            },
            NoAnswer::Status { code, message, .. } => Unknown {
                what,
                why: Why::Failed(format!("the server answered {code}: {message}")),
                grant: None,
            },
            NoAnswer::TimedOut => Unknown { what, why: Why::TimedOut(self.timeout.as_secs()), grant: None },
            NoAnswer::Unreachable(words) | NoAnswer::Unreadable(words) => {
                Unknown { what, why: Why::Failed(words.clone()), grant: None }
            }
        }
    }
}

/// A GET.
pub(super) fn get(path: &str, accept: &str) -> http::Result<Request<Full<Bytes>>> {
    Request::get(path).header(header::ACCEPT, accept).body(Full::default())
}

fn what<T: Resource>(namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{} {namespace}/{name}", T::SINGULAR),
        None => format!("{} {name}", T::SINGULAR),
    }
}

fn source(verb: &str, object: String, namespace: Option<&str>) -> Source {
    Source::Api {
        verb: verb.to_owned(),
        object,
        namespace: namespace.map(str::to_owned),
        field: String::new(),
    }
}

fn collection<T: Resource>(namespace: Option<&str>) -> String {
    let root = if T::GROUP.is_empty() {
        format!("/api/{}", T::VERSION)
    } else {
        format!("/apis/{}/{}", T::GROUP, T::VERSION)
    };
    match namespace.filter(|_| T::NAMESPACED) {
        Some(namespace) => format!("{root}/namespaces/{}/{}", encode(namespace), T::PLURAL),
        None => format!("{root}/{}", T::PLURAL),
    }
}

fn parameters(query: &Query, next: Option<&str>) -> String {
    let mut parameters = vec![format!("limit={PAGE}")];
    if let Some(labels) =
        query.labels.as_ref().map(|labels| labels.to_query()).filter(|labels| !labels.is_empty())
    {
        parameters.push(format!("labelSelector={}", encode(&labels)));
    }
    if !query.fields.is_empty() {
        let fields: Vec<String> =
            query.fields.iter().map(|(field, value)| format!("{field}={value}")).collect();
        parameters.push(format!("fieldSelector={}", encode(&fields.join(","))));
    }
    if let Some(next) = next {
        parameters.push(format!("continue={}", encode(next)));
    }
    parameters.join("&")
}

/// Percent-encodes all but unreserved characters (RFC 3986, 2.3), so that a name cannot become a path.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// What is wrong with an answer, without the answer's own words: serde repeats values, which may be secret.
pub(super) fn unexpected(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data if error.line() > 0 => {
            format!(
                "a field of another type than expected, at line {}, column {}",
                error.line(),
                error.column()
            )
        }
        serde_json::error::Category::Data => String::from("a field of another type than expected"),
        _ => format!("not JSON, at line {}, column {}", error.line(), error.column()),
    }
}

/// An error and all its causes in one line, each said once: the innermost says what happened (`Connection refused`).
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.retain(|part| !text.contains(part.as_str()));
            parts.push(text);
        }
        next = error.source();
    }
    parts.join(": ")
}

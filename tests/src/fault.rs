//! What can go wrong with an answer, whoever gives it: one place in each fake, between a request and its answer.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body;

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A status with a body that no service words.
    Status(u16),
    /// 429, with the wish to be asked again later than anybody waits.
    RetryLater,
    /// 200 and what is neither JSON nor XML.
    Malformed,
    /// The first half of the right answer.
    Truncated,
    /// 200 and a page, as captive portals and proxies send it.
    WebPage,
    /// 200 and nothing.
    Empty,
    /// 200 and `null`.
    Null,
    /// 200 and more than anybody should read.
    Oversized,
    /// The right answer, late.
    Slow,
    /// The connection ends without an answer.
    Reset,
    /// No answer.
    Silence,
    /// Elsewhere, where nobody listens.
    Redirect,
    /// Of a host: nobody listens.
    Refused,
    /// Of a host: its certificate is by a CA that nobody trusts, as a proxy shows it that opens TLS.
    OtherCa,
    /// Of a host: its certificate is another host's.
    OtherHost,
    /// Of names: there is no such name.
    NxDomain,
    /// Of names: the name server has failed.
    ServFail,
}

/// What stands before a host's name where it is named like a kind of request.
pub const HOST: &str = "host ";
/// What follows what is asked from inside a pod.
pub const IN_POD: &str = " in the pod";
/// Host names, looked up.
pub const NAMES: &str = "DNS in the pod";

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 24] = [
        Fault::Status(401),
        Fault::Status(403),
        Fault::Status(404),
        Fault::Status(409),
        Fault::Status(410),
        Fault::Status(422),
        Fault::RetryLater,
        Fault::Status(500),
        Fault::Status(503),
        Fault::Malformed,
        Fault::Truncated,
        Fault::WebPage,
        Fault::Empty,
        Fault::Null,
        Fault::Oversized,
        Fault::Slow,
        Fault::Reset,
        Fault::Silence,
        Fault::Redirect,
        Fault::Refused,
        Fault::OtherCa,
        Fault::OtherHost,
        Fault::NxDomain,
        Fault::ServFail,
    ];

    /// Whether a request of this kind, a host or a name can meet it: what a watch answers has no half, and without TLS there is no
    /// certificate.
    pub fn suits(self, kind: &str) -> bool {
        match self {
            Fault::Refused => kind.starts_with(HOST),
            Fault::OtherCa | Fault::OtherHost => kind.starts_with(HOST) && !kind.contains("http:"),
            Fault::NxDomain | Fault::ServFail => kind == NAMES,
            Fault::Empty | Fault::Silence => !kind.starts_with(HOST),
            Fault::Truncated => is_request(kind) && !kind.starts_with("watch "),
            _ => is_request(kind),
        }
    }
}

fn is_request(kind: &str) -> bool {
    !kind.starts_with(HOST) && kind != NAMES
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Status(code) => write!(f, "{code}"),
            Fault::RetryLater => f.write_str("429"),
            Fault::Malformed => f.write_str("malformed"),
            Fault::Truncated => f.write_str("truncated"),
            Fault::WebPage => f.write_str("web page"),
            Fault::Empty => f.write_str("empty"),
            Fault::Null => f.write_str("null"),
            Fault::Oversized => f.write_str("oversized"),
            Fault::Slow => f.write_str("slow"),
            Fault::Reset => f.write_str("reset"),
            Fault::Silence => f.write_str("silence"),
            Fault::Redirect => f.write_str("redirect"),
            Fault::Refused => f.write_str("refused"),
            Fault::OtherCa => f.write_str("other CA"),
            Fault::OtherHost => f.write_str("other host"),
            Fault::NxDomain => f.write_str("NXDOMAIN"),
            Fault::ServFail => f.write_str("SERVFAIL"),
        }
    }
}

/// The end of a connection without an answer.
#[derive(Debug)]
pub struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the world cuts the connection")
    }
}

impl std::error::Error for Cut {}

/// The fault of one kind of request or of one host, and those that were asked for.
#[derive(Debug, Default)]
pub struct Faults {
    struck: Mutex<Option<(String, Fault)>>,
    kinds: Mutex<BTreeSet<String>>,
}

const PAGE: &str = "<html><body><h1>Please sign in</h1></body></html>";
const OVERSIZED: usize = 24 << 20;

impl Faults {
    /// From now on every request of this kind, or every connection to this host, meets the fault.
    pub fn strike(&self, kind: &str, fault: Fault) {
        *self.struck.lock().expect("no thread panics while it holds the fault") =
            Some((kind.to_owned(), fault));
    }

    /// The kinds of requests and the hosts so far: `get pods`, `iam:GetRole`, `host iam.amazonaws.com`.
    pub fn kinds(&self) -> BTreeSet<String> {
        self.kinds.lock().expect("no thread panics while it holds the kinds").clone()
    }

    /// The fault of a host, if any.
    pub(crate) fn of_host(&self, name: &str) -> Option<Fault> {
        self.met(&format!("{HOST}{name}"))
    }

    /// The fault that a request of this kind meets, if any.
    pub(crate) fn met(&self, kind: &str) -> Option<Fault> {
        self.kinds.lock().expect("no thread panics while it holds the kinds").insert(kind.to_owned());
        let struck = self.struck.lock().expect("no thread panics while it holds the fault");
        struck.as_ref().filter(|(struck, _)| struck == kind).map(|(_, fault)| *fault)
    }

    /// The answer to a request of this kind, or what the fault makes of it.
    pub(crate) async fn between<B>(
        &self,
        kind: &str,
        answer: impl Future<Output = Result<Response<B>, Cut>>,
        own: impl Fn(Full<Bytes>) -> B,
    ) -> Result<Response<B>, Cut>
    where
        B: Body<Data = Bytes>,
        B::Error: Debug,
    {
        let Some(fault) = self.met(kind) else { return answer.await };
        let say = |status, content_type, text: String| {
            let response = Response::builder().status(status).header(CONTENT_TYPE, content_type);
            (response, text)
        };
        let (response, text) = match fault {
            Fault::Status(code) => say(code, "text/plain", format!("fault {code}")),
            Fault::RetryLater => {
                let (response, text) = say(429, "text/plain", "fault 429".to_owned());
                (response.header(RETRY_AFTER, "3600"), text)
            }
            Fault::Malformed => say(200, "application/json", "{\"kind\": [<".to_owned()),
            Fault::WebPage => say(200, "text/html", PAGE.to_owned()),
            Fault::Empty => say(200, "application/json", String::new()),
            Fault::Null => say(200, "application/json", "null".to_owned()),
            Fault::Oversized => say(200, "application/json", " ".repeat(OVERSIZED)),
            Fault::Redirect => {
                let (response, text) = say(302, "text/html", PAGE.to_owned());
                (response.header(LOCATION, "https://127.0.0.1:9/"), text)
            }
            Fault::Reset => return Err(Cut),
            // These come before the request.
            Fault::Refused | Fault::OtherCa | Fault::OtherHost | Fault::NxDomain | Fault::ServFail => {
                return answer.await;
            }
            Fault::Silence => std::future::pending().await,
            Fault::Slow => {
                tokio::time::sleep(Duration::from_millis(500)).await;
                return answer.await;
            }
            Fault::Truncated => {
                let (head, body) = answer.await?.into_parts();
                let whole = body.collect().await.expect("fakes can read their own answers").to_bytes();
                let half = whole.slice(..whole.len() / 2);
                return Ok(Response::from_parts(head, own(Full::new(half))));
            }
        };
        Ok(response.body(own(Full::new(Bytes::from(text)))).expect("all header values are plain ASCII"))
    }
}

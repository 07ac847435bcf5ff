//! HTTPS to the world outside the cluster: AWS's endpoints and the issuer. One client for all, with the proxies of the
//! environment and the certificate authorities of the machine, or those of `AWS_CA_BUNDLE`, as the AWS CLI has it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::bounded::{self, Limit};
use super::{Deadline, Late, Progress, Surroundings};

/// A larger answer is not an issuer's document. STS itself reads at most 100 keys.
const LARGEST_DOCUMENT: Limit = Limit::mib(1);
/// An answer of AWS: pages have at most some thousand lines, a role's policies some 100 KiB.
const LARGEST_ANSWER: Limit = Limit::mib(4);
/// More than any list of certificate authorities.
const LARGEST_BUNDLE: Limit = Limit::mib(16);

/// What a web page in the place of an answer shows.
pub const BETWEEN: &str = "a proxy or a captive portal stands between";

/// True if a body is a web page, which no service that is asked here answers with: what stands between does.
pub fn is_page(body: &[u8]) -> bool {
    let start = body.get(..body.len().min(512)).unwrap_or_default().to_ascii_lowercase();
    [&b"<!doctype html"[..], b"<html"].iter().any(|tag| start.windows(tag.len()).any(|part| part == *tag))
}

/// The client cannot be made.
#[derive(Debug, Error)]
pub enum WebError {
    /// The file of `AWS_CA_BUNDLE` cannot be read.
    #[error("AWS_CA_BUNDLE: cannot read {}: {cause}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: bounded::FileError,
    },
    /// It holds no certificate, or a damaged one.
    #[error("AWS_CA_BUNDLE: {} contains no PEM certificates", .0.display())]
    NoCertificates(PathBuf),
    /// The TLS library refuses them.
    #[error("the trusted certificates cannot be used: {0}")]
    Tls(String),
}

/// A client for HTTPS.
#[derive(Clone)]
pub struct Web {
    connector: SharedHttpConnector,
    timeout: Duration,
    deadline: Deadline,
    progress: Progress,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// Nothing came in time.
    Late(Late),
    /// The host name does not exist.
    NoSuchHost,
    /// The server's certificate does not chain to one that this machine trusts, or is for another name.
    Untrusted(String),
    /// Anything else.
    Unreachable(String),
}

impl Web {
    /// Sets the client up; nothing is sent yet. An answer may take as long as `timeout`, and not beyond the deadline.
    pub fn new(surroundings: &Surroundings, timeout: Duration, deadline: Deadline) -> Result<Self, WebError> {
        let trusted = match &surroundings.ca_bundle {
            // The bundle replaces the machine's, as in the AWS CLI.
            Some(path) => TrustStore::empty().with_pem_certificate(bundle(path)?),
            None => TrustStore::default(),
        };
        let context = TlsContext::builder().with_trust_store(trusted).build();
        let context = context.map_err(|error| WebError::Tls(error.to_string()))?;
        let connector = Connector::builder()
            .proxy_config(surroundings.proxy.clone())
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context)
            .build();
        Ok(Self {
            connector: SharedHttpConnector::new(connector),
            timeout,
            deadline,
            progress: surroundings.progress.clone(),
        })
    }

    /// The same client for the AWS SDK: it shares the connections.
    pub fn for_sdk(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Bounded(self.connector.clone()));
        http_client_fn(move |_, _| connector.clone())
    }

    /// When an answer that is asked for now must be here.
    pub fn until(&self) -> Instant {
        self.deadline.within(self.timeout)
    }

    /// Waits for an answer of AWS, telling the user what is waited for.
    pub async fn within<T>(&self, what: &str, answer: impl Future<Output = T>) -> Result<T, Late> {
        // The issuer is named by its URL.
        let from = if what.contains("://") { what.to_owned() } else { format!("AWS ({what})") };
        let task = self.progress.start(what);
        let answer = self.deadline.wait(&from, self.timeout, answer).await;
        task.finish(if answer.is_ok() { "answered" } else { "timed out" });
        answer
    }

    /// `GET`; redirections are not followed, because STS does not say that it follows them.
    pub async fn get(&self, url: &str) -> Result<Answer, Silence> {
        let answer = self.within(url, self.send(url)).await;
        answer.unwrap_or_else(|late| Err(Silence::Late(late)))
    }

    async fn send(&self, url: &str) -> Result<Answer, Silence> {
        let mut request = HttpRequest::get(url).map_err(|error| Silence::Unreachable(error.to_string()))?;
        request.headers_mut().insert("accept", "application/json, application/jwk-set+json");
        request.headers_mut().insert("user-agent", concat!("kubectl-irsa/", env!("CARGO_PKG_VERSION")));
        let response = self.connector.call(request).await.map_err(|error| silence(&error))?;
        let status = response.status().as_u16();
        let body = bounded::whole(response.into_body(), LARGEST_DOCUMENT).await;
        Ok(Answer { status, body: body.map_err(|error| Silence::Unreachable(error.to_string()))? })
    }
}

/// The SDK reads whole answers, whatever their size.
#[derive(Debug)]
struct Bounded(SharedHttpConnector);

impl HttpConnector for Bounded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async {
            let bounded = |body| SdkBody::from_body_1_x(bounded::body(body, LARGEST_ANSWER));
            Ok(answer.await?.map(bounded))
        })
    }
}

fn bundle(path: &Path) -> Result<Vec<u8>, WebError> {
    let pem = match bounded::file(path, LARGEST_BUNDLE) {
        Ok(mut pem) => std::mem::take(&mut *pem),
        Err(cause) => return Err(WebError::Unreadable { path: path.to_owned(), cause }),
    };
    // The SDK's client panics on what it cannot read.
    let usable = der_of(&pem)
        .is_some_and(|all| all.iter().all(|der| x509_parser::parse_x509_certificate(der).is_ok()));
    if usable { Ok(pem) } else { Err(WebError::NoCertificates(path.to_owned())) }
}

/// The certificates of a PEM bundle; `None` if there is none or one is damaged.
fn der_of(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty())
}

/// Why a connection failed, from the error and its causes.
pub fn silence(error: &(dyn std::error::Error + 'static)) -> Silence {
    let mut innermost = error.to_string();
    let mut by_proxy = false;
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        // An io::Error gives the error that it wraps only by `get_ref`.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = wrapped
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            .or_else(|| error.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::InvalidCertificate(why)) = tls {
            return Silence::Untrusted(why.to_string());
        }
        innermost = error.to_string();
        by_proxy |= innermost.starts_with("tunnel error");
        next = error.source();
    }
    // The words of the resolvers of Linux (glibc, musl), macOS and Windows for a name that does not exist.
    const NO_SUCH_HOST: [&str; 4] =
        ["Name or service not known", "Name does not resolve", "nodename nor servname", "No such host"];
    match by_proxy {
        // Then it is the proxy that was not reached, or that refused.
        true => Silence::Unreachable(format!("the environment's proxy: {innermost}")),
        false if NO_SUCH_HOST.iter().any(|known| innermost.contains(known)) => Silence::NoSuchHost,
        false => Silence::Unreachable(innermost),
    }
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region, SdkConfig};

    use super::*;
    use crate::collect::bounded::tests::endless;
    use crate::collect::causes;

    fn web() -> Web {
        let surroundings = Surroundings::of_process(Progress::silent());
        let minute = Duration::from_secs(60);
        Web::new(&surroundings, minute, Deadline::beyond(minute)).unwrap()
    }

    #[tokio::test]
    async fn a_document_without_end_is_refused() {
        let answer = web().get(&format!("http://{}", endless("200 OK").await)).await;
        assert_eq!(
            answer.unwrap_err(),
            Silence::Unreachable(String::from("the answer is larger than 1 MiB"))
        );
    }

    #[tokio::test]
    async fn an_answer_of_aws_without_end_is_refused() {
        for status in ["200 OK", "403 Forbidden"] {
            let config = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .http_client(web().for_sdk())
                .region(Region::new("eu-west-1"))
                .endpoint_url(format!("http://{}", endless(status).await))
                .build();
            let client = aws_sdk_sts::Client::new(&config);
            let call = client.assume_role_with_web_identity().role_arn("r").role_session_name("s");
            let error = call.web_identity_token("t").send().await.unwrap_err();
            let words = causes(&error);
            assert!(words.contains("the answer is larger than 4 MiB"), "{words}");
        }
    }
}

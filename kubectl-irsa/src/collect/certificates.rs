//! The certificates that a server sends, seen as IAM sees them: what the chain is, and whether a public authority signed it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use serde::Serialize;
use thiserror::Error;
use tower::Service;

use super::causes;
use super::cluster::by_environment;

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chain {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// In the order in which they are sent: the server's own first.
    pub certificates: Vec<Certificate>,
    /// Why it is not signed by a public CA; `None` if it is. Mozilla's list stands in for IAM's, which is not published.
    pub not_public: Option<String>,
    /// What is wrong with it then.
    #[serde(skip)]
    pub flaw: Option<Flaw>,
}

/// Why a chain cannot be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Its authority is not one of the public ones.
    Authority,
    /// It is not valid at this time, by this machine's clock.
    Date,
    /// It is for another name, or cannot be read.
    Other,
}

impl Flaw {
    fn of(error: &rustls::Error) -> Self {
        use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext, UnknownIssuer};
        match error {
            rustls::Error::InvalidCertificate(UnknownIssuer) => Self::Authority,
            rustls::Error::InvalidCertificate(
                Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
            ) => Self::Date,
            _ => Self::Other,
        }
    }
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// Whom it is for.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Valid from.
    pub not_before: Option<Timestamp>,
    /// Valid until.
    pub not_after: Option<Timestamp>,
    /// SHA-1 of the whole certificate, 40 hex digits: IAM's thumbprint.
    pub sha1: String,
}

impl Chain {
    /// The certificate that IAM means by "top intermediate": the last one that the server sends (IAM user guide, "Obtain the
    /// thumbprint for an OpenID Connect identity provider").
    pub fn top(&self) -> Option<&Certificate> {
        self.certificates.last()
    }

    /// Who vouches for it: the signer of the last one.
    pub fn authority(&self) -> &str {
        self.top().map_or("(no certificate)", |top| &top.issuer)
    }
}

/// The chain could not be read.
#[derive(Debug, Error)]
pub enum CertificatesError {
    /// The address is none.
    #[error("{0} is not a host and port")]
    Address(String),
    /// Not connected.
    #[error("cannot connect to {host}: {cause}")]
    Connect {
        /// The host.
        host: String,
        /// What happened.
        cause: String,
    },
    /// Connected, but no TLS.
    #[error("{host} does not complete a TLS handshake: {cause}")]
    Handshake {
        /// The host.
        host: String,
        /// What happened.
        cause: String,
    },
    /// Nothing in time.
    #[error("no answer from {host} within {seconds} s")]
    TimedOut {
        /// The host.
        host: String,
        /// The deadline.
        seconds: u64,
    },
}

/// Connects, through the environment's proxy if there is one, and keeps what the server sends. Nothing is asked of it.
pub async fn chain(host: &str, port: u16, timeout: Duration) -> Result<Chain, CertificatesError> {
    let within = tokio::time::timeout(timeout, handshake(host, port)).await;
    within.unwrap_or_else(|_| {
        Err(CertificatesError::TimedOut { host: host.to_owned(), seconds: timeout.as_secs() })
    })
}

async fn handshake(host: &str, port: u16) -> Result<Chain, CertificatesError> {
    let address = || CertificatesError::Address(format!("{host}:{port}"));
    let destination: Uri = format!("https://{host}:{port}").parse().map_err(|_| address())?;
    let name = ServerName::try_from(host.to_owned()).map_err(|_| address())?;
    let connect = |cause: &dyn std::fmt::Display| CertificatesError::Connect {
        host: host.to_owned(),
        cause: cause.to_string(),
    };

    let mut dial = by_environment(&destination).map_err(|error| connect(&error))?;
    let stream = dial.call(destination).await.map_err(|error| connect(&causes(&*error)))?;

    let witness = Arc::new(Witness::new().map_err(|cause| connect(&cause))?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| connect(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let shaken = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, TokioIo::new(stream)).await;
    let seen = witness.seen.lock().ok().and_then(|mut seen| seen.take());
    match (seen, shaken) {
        // What was sent counts, also if the handshake failed after it.
        (Some((certificates, error)), _) => {
            let flaw = error.as_ref().map(Flaw::of);
            let not_public = error.map(|error| match error {
                rustls::Error::InvalidCertificate(why) => why.to_string(),
                other => other.to_string(),
            });
            Ok(Chain { host: host.to_owned(), port, certificates, not_public, flaw })
        }
        (None, Err(error)) => {
            Err(CertificatesError::Handshake { host: host.to_owned(), cause: causes(&error) })
        }
        (None, Ok(_)) => Err(CertificatesError::Handshake {
            host: host.to_owned(),
            cause: String::from("the server sent no certificate"),
        }),
    }
}

/// Writes down what the server sends, and accepts it: nothing is trusted with anything over this connection.
#[derive(Debug)]
struct Witness {
    public: Arc<WebPkiServerVerifier>,
    seen: Mutex<Option<(Vec<Certificate>, Option<rustls::Error>)>>,
}

impl Witness {
    fn new() -> Result<Self, String> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let public = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Ok(Self { public: public.map_err(|error| error.to_string())?, seen: Mutex::default() })
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.public.verify_server_cert(end_entity, intermediates, server_name, ocsp, now);
        let certificates = std::iter::once(end_entity).chain(intermediates).map(certificate).collect();
        if let Ok(mut seen) = self.seen.lock() {
            *seen = Some((certificates, verdict.err()));
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.public.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.public.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.public.supported_verify_schemes()
    }
}

fn certificate(der: &CertificateDer<'_>) -> Certificate {
    // For no security: IAM names certificates by it.
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, der);
    let sha1: String = sha1.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let time = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    match x509_parser::parse_x509_certificate(der) {
        Ok((_, parsed)) => Certificate {
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            not_before: time(parsed.validity().not_before),
            not_after: time(parsed.validity().not_after),
            sha1,
        },
        Err(_) => Certificate {
            subject: String::from("(cannot be read)"),
            issuer: String::from("(cannot be read)"),
            not_before: None,
            not_after: None,
            sha1,
        },
    }
}

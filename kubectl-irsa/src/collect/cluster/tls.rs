//! TLS towards the API server: whom to trust, and with which certificate to come.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;
use thiserror::Error;
use zeroize::Zeroizing;

use super::kubeconfig::Cluster;
use super::sign_in::Identity;

/// Certificates or a key that cannot be used.
#[derive(Debug, Error)]
pub enum PemError {
    /// A file cannot be read.
    #[error("cannot read {path}: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's words.
        cause: std::io::Error,
    },
    /// What stands in the kubeconfig is not base64.
    #[error("a certificate or key in the kubeconfig is not base64")]
    Base64,
    /// There is none, or a damaged one.
    #[error("{0} holds no certificate in PEM, or a damaged one")]
    NoCertificate(String),
    /// There is none, or a damaged one.
    #[error("the client's key is not a private key in PEM")]
    NoKey,
    /// A certificate without a key, or the other way round.
    #[error("the client's certificate and its key must both be there")]
    Half,
}

/// PEM that stands in the kubeconfig, in base64, or in a file that it names; `None` if there is neither.
pub fn pem_of(data: &str, path: &str) -> Result<Option<Zeroizing<Vec<u8>>>, PemError> {
    if !data.is_empty() {
        let decoded = STANDARD.decode(data).map_err(|_| PemError::Base64)?;
        return Ok(Some(Zeroizing::new(decoded)));
    }
    if path.is_empty() {
        return Ok(None);
    }
    let read = std::fs::read(path).map_err(|cause| PemError::Unreadable { path: path.to_owned(), cause })?;
    Ok(Some(Zeroizing::new(read)))
}

/// The client's certificate and key, each as (data, file).
pub fn identity(certificate: (&str, &str), key: (&str, &str)) -> Result<Option<Identity>, PemError> {
    match (pem_of(certificate.0, certificate.1)?, pem_of(key.0, key.1)?) {
        (Some(certificate), Some(key)) => identity_of_pem(&certificate, &key).map(Some),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(PemError::Half),
    }
}

/// The client's certificate and key.
pub fn identity_of_pem(certificate: &[u8], key: &[u8]) -> Result<Identity, PemError> {
    let chain = certificates(certificate, "the client's certificate")?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| PemError::NoKey)?;
    Ok((chain, key))
}

/// The certificates of a PEM text; at least one.
fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(|| PemError::NoCertificate(what.to_owned()))
}

/// TLS cannot be set up.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A certificate or key.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The machine's authorities, or the client's key.
    #[error("{0}")]
    Rustls(#[from] rustls::Error),
}

/// TLS towards a cluster.
pub fn of_cluster(cluster: &Cluster, identity: Option<Identity>) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions()?;
    let builder = if cluster.insecure_skip_tls_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
    } else {
        match pem_of(&cluster.certificate_authority_data, &cluster.certificate_authority)? {
            Some(pem) => builder.with_root_certificates(authorities(&pem)?),
            None => builder.with_platform_verifier()?,
        }
    };
    Ok(match identity {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    })
}

/// TLS that the machine's authorities vouch for.
pub fn of_system() -> Result<ClientConfig, TlsError> {
    of_cluster(&Cluster::default(), None)
}

/// TLS for where there will be none.
pub fn unused() -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(pem, "the cluster's certificate authority")? {
        store.add(certificate)?;
    }
    Ok(store)
}

/// `--insecure-skip-tls-verify`: whoever answers is believed, as long as it holds the key of its own certificate.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

//! TLS, with an eye on the certificate that is not accepted.

use super::issuer;
use super::timed::Timed;
use crate::deadline::millis;
use irsa_probe::{Fault, FaultKind, Tls};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, StreamOwned,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Whose certificates are accepted.
pub struct Trust {
    /// The file of the application's settings, where to read it, and its variable.
    pub bundle: Option<Bundle>,
}

/// A file with authorities that replace the probe's own.
pub struct Bundle {
    /// As the report names it.
    pub name: String,
    /// Where it is, if it was found.
    pub path: Result<PathBuf, Fault>,
}

/// A handshake: what was seen, and the connection if it succeeded.
pub fn handshake(
    mut stream: Timed,
    host: &str,
    trust: &Trust,
) -> (Tls, Result<StreamOwned<ClientConnection, Timed>, Fault>) {
    let start = Instant::now();
    let mut seen = Tls::default();
    let roots = roots(trust, &mut seen);
    let certificate = Certificate::default();
    let mut result = client(host, roots, certificate.clone()).and_then(|mut client| {
        while client.is_handshaking() {
            client.complete_io(&mut stream).map_err(fault)?;
        }
        Ok(client)
    });
    seen.millis = millis(start);
    (seen.issuer, seen.subject) = certificate.names();
    match &mut result {
        Ok(client) => seen.version = client.protocol_version().map(|version| format!("{version:?}")),
        Err(fault) => seen.fault = Some(fault.clone()),
    }
    (seen, result.map(|client| StreamOwned::new(client, stream)))
}

fn client(host: &str, roots: RootCertStore, certificate: Certificate) -> Result<ClientConnection, Fault> {
    let name =
        ServerName::try_from(host.to_owned()).map_err(|error| Fault::new(FaultKind::Invalid, error))?;
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier { roots: Arc::new(roots), provider: provider.clone(), certificate };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(classify)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), name).map_err(classify)
}

/// The authorities of the bundle if they can be read, else those that Mozilla trusts: an image from scratch has no files.
fn roots(trust: &Trust, seen: &mut Tls) -> RootCertStore {
    if let Some(bundle) = &trust.bundle {
        seen.bundle = Some(bundle.name.clone());
        match bundle.path.clone().and_then(|path| read_bundle(&path)) {
            Ok(roots) => return roots,
            Err(fault) => seen.bundle_fault = Some(fault),
        }
    }
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

fn read_bundle(path: &Path) -> Result<RootCertStore, Fault> {
    // A pipe or a device would hang.
    if !std::fs::metadata(path)?.is_file() {
        return Err(Fault::new(FaultKind::WrongFileType, "not a regular file"));
    }
    let content = std::fs::read(path)?;
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(&content).filter_map(Result::ok);
    match roots.add_parsable_certificates(certificates) {
        (0, _) => Err(Fault::new(FaultKind::Invalid, "no certificate in it")),
        _ => Ok(roots),
    }
}

fn fault(error: std::io::Error) -> Fault {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => classify(error.clone()),
        None => error.into(),
    }
}

fn classify(error: Error) -> Fault {
    let kind = match error {
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented => FaultKind::Certificate,
        _ => FaultKind::Tls,
    };
    Fault::new(kind, error)
}

/// The server's certificate.
#[derive(Debug, Clone, Default)]
struct Certificate(Arc<Mutex<Option<CertificateDer<'static>>>>);

impl Certificate {
    fn keep(&self, certificate: &CertificateDer<'_>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate.clone().into_owned());
    }

    /// Its issuer and its subject.
    fn names(&self) -> (Option<String>, Option<String>) {
        let certificate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let parsed = certificate.as_ref().and_then(|der| webpki::EndEntityCert::try_from(der).ok());
        let Some(parsed) = parsed else { return (None, None) };
        (issuer::name(parsed.issuer()), issuer::name(parsed.subject()))
    }
}

/// Judges as rustls does, and keeps the certificate.
#[derive(Debug)]
struct Verifier {
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    certificate: Certificate,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.certificate.keep(end_entity);
        WebPkiServerVerifier::builder_with_provider(self.roots.clone(), self.provider.clone())
            .build()
            .map_err(|error| Error::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

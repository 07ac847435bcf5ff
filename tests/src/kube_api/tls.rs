//! A private CA per process, the server's certificate, and a client certificate.

use crate::aws::tls::interceptor_ca;
use crate::certificates::{Ca, authority, client_params, private_key, server_params};
use rcgen::KeyPair;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use std::sync::{Arc, OnceLock};

/// The CA and what it signed.
pub struct Authority {
    /// The CA's certificate.
    pub ca_pem: String,
    /// The server's TLS configuration.
    pub server: Arc<ServerConfig>,
    /// The same with a certificate for another host.
    pub misnamed: Arc<ServerConfig>,
    /// The same with a certificate of another CA.
    pub strange: Arc<ServerConfig>,
    /// A client certificate that the server accepts.
    pub client_pem: String,
    /// Its private key.
    pub client_key_pem: String,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl Authority {
    /// The CA of this process.
    pub fn of_process() -> &'static Authority {
        static AUTHORITY: OnceLock<Authority> = OnceLock::new();
        AUTHORITY.get_or_init(|| Authority::new().expect("fixed certificate parameters are valid"))
    }

    fn new() -> Result<Authority, Box<dyn std::error::Error>> {
        let ca = authority("fake kubernetes ca")?;
        let (server_key, client_key) = (KeyPair::generate()?, KeyPair::generate()?);
        let client = client_params("oncall")?.signed_by(&client_key, &ca)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = verifier(ca.der().clone(), &provider)?;
        let configuration = |names: &[&str], ca: &Ca| -> Result<_, Box<dyn std::error::Error>> {
            let server = server_params("kube-apiserver", names)?.signed_by(&server_key, ca)?;
            let mut config = ServerConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()?
                .with_client_cert_verifier(Arc::new(Lenient(verifier.clone())))
                .with_single_cert(vec![server.der().clone()], private_key(&server_key))?;
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Ok(Arc::new(config))
        };
        let names = ["127.0.0.1", "::1", "localhost"];
        Ok(Authority {
            ca_pem: ca.pem(),
            server: configuration(&names, &ca)?,
            misnamed: configuration(&["elsewhere.example"], &ca)?,
            strange: configuration(&names, interceptor_ca())?,
            client_pem: client.pem(),
            client_key_pem: client_key.serialize_pem(),
            verifier,
        })
    }

    /// Whether this CA signed the client's certificate.
    pub fn accepts(&self, chain: &[CertificateDer<'_>]) -> bool {
        let Some((leaf, intermediates)) = chain.split_first() else { return false };
        self.verifier.verify_client_cert(leaf, intermediates, UnixTime::now()).is_ok()
    }
}

fn verifier(
    ca: CertificateDer<'static>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Box<dyn std::error::Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(ca)?;
    Ok(WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()?)
}

/// Lets every certificate through the handshake: like a real API server, which answers a stranger's certificate with
/// 401 and not with a TLS alert. [`Authority::accepts`] decides afterwards.
#[derive(Debug)]
struct Lenient(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Lenient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

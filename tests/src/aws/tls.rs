//! Certificates: one CA that everyone trusts, and a private one that only a thumbprint makes trustworthy.

use crate::certificates::{Ca, authority, private_key, server_params};
use rcgen::KeyPair;
use ring::digest;
use rustls::ServerConfig;
use std::sync::{Arc, OnceLock};

/// The CA in `AWS_CA_BUNDLE`.
pub fn public_ca() -> &'static Ca {
    static CA: OnceLock<Ca> = OnceLock::new();
    CA.get_or_init(|| authority("fake public ca").expect("fixed certificate parameters are valid"))
}

/// The CA of self-hosted issuers.
pub fn private_ca() -> &'static Ca {
    static CA: OnceLock<Ca> = OnceLock::new();
    CA.get_or_init(|| authority("fake private ca").expect("fixed certificate parameters are valid"))
}

/// The CA of a proxy that opens TLS.
pub fn interceptor_ca() -> &'static Ca {
    static CA: OnceLock<Ca> = OnceLock::new();
    CA.get_or_init(|| authority("fake interceptor ca").expect("fixed certificate parameters are valid"))
}

/// The SHA-1 of the private CA's certificate, as IAM stores thumbprints.
pub fn private_ca_thumbprint() -> &'static str {
    static THUMBPRINT: OnceLock<String> = OnceLock::new();
    THUMBPRINT.get_or_init(|| {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, private_ca().der());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    })
}

/// The TLS configuration of one host. The chain holds the CA too, as chains for which thumbprints are made do.
pub fn server_config(host: &str, ca: &Ca) -> Arc<ServerConfig> {
    let key = KeyPair::generate().expect("the system has random numbers");
    let leaf = server_params(host, &[host]).and_then(|params| params.signed_by(&key, ca));
    let leaf = leaf.expect("a host name makes a valid certificate");
    let chain = vec![leaf.der().clone(), ca.der().clone()];
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_no_client_auth()
        .with_single_cert(chain, private_key(&key))
        .expect("the key fits the certificate");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

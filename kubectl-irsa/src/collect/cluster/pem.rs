//! PEM certificates and keys, from the kubeconfig, a file, or an exec plugin.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::SecretString;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::collect::bounded::{self, FileError, Limit};

/// The largest file of certificates or of a key: the authorities of a whole machine are a quarter of it.
const LARGEST: Limit = Limit::mib(1);

/// Certificates or a key that cannot be used. Nothing of them is repeated; the PEM reader's own words hold whole lines.
#[derive(Debug, Error)]
pub enum PemError {
    #[error("cannot read {path}: {cause}")]
    Unreadable { path: String, cause: FileError },
    #[error("a certificate or key in the kubeconfig is not base64")]
    Base64,
    #[error("{0} contains no PEM certificate, or a damaged one")]
    NoCertificate(&'static str),
    #[error("the client's key is not a PEM private key")]
    NoKey,
    #[error("the client certificate and its key must both be given")]
    Half,
}

/// The inline value, in base64, or else the file's; `None` if there is neither. Read once: a file may be a pipe.
pub async fn read(data: Option<&str>, path: Option<&String>) -> Result<Option<Zeroizing<Vec<u8>>>, PemError> {
    Ok(match (data, path) {
        (Some(data), _) => Some(Zeroizing::new(STANDARD.decode(data).map_err(|_| PemError::Base64)?)),
        (None, Some(path)) => {
            let read = bounded::file_meanwhile(path, LARGEST).await;
            Some(read.map_err(|cause| PemError::Unreadable { path: path.clone(), cause })?)
        }
        (None, None) => None,
    })
}

/// The certificates of a PEM text; at least one.
pub fn certificates(pem: &[u8], whose: &'static str) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or(PemError::NoCertificate(whose))
}

/// PEM as a kubeconfig has it in place.
pub fn encoded(pem: &[u8]) -> String {
    STANDARD.encode(pem)
}

/// A client's certificates and key, as a kubeconfig has them in place: PEM in base64.
pub struct Identity {
    pub certificate: String,
    pub key: SecretString,
}

impl Identity {
    /// Both, or neither. Each may be among other things, and often both are in one file, which kube would take for two chains.
    pub fn of(certificate: Option<&[u8]>, key: Option<&[u8]>) -> Result<Option<Self>, PemError> {
        let (certificate, key) = match (certificate, key) {
            (Some(certificate), Some(key)) => (certificate, key),
            (None, None) => return Ok(None),
            (Some(_), None) | (None, Some(_)) => return Err(PemError::Half),
        };
        let chain = certificates(certificate, "the client's certificate")?;
        let chain: String = chain.iter().map(|der| section("CERTIFICATE", der)).collect();
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| PemError::NoKey)?;
        let label = match &key {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        let pem = Zeroizing::new(section(label, key.secret_der()));
        let key = encoded(pem.as_bytes()).into();
        Ok(Some(Self { certificate: encoded(chain.as_bytes()), key }))
    }
}

fn section(label: &str, der: &[u8]) -> String {
    let der = Zeroizing::new(STANDARD.encode(der));
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", *der)
}

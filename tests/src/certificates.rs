//! Certificates for the fakes' TLS.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate authority with its key.
pub type Ca = CertifiedIssuer<'static, KeyPair>;

/// A self-signed authority with a fresh key.
pub fn authority(name: &str) -> Result<Ca, rcgen::Error> {
    let mut params = named(name, Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

/// What a server's certificate says; `hosts` are the names it is valid for.
pub fn server_params(name: &str, hosts: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = named(name, hosts.iter().map(|host| (*host).to_owned()).collect())?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// What a client's certificate says.
pub fn client_params(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = named(name, Vec::new())?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

/// A key as rustls wants it.
pub fn private_key(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()))
}

fn named(name: &str, hosts: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

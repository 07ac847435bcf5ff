//! Certificate bundles, and whether the webhook's registration trusts the CA that signs for the cluster now.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use x509_parser::pem::Pem;

use crate::facts::{Fact, Facts, Source, Unknown};

/// One certificate of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate itself.
    der: Vec<u8>,
    /// Subject and public key, raw: a CA that was renewed with the same key is the same authority.
    authority: (Vec<u8>, Vec<u8>),
    /// The subject, as text from the cluster.
    pub subject: String,
    /// Start of its validity.
    pub not_before: Option<Timestamp>,
    /// End of its validity.
    pub not_after: Option<Timestamp>,
}

impl Certificate {
    fn parse(der: Vec<u8>) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).ok()?;
        let time = |seconds: i64| Timestamp::from_second(seconds).ok();
        let authority = (parsed.subject().as_raw().to_vec(), parsed.public_key().raw.to_vec());
        let subject = parsed.subject().to_string();
        let not_before = time(parsed.validity().not_before.timestamp());
        let not_after = time(parsed.validity().not_after.timestamp());
        Some(Self { authority, subject, not_before, not_after, der })
    }

    /// True if both belong to the same signer.
    pub fn same_authority(&self, other: &Self) -> bool {
        self.der == other.der || self.authority == other.authority
    }

    /// True if it is known to be past its validity.
    pub fn expired(&self, now: Option<Timestamp>) -> bool {
        now.zip(self.not_after).is_some_and(|(now, end)| end < now)
    }

    /// Subject and validity; CAs of one cluster differ only in the latter.
    pub fn shown(&self) -> String {
        let day = |time: Option<Timestamp>| {
            time.map_or_else(|| String::from("?"), |time| time.to_string().chars().take(10).collect())
        };
        let subject = if self.subject.is_empty() { "(no subject)" } else { &self.subject };
        format!("{subject}, valid {} to {}", day(self.not_before), day(self.not_after))
    }
}

/// Why a text is not a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleProblem {
    /// Nothing in it.
    Empty,
    /// Not base64.
    NotBase64,
    /// No PEM block that is a certificate.
    NoCertificate,
}

impl BundleProblem {
    /// The problem as the end of the sentence "the bundle …".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::NotBase64 => "is not base64",
            Self::NoCertificate => "contains no readable certificate",
        }
    }
}

/// The certificates of a PEM bundle. Blocks that are none are passed over, as Go's `AppendCertsFromPEM` does.
pub fn from_pem(pem: &[u8]) -> Result<Vec<Certificate>, BundleProblem> {
    if pem.iter().all(u8::is_ascii_whitespace) {
        return Err(BundleProblem::Empty);
    }
    let blocks = Pem::iter_from_buffer(pem).filter_map(Result::ok);
    let certificates: Vec<_> = blocks
        .filter(|block| block.label == "CERTIFICATE")
        .filter_map(|block| Certificate::parse(block.contents))
        .collect();
    if certificates.is_empty() { Err(BundleProblem::NoCertificate) } else { Ok(certificates) }
}

/// The same from base64, as `caBundle` has it.
pub fn from_base64(text: &str) -> Result<Vec<Certificate>, BundleProblem> {
    // A file may fold the value over several lines.
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if compact.is_empty() {
        return Err(BundleProblem::Empty);
    }
    from_pem(&STANDARD.decode(compact).map_err(|_| BundleProblem::NotBase64)?)
}

/// Certificates as evidence.
pub fn shown(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::shown).collect::<Vec<_>>().join("; ")
}

/// The CA of the cluster, as every namespace has it.
#[derive(Debug)]
pub struct ClusterCa {
    /// The certificates that may sign now: old and new while the CA is being rotated, the expired ones left out.
    pub certificates: Vec<Certificate>,
    /// Where they were read.
    pub source: Source,
}

impl ClusterCa {
    /// Reads `kube-root-ca.crt`: what the cluster itself trusts, unlike a kubeconfig, which may be old or of a proxy.
    pub fn of(facts: &Facts) -> Result<Self, Box<Unknown>> {
        let failed = |why: &str| {
            let why = crate::facts::Why::Failed(why.to_owned());
            Box::new(Unknown { what: String::from("the cluster's CA"), why, grant: None })
        };
        let config_map = match &facts.cluster.root_ca {
            Fact::Known(config_map) => config_map,
            Fact::Unknown(unknown) => return Err(Box::new(unknown.clone())),
            Fact::Absent { .. } => return Err(failed("the namespace has no ConfigMap kube-root-ca.crt")),
        };
        let pem = config_map.value.ca_crt.as_deref().unwrap_or_default();
        let all = from_pem(pem.as_bytes()).map_err(|problem| {
            failed(&format!("ca.crt of ConfigMap kube-root-ca.crt {}", problem.words()))
        })?;
        let now = now(facts);
        let live: Vec<_> = all.iter().filter(|certificate| !certificate.expired(now)).cloned().collect();
        let certificates = if live.is_empty() { all } else { live };
        Ok(Self { certificates, source: config_map.source.at(".data[\"ca.crt\"]") })
    }
}

/// How a `caBundle` compares with the cluster's CA.
#[derive(Debug)]
pub enum Trust {
    /// It holds every CA that may sign now.
    Complete,
    /// It holds some of them only: the CA is being rotated.
    Partial {
        /// What it lacks.
        lacks: Certificate,
        /// True if what it lacks is the youngest, which signs sooner or later.
        newest: bool,
    },
    /// It holds none of them.
    Stale,
}

impl Trust {
    /// Compares the certificates of both sides.
    pub fn of(facts: &Facts, bundle: &[Certificate], ca: &ClusterCa) -> Self {
        let now = now(facts);
        let trusted = |signer: &Certificate| {
            let mut held = bundle.iter();
            held.any(|held| held.der == signer.der || (!held.expired(now) && held.same_authority(signer)))
        };
        let lacking: Vec<&Certificate> = ca.certificates.iter().filter(|signer| !trusted(signer)).collect();
        if lacking.len() == ca.certificates.len() {
            return Self::Stale;
        }
        let newest = ca.certificates.iter().map(|certificate| certificate.not_before).max().flatten();
        match lacking.into_iter().max_by_key(|certificate| certificate.not_before) {
            Some(lacks) => Self::Partial { newest: lacks.not_before == newest, lacks: lacks.clone() },
            None => Self::Complete,
        }
    }
}

fn now(facts: &Facts) -> Option<Timestamp> {
    facts.cluster.server_clock.known().map(|clock| clock.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----
MIIBjzCCATWgAwIBAgIUOGrSkxDZNbrQOvdjoAg5OVuQPxowCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAeFw0yNjExMjIyMDM5MTZaFw0zNjExMTky
MDM5MTZaMBUxEzARBgNVBAMMCmt1YmVybmV0ZXMwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQCjYMkWPNSi431DYFIcncnX1ubpHX24tztUvv2l/ZWVm4aw9fA4JMx
w3vVDLRhtM1uQ57LK/x0d7J//6Frai+jo2MwYTAdBgNVHQ4EFgQUbEMa3P5d3sCm
BRqj65u45hKYOd0wHwYDVR0jBBgwFoAUbEMa3P5d3sCmBRqj65u45hKYOd0wDwYD
VR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAqQwCgYIKoZIzj0EAwIDSAAwRQIh
AMkdiSRI9wIHnU5fCclxbP1ChfyoqySRh2NMDDHWcrZ8AiAZmAYq/McRzW85AusQ
+cn48eFKOed1tuQCrXWvG08mEQ==
-----END CERTIFICATE-----
";

    #[test]
    fn reads_a_bundle_and_passes_over_what_is_none() {
        let mixed = format!("# comment\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{PEM}");
        let read = from_base64(&STANDARD.encode(&mixed)).unwrap();
        assert_eq!(shown(&read), "CN=kubernetes, valid 2026-11-22 to 2036-11-19");
        assert!(read[0].expired("2040-01-01T00:00:00Z".parse().ok()));
        assert!(!read[0].expired(None));
    }

    #[test]
    fn rubbish_is_a_problem_and_no_panic() {
        assert_eq!(from_base64(" \n"), Err(BundleProblem::Empty));
        assert_eq!(from_base64("%%%"), Err(BundleProblem::NotBase64));
        assert_eq!(from_base64("Cg=="), Err(BundleProblem::Empty));
        assert_eq!(from_base64(&STANDARD.encode("hello")), Err(BundleProblem::NoCertificate));
        for cut in 0..PEM.len() {
            let _ = from_pem(&PEM.as_bytes()[..cut]);
        }
    }
}

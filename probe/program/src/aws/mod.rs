//! What AWS says: STS, the EKS Pod Identity agent, the node's metadata service.

pub mod answer;
pub mod container;
pub mod imds;
pub mod region;
mod sigv4;
pub mod sts;

use crate::secrets::Secrets;
use zeroize::Zeroizing;

/// Credentials, wiped when they are dropped.
pub struct Credentials {
    access_key: Zeroizing<String>,
    secret_key: Zeroizing<String>,
    session_token: Zeroizing<String>,
}

impl Credentials {
    /// They are never printed, whoever quotes them.
    pub fn hide(&self, secrets: &Secrets) {
        secrets.add(self.access_key.as_bytes());
        secrets.add(self.secret_key.as_bytes());
        secrets.add(self.session_token.as_bytes());
    }
}

//! Volumes, above all projected service account tokens.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{NameRef, null_default, outlined};

object!(
    /// `volumes[]`.
    Volume {
        /// Name.
        name: String,
        /// A projected volume.
        projected: Option<Projected>,
        /// A Secret.
        secret: Option<SecretVolume>,
        /// A ConfigMap.
        config_map: Option<NameRef>,
        /// Scratch space.
        empty_dir: Option<Value>,
        /// A directory of the node.
        host_path: Option<Value>,
        /// A CSI driver.
        csi: Option<CsiVolume>,
    }
);

impl Volume {
    /// The projected service account tokens in it, with the index of each source.
    pub fn tokens(&self) -> impl Iterator<Item = (usize, &ServiceAccountToken)> {
        let sources = self.projected.iter().flat_map(|projected| &projected.sources);
        sources
            .enumerate()
            .filter_map(|(index, source)| source.service_account_token.as_ref().map(|token| (index, token)))
    }

    /// What kind of volume it is, as a manifest names it.
    pub fn kind(&self) -> &'static str {
        if self.projected.is_some() {
            "projected"
        } else if self.secret.is_some() {
            "secret"
        } else if self.config_map.is_some() {
            "configMap"
        } else if self.empty_dir.is_some() {
            "emptyDir"
        } else if self.host_path.is_some() {
            "hostPath"
        } else if self.csi.is_some() {
            "csi"
        } else {
            "another kind of volume"
        }
    }
}

object!(
    /// `csi`.
    CsiVolume {
        /// The driver's name.
        driver: String,
    }
);

object!(
    /// `secret` of a volume.
    SecretVolume {
        /// The Secret's name.
        secret_name: String,
    }
);

object!(
    /// `projected`.
    Projected {
        /// Sources.
        sources: Vec<ProjectedSource>,
        /// File mode, decimal as JSON has it (420 = 0644).
        default_mode: Option<i32>,
    }
);

object!(
    /// `projected.sources[]`.
    ProjectedSource {
        /// A service account token.
        service_account_token: Option<ServiceAccountToken>,
    }
);

object!(
    /// `serviceAccountToken`.
    ServiceAccountToken {
        /// Audience; empty means the API server's own.
        audience: String,
        /// Lifetime in seconds.
        expiration_seconds: Option<i64>,
        /// File name in the volume.
        path: String,
    }
);

//! What a run takes from the process around it: read once, and handed over, so that a test can give another.

use std::ffi::OsString;
use std::path::PathBuf;

use aws_config::SdkConfig;
use aws_smithy_http_client::proxy::ProxyConfig;

use super::Progress;
use super::foreign::hold_login;

/// The part of the environment that says how the cluster and AWS are reached, and where the user is told what is waited for.
#[derive(Clone)]
pub struct Surroundings {
    /// `KUBECONFIG`.
    pub kubeconfig: Option<OsString>,
    /// The proxies between this machine and AWS.
    pub proxy: ProxyConfig,
    /// `AWS_CA_BUNDLE`.
    pub ca_bundle: Option<PathBuf>,
    /// The user's credentials and Region; `None` has them found as every AWS tool finds them.
    pub aws: Option<SdkConfig>,
    /// What is waited for.
    pub progress: Progress,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process(progress: Progress) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"] {
            let either = [set(name), set(&name.to_ascii_lowercase())];
            either.iter().flatten().for_each(|url| hold_login(&url.to_string_lossy()));
        }
        Self {
            kubeconfig: set("KUBECONFIG"),
            proxy: ProxyConfig::from_env(),
            ca_bundle: set("AWS_CA_BUNDLE").map(PathBuf::from),
            aws: None,
            progress,
        }
    }
}

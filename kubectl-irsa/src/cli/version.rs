//! `kubectl irsa version`.

use clap::Args;
use serde::Serialize;

use super::flags::{Format, ImageFlag};
use super::{CliError, print, print_json};
use irsa::diagnosis::API_VERSION;

/// Print the version, the commit it was built from, and the probe's image
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # for a bug report
  kubectl irsa version

  # for a script
  kubectl irsa version -o json")]
pub struct Version {
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    #[command(flatten)]
    image: ImageFlag,
}

/// Its serialised form is that of `-o json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    api_version: &'static str,
    kind: &'static str,
    /// Of this program.
    version: &'static str,
    /// Where the builder named one, as releases do.
    commit: Option<&'static str>,
    /// What it was built for.
    platform: String,
    probe_image: String,
}

impl Version {
    /// Prints it.
    pub fn run(&self) -> Result<u8, CliError> {
        let report = Report {
            api_version: API_VERSION,
            kind: "Version",
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("KUBECTL_IRSA_COMMIT"),
            platform: format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
            probe_image: self.image.image()?.to_string(),
        };
        match self.output {
            Format::Json => print_json(&report),
            Format::Text => {
                let Report { version, platform, probe_image, .. } = &report;
                let commit = report.commit.unwrap_or("not recorded");
                print(&format!(
                    "kubectl-irsa {version}\ncommit       {commit}\nplatform     {platform}\nprobe image  {probe_image}\n"
                ))
            }
        }
    }
}

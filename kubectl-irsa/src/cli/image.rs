//! `kubectl irsa image`.

use clap::Args;

use super::flags::ImageFlag;
use super::{CliError, print};

/// Print the reference of the probe's image, to mirror it
///
/// `debug` starts this image in the pod. A release names it by digest: a mirror that keeps the digest has the same bytes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # into a registry of your own, for all platforms
  skopeo copy --all --preserve-digests docker://$(kubectl irsa image) docker://registry.example/irsa-probe:mirrored
  kubectl irsa debug pod/checkout-7d9f --probe-image registry.example/irsa-probe:mirrored

  # what the environment names
  KUBECTL_IRSA_PROBE_IMAGE=registry.example/irsa-probe:mirrored kubectl irsa image")]
pub struct Image {
    #[command(flatten)]
    image: ImageFlag,
}

impl Image {
    /// Prints it.
    pub fn run(&self) -> Result<u8, CliError> {
        print(&format!("{}\n", self.image.image()?))
    }
}

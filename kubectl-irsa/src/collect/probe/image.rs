//! The probe's image.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A reference to an image, as the kubelet takes it: `registry.example/team/irsa-probe:1@sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image(String);

/// The given text is not an image reference.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not an image reference; expected one such as registry.example/irsa-probe:1.0")]
pub struct ImageError(String);

/// The longest reference.
const LONGEST: usize = 512;

impl Image {
    /// The image that belongs to this version; releases name it by its digest.
    pub(super) const DEFAULT: &str = match option_env!("KUBECTL_IRSA_PROBE_IMAGE_DEFAULT") {
        Some(pinned) => pinned,
        None => concat!("ghcr.io/kubectl-irsa/irsa-probe:", env!("CARGO_PKG_VERSION")),
    };

    /// The reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Image {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl FromStr for Image {
    type Err = ImageError;

    fn from_str(text: &str) -> Result<Self, ImageError> {
        if is_reference(text) { Ok(Self(text.to_owned())) } else { Err(ImageError(text.to_owned())) }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `[registry[:port]/]path[:tag][@digest]` (distribution/reference, `regexp.go`).
fn is_reference(text: &str) -> bool {
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    // A colon before the last slash is that of a port.
    let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[name_start..].split_once(':') {
        Some((name, tag)) => (&rest[..name_start + name.len()], Some(tag)),
        None => (rest, None),
    };
    let (registry, path) = match name.split_once('/') {
        Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), path),
        _ => (None, name),
    };
    let within = |text: &str, others: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[' || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
    };
    text.len() <= LONGEST
        && registry.is_none_or(|registry| within(registry, ".-:[]"))
        && path.split('/').all(|part| within(part, "._-") && !part.contains(|c: char| c.is_ascii_uppercase()))
        && tag.is_none_or(|tag| tag.len() <= 128 && within(tag, "._-"))
        && digest.is_none_or(|digest| {
            digest.strip_prefix("sha256:").is_some_and(|hex| {
                hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_known_by_their_shape() {
        let digest = format!("registry.example:5000/team/irsa-probe:1.0@sha256:{}", "0a".repeat(32));
        for good in [
            "irsa-probe",
            "irsa-probe:local",
            "ghcr.io/kubectl-irsa/irsa-probe:0.1.0",
            "localhost/x",
            &digest,
        ] {
            assert_eq!(good.parse::<Image>().map(|image| image.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "-x",
            "a b",
            "https://ghcr.io/x",
            "ghcr.io/",
            "x:",
            "X",
            "x@sha256:1",
            "x\n",
            "ghcr.io//x",
            "$(id)",
        ] {
            assert!(bad.parse::<Image>().is_err(), "{bad}");
        }
        assert!(is_reference(Image::DEFAULT));
    }
}

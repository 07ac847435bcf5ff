//! The flags that every kubectl command has.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use irsa::aws::partition::{REGIONS, is_region_shaped};
use irsa::output;
use irsa::output::as_code::Language;
use irsa::text::near;
use secrecy::SecretString;

use super::CliError;
use crate::collect::aws::{EksHints, Settings};
use crate::collect::cluster::Access;
use crate::collect::probe::Image;

/// The cli-runtime flags.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterFlags {
    /// Namespace; defaults to that of the context
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Kubeconfig, or several separated as in KUBECONFIG
    #[arg(long, value_name = "PATH")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Cluster of the kubeconfig
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// User of the kubeconfig
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Act as this user
    #[arg(long = "as", value_name = "USER")]
    impersonate: Option<String>,
    /// Act as a member of this group; may be repeated
    #[arg(long = "as-group", value_name = "GROUP")]
    impersonate_groups: Vec<String>,
    /// Act as this UID
    #[arg(long = "as-uid", value_name = "UID")]
    impersonate_uid: Option<String>,
    /// URL of the API server
    #[arg(short, long, value_name = "URL")]
    server: Option<String>,
    /// Bearer token for the API server
    #[arg(long, value_name = "TOKEN", hide_env_values = true)]
    token: Option<SecretString>,
    /// File with the CA certificates for the API server
    #[arg(long, value_name = "PATH")]
    certificate_authority: Option<PathBuf>,
    /// Client certificate
    #[arg(long, value_name = "PATH", requires = "client_key")]
    client_certificate: Option<PathBuf>,
    /// Key of the client certificate
    #[arg(long, value_name = "PATH", requires = "client_certificate")]
    client_key: Option<PathBuf>,
    /// Name that the API server's certificate must contain
    #[arg(long, value_name = "NAME")]
    tls_server_name: Option<String>,
    /// Do not verify the API server's certificate
    #[arg(long)]
    insecure_skip_tls_verify: bool,
    /// How long to wait for each answer of the API server: 10s, 1m, or a number of seconds
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    request_timeout: String,
}

/// How to access AWS.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "AWS")]
pub struct AwsFlags {
    /// AWS profile to use; by default the AWS CLI's choice, else that of the kubeconfig
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Region of the cluster; defaults to that of the kubeconfig or of the profile
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// The cluster's name in EKS; defaults to the one in the kubeconfig
    #[arg(long, value_name = "NAME")]
    cluster_name: Option<String>,
}

/// `-o` for commands with just these formats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a person.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Other words for formats.
const SHORT: [(&str, &str); 2] = [("md", "markdown"), ("yml", "yaml")];

/// `-o` of a diagnosis.
pub fn form() -> impl TypedValueParser<Value = output::Format> {
    let words = output::Format::ALL.map(|(_, word, purpose)| {
        let short = SHORT.into_iter().filter(|(_, whole)| *whole == word).map(|(short, _)| short);
        PossibleValue::new(word).help(purpose).aliases(short)
    });
    PossibleValuesParser::new(words).map(|chosen| {
        let whole = SHORT.into_iter().find(|(short, _)| *short == chosen).map(|(_, whole)| whole);
        let whole = whole.unwrap_or(&chosen);
        let known = output::Format::ALL.into_iter().find(|(_, word, _)| *word == whole);
        known.map_or_else(output::Format::default, |(format, ..)| format)
    })
}

/// `--fix-as` of a diagnosis.
pub fn language() -> impl TypedValueParser<Value = Language> {
    let words = Language::ALL.map(|(_, word, purpose)| PossibleValue::new(word).help(purpose));
    PossibleValuesParser::new(words).map(|chosen| {
        let known = Language::ALL.into_iter().find(|(_, word, _)| *word == chosen);
        known.map_or(Language::Yaml, |(language, ..)| language)
    })
}

/// Which image the probe uses.
#[derive(Debug, Clone, Default, Args)]
pub struct ImageFlag {
    /// The probe's image, for clusters that cannot pull the default; or set KUBECTL_IRSA_PROBE_IMAGE
    #[arg(long, value_name = "IMAGE")]
    probe_image: Option<String>,
}

impl ImageFlag {
    /// The one of `--probe-image`, else of the environment, else this version's own.
    pub fn image(&self) -> Result<Image, CliError> {
        let set = std::env::var("KUBECTL_IRSA_PROBE_IMAGE").ok().filter(|value| !value.is_empty());
        match self.probe_image.as_deref().or(set.as_deref()) {
            Some(text) => Ok(text.parse()?),
            None => Ok(Image::default()),
        }
    }
}

impl AwsFlags {
    /// `--profile`.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// What tells which cluster it is in EKS.
    pub fn cluster_flags(&self) -> Vec<String> {
        let pairs = [("--cluster-name", &self.cluster_name), ("--region", &self.region)];
        let set = pairs.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value.clone()?]));
        set.flatten().collect()
    }

    /// The same for a command of the AWS CLI.
    pub fn profile_flags(&self) -> Vec<String> {
        self.profile.iter().flat_map(|name| [String::from("--profile"), name.clone()]).collect()
    }

    /// Refuses what is neither a region nor a cluster's name by its form, rather than asking AWS for it.
    pub fn check(&self) -> Result<(), CliError> {
        if let Some(region) = self.region.as_deref().filter(|region| !is_region_shaped(region)) {
            let near = near::names(&region.to_ascii_lowercase(), REGIONS);
            return Err(CliError::Region { value: region.to_owned(), near });
        }
        match self.cluster_name.as_deref().filter(|name| !is_cluster_name(name)) {
            None => Ok(()),
            Some(name) => Err(CliError::Value {
                flag: "--cluster-name",
                value: name.to_owned(),
                expected: "expected the cluster's name in EKS, not its ARN: letters, digits, '-' and '_'",
            }),
        }
    }

    /// The flags as the collector takes them.
    pub fn settings(&self, hints: EksHints) -> Settings {
        Settings {
            profile: self.profile.clone(),
            region: self.region.clone(),
            cluster: self.cluster_name.clone(),
            hints,
        }
    }
}

impl ClusterFlags {
    /// The flags as the collector takes them, with what `KUBECONFIG` says.
    pub fn access(&self, environment: Option<OsString>) -> Access {
        Access {
            environment,
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            namespace: self.namespace.clone(),
            server: self.server.clone(),
            token: self.token.clone(),
            certificate_authority: self.certificate_authority.clone(),
            client_certificate: self.client_certificate.clone(),
            client_key: self.client_key.clone(),
            tls_server_name: self.tls_server_name.clone(),
            insecure_skip_tls_verify: self.insecure_skip_tls_verify,
            impersonate: self.impersonate.clone(),
            impersonate_groups: self.impersonate_groups.clone(),
            impersonate_uid: self.impersonate_uid.clone(),
        }
    }

    /// The flags that a printed kubectl command needs to reach the same cluster as the same user; never a token.
    pub fn kubectl_flags(&self) -> Vec<String> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let pairs = [
            ("--kubeconfig", path(&self.kubeconfig)),
            ("--context", self.context.clone()),
            ("--cluster", self.cluster.clone()),
            ("--user", self.user.clone()),
            ("--server", self.server.clone()),
            ("--certificate-authority", path(&self.certificate_authority)),
            ("--client-certificate", path(&self.client_certificate)),
            ("--client-key", path(&self.client_key)),
            ("--tls-server-name", self.tls_server_name.clone()),
            ("--as", self.impersonate.clone()),
            ("--as-uid", self.impersonate_uid.clone()),
        ];
        let mut flags: Vec<String> = pairs
            .into_iter()
            .filter_map(|(flag, value)| value.map(|value| format!("{flag}={value}")))
            .collect();
        flags.extend(self.impersonate_groups.iter().map(|group| format!("--as-group={group}")));
        if self.insecure_skip_tls_verify {
            flags.push(String::from("--insecure-skip-tls-verify"));
        }
        flags
    }

    /// `-n`.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// `--request-timeout`; `0` means "never" to kubectl and an hour here: nothing waits forever.
    pub fn request_timeout(&self) -> Result<Duration, CliError> {
        let duration = duration("--request-timeout", &self.request_timeout)?;
        Ok(if duration.is_zero() { Duration::from_secs(3600) } else { duration })
    }
}

/// As EKS has it: `^[0-9A-Za-z][A-Za-z0-9\-_]{0,99}$`.
fn is_cluster_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=100).contains(&name.len())
        && name.bytes().all(plain)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Actions as IAM writes them: the service's prefix, a colon, the action's name.
pub fn check_action(action: &str) -> Result<(), CliError> {
    let good = action.split_once(':').is_some_and(|(service, name)| {
        let of_service = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'*' || byte == b'?';
        !service.is_empty()
            && service.bytes().all(of_service)
            && !name.is_empty()
            && name.bytes().all(of_name)
    });
    if good {
        return Ok(());
    }
    Err(CliError::Value {
        flag: "--action",
        value: action.to_owned(),
        expected: "expected the service's prefix, a colon and the action, such as s3:GetObject",
    })
}

/// As good as forever.
pub const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// A duration as Go writes it (`1m30s`, `500ms`), or a bare number of seconds.
pub fn duration(flag: &'static str, text: &str) -> Result<Duration, CliError> {
    let wrong = || CliError::Value {
        flag,
        value: text.to_owned(),
        expected: "expected a duration such as 10s, 1m or 1m30s",
    };
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds).min(LONGEST));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits =
            rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|at| *at > 0).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let (unit, seconds) = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)]
            .into_iter()
            .find(|(unit, _)| tail.starts_with(unit))
            .ok_or_else(wrong)?;
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = &tail[unit.len()..];
    }
    // A longer one has no end that a clock could show.
    if text.is_empty() { Err(wrong()) } else { Ok(total.min(LONGEST)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_go_writes_them() {
        for (text, millis) in [
            ("10s", 10_000),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("1.5s", 1_500),
            ("2h", 7_200_000),
            ("7", 7_000),
            ("0", 0),
            ("18446744073709551615", 2_592_000_000),
        ] {
            assert_eq!(duration("--x", text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["", "s", "10x", "-1s", "1..2s", "99999999999999999999h", "10 s"] {
            assert!(duration("--x", text).is_err(), "{text}");
        }
    }
}

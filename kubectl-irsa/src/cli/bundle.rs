//! `kubectl irsa bundle`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::debug::{Debug, Kept};
use super::flags::{AwsFlags, ClusterFlags, ImageFlag};
use super::{CliError, print};
use crate::collect::foreign::without_held;
use crate::collect::probe::{Cleanup, Via};
use crate::collect::{Progress, Stop, Surroundings};
use irsa::bundle::{self, Bundle as Written, Redaction};
use irsa::text::shell;

/// Save what debug sees as one file, for a colleague or a support case
///
/// Reads what `debug` reads, with the same flags, and writes it to a file instead of a report: the Kubernetes objects as `kubectl get -o
/// yaml` prints them, and the answers of AWS, STS, the issuer, the log and the probe; also what does not exist, and what could not
/// be read, why, and which permission would allow it. `debug --from FILE` gives the same diagnosis, without cluster and without AWS.
///
/// Tokens, keys, the values of Secrets, of variables that may be secret and of annotations that no check reads are never in it.
/// --redact replaces names, account ids, or both by stand-ins of the same form, the same ones throughout the file, so that a
/// missing letter, a wrong prefix or a pattern that does not match is still there. This hides names from whoever reads the file, not
/// from somebody who sets out to guess them: the length of a word and which of its letters are equal can be seen. Words that AWS and
/// Kubernetes use, regions, times, IP addresses and certificates stay.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # into irsa-bundle-shop-checkout.yaml
  kubectl irsa bundle deploy/checkout -n shop

  # for somebody outside of the company
  kubectl irsa bundle deploy/checkout -n shop --redact all

  # what it means, on any machine
  kubectl irsa debug deploy/checkout -n shop --from irsa-bundle-shop-checkout.yaml

  # to look at it first
  kubectl irsa bundle deploy/checkout -n shop --redact all -o - | less

  # without names, from files that were saved before
  kubectl irsa bundle pod/checkout-7d9f --from checkout.yaml role.json --redact names -o redacted.yaml

Exit codes: 0 it is written, 2 wrong usage or could not run.")]
pub struct Bundle {
    /// What debug would be asked about: pod/NAME, deploy/NAME, sts/NAME, ds/NAME, rs/NAME, job/NAME, cronjob/NAME, sa/NAME
    #[arg(value_name = "TARGET", required = true, num_args = 1..=2)]
    target: Vec<String>,
    /// The container to diagnose; by default the one that should have the identity
    #[arg(short, long, value_name = "NAME")]
    container: Option<String>,
    /// Replace names, account ids, or all that tells whose cluster it is, by stand-ins
    #[arg(long, value_name = "WHAT", value_parser = redaction())]
    redact: Option<Redaction>,
    /// The file to write; - is stdout. By default irsa-bundle-NAMESPACE-NAME.yaml here, which must not exist
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Read Kubernetes objects and answers of AWS (JSON or YAML) from files or directories instead; - is stdin
    #[arg(short = 'f', long, visible_alias = "filename", value_name = "PATH", num_args = 1.., conflicts_with = "probe_image")]
    from: Vec<PathBuf>,
    /// Time limit for the whole run; by default 60s
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
    /// Log each request to stderr
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Request no credentials: create no token of the service account and try none at STS
    #[arg(long)]
    no_assume: bool,
    /// Do not read the log of the target container
    #[arg(long)]
    no_logs: bool,
    /// Add nothing to the cluster: do not probe the pod from inside
    #[arg(long, conflicts_with_all = ["probe_image", "probe"])]
    no_probe: bool,
    /// Probe the pod from inside even where the cause is proven without
    #[arg(long, conflicts_with = "from")]
    probe: bool,
    /// How to run the probe: as an ephemeral container of the pod, or in a pod of its own that is deleted afterwards
    #[arg(long, value_name = "WAY", default_value = "ephemeral", conflicts_with_all = ["no_probe", "from"])]
    via: Via,
    #[command(flatten)]
    image: ImageFlag,
    /// An error that the application printed; - reads it from stdin
    #[arg(long, value_name = "TEXT|-")]
    error: Option<String>,
    /// An action that the application needs, to simulate for the role: s3:GetObject; may be repeated
    #[arg(long, value_name = "ACTION", value_delimiter = ',')]
    action: Vec<String>,
    /// The resource ARN for the action; may be repeated
    #[arg(long, value_name = "ARN", requires = "action")]
    resource: Vec<String>,
    #[command(flatten)]
    aws: AwsFlags,
    #[command(flatten)]
    cluster: ClusterFlags,
}

fn redaction() -> impl TypedValueParser<Value = Redaction> {
    let words = Redaction::ALL.map(|level| PossibleValue::new(level.word()).help(level.purpose()));
    PossibleValuesParser::new(words).map(|chosen| {
        let level = Redaction::ALL.into_iter().find(|level| level.word() == chosen);
        level.unwrap_or_default()
    })
}

impl Bundle {
    /// Runs it.
    pub(crate) async fn run(self, cleanup: &Cleanup, stop: &Stop) -> Result<u8, CliError> {
        let Self { output, redact, .. } = &self;
        let (output, redact) = (output.clone(), *redact);
        let surroundings = Surroundings::of_process(Progress::new(self.verbose > 0));
        let (debug, kept) = (self.debug(), Kept::default());
        let outcome = Box::pin(debug.diagnoses(&surroundings, cleanup, stop, Some(&kept))).await;
        if stop.is_stopped() {
            return Err(CliError::Interrupted(cleanup.clone()));
        }
        let (_, failures) = outcome?;
        if let Some(failure) = failures.into_iter().next() {
            return Err(failure);
        }
        let kept = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        let facts = kept.first().map_or(&[][..], |facts| facts.as_slice());
        let written = bundle::write(facts, redact)?;
        if output.as_deref() == Some(Path::new("-")) {
            return print(&written.text);
        }
        let path = output.clone().unwrap_or_else(|| PathBuf::from(default_name(&written)));
        save(&path, output.is_none(), &written.text)?;
        let shown = path.display().to_string();
        let command = shell::command([
            "kubectl",
            "irsa",
            "debug",
            &written.target,
            "-n",
            &written.namespace,
            "--from",
            &shown,
        ]);
        let hint = match redact {
            None => "; for readers outside, --redact all leaves out names and account ids",
            Some(_) => "",
        };
        surroundings.progress.say(&format!("{shown} is written{hint}; read it with\n  {command}"));
        Ok(0)
    }

    /// The run of `debug` whose facts are kept.
    fn debug(self) -> Debug {
        let Self {
            target,
            container,
            redact: _,
            output: _,
            from,
            timeout,
            verbose,
            no_assume,
            no_logs,
            no_probe,
            probe,
            via,
            image,
            error,
            action,
            resource,
            aws,
            cluster,
        } = self;
        Debug {
            targets: target,
            container,
            from,
            timeout,
            verbose,
            no_assume,
            no_logs,
            no_probe,
            probe,
            via,
            image,
            error,
            action,
            resource,
            aws,
            cluster,
            ..Debug::default()
        }
    }
}

/// `irsa-bundle-shop-checkout.yaml`. The names are those in the bundle.
fn default_name(bundle: &Written) -> String {
    let name = bundle.target.split_once('/').map_or(bundle.target.as_str(), |(_, name)| name);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
    let name = format!("irsa-bundle-{}-{name}", bundle.namespace);
    name.chars().map(plain).collect::<String>() + ".yaml"
}

/// Writes the file; one whose name nobody gave must not be there yet. Others of this machine cannot read it.
fn save(path: &Path, is_new: bool, text: &str) -> Result<(), CliError> {
    let mut options = std::fs::OpenOptions::new();
    match is_new {
        true => options.write(true).create_new(true),
        false => options.write(true).create(true).truncate(true),
    };
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(without_held(text).as_bytes()));
    written.map_err(|cause| CliError::Bundle { path: path.display().to_string(), cause })
}

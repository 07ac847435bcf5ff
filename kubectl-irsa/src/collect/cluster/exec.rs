//! The exec plugin of a kubeconfig: what it is told, what it prints, and what it says where it fails.

use std::fmt;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use irsa::text::shell;
use irsa_probe::secrets::Secrets;
use kube::config::{Cluster, ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::process::{ChildStderr, Command};

use super::answer::unexpected;
use super::sign_in::SignInError;
use crate::collect::bounded::{self, Limit};
use crate::collect::foreign::foreign;
use crate::collect::sso;

/// The largest credential, which may hold certificates and a key.
const LARGEST: Limit = Limit::mib(1);
/// What is kept of its words: many times what is shown of them.
const WORDS: usize = 64 << 10;
/// How long its last words may take after its end.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What it prints.
#[derive(Deserialize)]
struct ExecCredential {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub token: Option<SecretString>,
    pub client_certificate_data: Option<String>,
    pub client_key_data: Option<SecretString>,
}

/// A plugin that ended without success.
#[derive(Debug)]
pub struct Failure {
    command: String,
    status: ExitStatus,
    /// Its words.
    words: String,
    /// True if the user has seen them.
    shown: bool,
    /// The command that signs in again, if that is what is missing.
    sign_in: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, status, words, shown, sign_in } = self;
        write!(f, "the exec plugin failed ({status}):\n  {command}")?;
        match words.is_empty() {
            true => f.write_str("\nit says nothing; run it by hand to see why")?,
            false if *shown => {}
            false => write!(f, "\nit says: {words}")?,
        }
        sign_in.as_ref().map_or(Ok(()), |sign_in| write!(f, "\nsign in again:\n  {sign_in}"))
    }
}

/// The value of the first of these flags: `--profile P`, `--profile=P`.
pub fn argument(exec: &ExecConfig, flags: &[&str]) -> Option<String> {
    let arguments = exec.args.as_deref().unwrap_or_default();
    arguments.iter().enumerate().find_map(|(index, argument)| match argument.split_once('=') {
        Some((name, value)) if flags.contains(&name) => Some(value.to_owned()),
        _ if flags.contains(&argument.as_str()) => arguments.get(index + 1).cloned(),
        _ => None,
    })
}

/// A variable that the kubeconfig sets for it.
pub fn variable(exec: &ExecConfig, name: &str) -> Option<String> {
    variables(exec).find(|(own, value)| *own == name && !value.is_empty()).map(|(_, value)| value.to_owned())
}

/// The AWS profile that it signs in with.
pub fn profile(exec: &ExecConfig) -> Option<String> {
    argument(exec, &["--profile"]).or_else(|| variable(exec, "AWS_PROFILE"))
}

fn variables(exec: &ExecConfig) -> impl Iterator<Item = (&str, &str)> {
    let all = exec.env.iter().flatten();
    all.filter_map(|variable| Some((variable.get("name")?.as_str(), variable.get("value")?.as_str())))
}

/// Runs it, once; it ends with this future.
pub async fn run(exec: &ExecConfig, cluster: &Cluster) -> Result<Status, SignInError> {
    let command = exec.command.clone().unwrap_or_default();
    let terminal = std::io::stdin().is_terminal();
    if exec.interactive_mode == Some(ExecInteractiveMode::Always) && !terminal {
        return Err(SignInError::NoTerminal(command));
    }
    let interactive = terminal && exec.interactive_mode != Some(ExecInteractiveMode::Never);
    let start = |cause: std::io::Error| {
        let hint = exec.install_hint.as_ref().filter(|_| cause.kind() == ErrorKind::NotFound);
        let hint = hint.map_or_else(String::new, |hint| format!("; {}", foreign(hint.trim())));
        SignInError::Start { command: command.clone(), cause, hint }
    };
    let mut process = Command::new(&command)
        .args(exec.args.iter().flatten())
        .envs(variables(exec))
        .env("KUBERNETES_EXEC_INFO", told(exec, cluster, interactive))
        // What is piped into this plugin is not meant for the exec plugin.
        .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(start)?;
    let none = |cause: String| SignInError::NoCredential { command: command.clone(), cause };
    let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
    let printed = async {
        match stdout {
            Some(stdout) => bounded::output(stdout, LARGEST).await,
            None => Ok(None),
        }
    };
    let ended = async {
        match printed.await? {
            Some(printed) => Ok(Some((printed, process.wait().await?))),
            None => Ok(None),
        }
    };
    let (ended, words) = until_ended(ended, stderr, interactive).await;
    let Some((printed, status)) = ended.map_err(start)? else {
        return Err(none(format!("it is larger than {LARGEST}")));
    };
    if !status.success() {
        return Err(SignInError::Failed(Failure::of(exec, status, &words, interactive)));
    }
    let read = serde_json::from_slice::<ExecCredential>(&printed);
    let mut status = read.map_err(|error| none(unexpected(&error)))?.status;
    status.token.take_if(|token| token.expose_secret().is_empty());
    status.client_certificate_data.take_if(|certificate| certificate.is_empty());
    if status.token.is_none() && status.client_certificate_data.is_none() {
        return Err(none(String::from("it has neither a token nor a certificate")));
    }
    Ok(status)
}

/// Waits for the end, and collects what is said meanwhile. `shown` passes it on: it may be a question to the user.
async fn until_ended<T>(
    ended: impl Future<Output = T>,
    stderr: Option<ChildStderr>,
    shown: bool,
) -> (T, Vec<u8>) {
    let mut words = Vec::new();
    let ended = {
        let mut listening = std::pin::pin!(listen(stderr, shown, &mut words));
        let mut ended = std::pin::pin!(ended);
        tokio::select! {
            ended = &mut ended => {
                // What it said last may still be on its way; a child of its own may hold stderr open for longer.
                let _ = tokio::time::timeout(LAST_WORDS, &mut listening).await;
                ended
            }
            () = &mut listening => ended.await,
        }
    };
    (ended, words)
}

async fn listen(stderr: Option<ChildStderr>, shown: bool, words: &mut Vec<u8>) {
    let Some(mut stderr) = stderr else { return };
    let mut part = [0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut part).await {
        let said = part.get(..count).unwrap_or_default();
        if shown {
            let mut own = std::io::stderr();
            // A closed stderr is no reason to stop.
            let _ = own.write_all(said).and_then(|()| own.flush());
        }
        words.extend(said.iter().take(WORDS.saturating_sub(words.len())));
    }
}

impl Failure {
    fn of(exec: &ExecConfig, status: ExitStatus, words: &[u8], shown: bool) -> Self {
        let words = String::from_utf8_lossy(words);
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = foreign(&handed(exec).scrub(&words));
        let of_aws = is_of_aws(exec);
        let profile = profile(exec);
        Self {
            sign_in: sso::sign_in(&words, profile.as_deref()).filter(|_| of_aws),
            command: foreign(&shown_command(exec)),
            words,
            shown,
            status,
        }
    }
}

/// True for the two programs that sign in to EKS, which take no secrets as arguments.
fn is_of_aws(exec: &ExecConfig) -> bool {
    let command = exec.command.as_deref().unwrap_or_default();
    let name = std::path::Path::new(command).file_stem().and_then(|name| name.to_str());
    matches!(name, Some("aws" | "aws-iam-authenticator"))
}

/// As it can be run by hand; of others than AWS's own, the name alone: their arguments may be secrets.
fn shown_command(exec: &ExecConfig) -> String {
    let command = exec.command.as_deref().unwrap_or_default();
    if !is_of_aws(exec) {
        return shell::quote(command);
    }
    let profile = variable(exec, "AWS_PROFILE").map(|name| format!("AWS_PROFILE={} ", shell::quote(&name)));
    let words = std::iter::once(command).chain(exec.args.iter().flatten().map(String::as_str));
    format!("{}{}", profile.unwrap_or_default(), shell::command(words))
}

/// What the kubeconfig hands it may be a secret, and stand in its words: all but what AWS's tools are told of profile and Region.
fn handed(exec: &ExecConfig) -> Secrets {
    let secrets = Secrets::default();
    let harmless = |name: &str| {
        name.starts_with("AWS_") && !["KEY", "SECRET", "TOKEN"].iter().any(|part| name.contains(part))
    };
    let variables = variables(exec).filter(|(name, _)| !harmless(name)).map(|(_, value)| value);
    let arguments = exec.args.iter().flatten().filter(|_| !is_of_aws(exec));
    let arguments =
        arguments.map(|argument| argument.split_once('=').map_or(argument.as_str(), |(_, value)| value));
    // A flag's name is none.
    let arguments = arguments.filter(|value| !value.starts_with('-'));
    variables.chain(arguments).for_each(|secret| secrets.add(secret.as_bytes()));
    secrets
}

/// What it is told, in `KUBERNETES_EXEC_INFO`.
fn told(exec: &ExecConfig, cluster: &Cluster, interactive: bool) -> String {
    let mut spec = json!({"interactive": interactive});
    // Its CAs are inlined, so that nothing is read here.
    if exec.provide_cluster_info
        && let Ok(cluster) = ExecAuthCluster::try_from(cluster)
    {
        spec["cluster"] = json!(cluster);
    }
    json!({"apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec}).to_string()
}

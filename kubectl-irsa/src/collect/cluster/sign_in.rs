//! Who asks the API server: a token, a certificate, or a program that makes one of them.

use std::io::{ErrorKind, IsTerminal};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use tokio::process::Command;

use super::access::Server;
use super::kubeconfig::{AuthProvider, Cluster, Exec, InteractiveMode};
use super::tls::{self, PemError};
use crate::collect::api::unexpected;
use crate::collect::secret::Secret;

/// How long an exec plugin may take. It may wait for a person, who signs in with a browser.
const PLUGIN: Duration = Duration::from_secs(120);
/// The extension of a cluster that is meant for exec plugins.
const FOR_PLUGINS: &str = "client.authentication.k8s.io/exec";

/// What a request is asked with. No `Debug`: all of it is secret.
#[derive(Default)]
pub struct Credentials {
    /// The header `Authorization`.
    pub authorization: Option<HeaderValue>,
    /// The client's certificates, its own first, and the key.
    pub certificate: Option<Identity>,
}

/// A client's certificates, its own first, and the key.
pub type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Signing in failed. What an exec plugin wrote is never repeated: it may be a token.
#[derive(Debug, Error)]
pub enum SignInError {
    /// The file of the token.
    #[error("cannot read the token file {path}: {cause}")]
    TokenFile {
        /// The file.
        path: String,
        /// The system's words.
        cause: std::io::Error,
    },
    /// No header may have that.
    #[error("the token or password holds characters that an HTTP header cannot have")]
    Characters,
    /// The client's certificate or key.
    #[error(transparent)]
    Certificate(#[from] PemError),
    /// A way to sign in that is not known.
    #[error("the auth provider \"{0}\" is not supported (kubectl 1.26 and newer know only oidc)")]
    Provider(String),
    /// OIDC without a token.
    #[error("the auth provider oidc has no id-token")]
    NoIdToken,
    /// The plugin needs a person.
    #[error("the exec plugin {0} must ask you, and standard input is not a terminal")]
    NoTerminal(String),
    /// The plugin is not there, or cannot be run.
    #[error("the exec plugin {command} cannot be run: {cause}{}", .hint.as_deref().unwrap_or_default())]
    Start {
        /// The program.
        command: String,
        /// The system's words.
        cause: std::io::Error,
        /// What the kubeconfig says to that.
        hint: Option<String>,
    },
    /// The plugin failed.
    #[error("the exec plugin {command} failed ({status}); run it by hand to see why")]
    Failed {
        /// The program.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The plugin does not end.
    #[error("the exec plugin {0} did not end within {seconds} s", seconds = PLUGIN.as_secs())]
    TimedOut(String),
    /// The plugin printed something else.
    #[error("the exec plugin {command} printed something else than an ExecCredential: {cause}")]
    NoCredential {
        /// The program.
        command: String,
        /// What is wrong with it.
        cause: String,
    },
}

/// What an exec plugin prints.
#[derive(Deserialize)]
struct ExecCredential {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<Secret>,
    client_certificate_data: Option<String>,
    client_key_data: Option<Secret>,
}

/// Signs in, in the order of client-go. A run is over long before a token expires, so none is renewed.
pub async fn sign_in(server: &Server) -> Result<Credentials, SignInError> {
    let user = &server.user;
    let mut credentials = Credentials {
        authorization: None,
        certificate: tls::identity(
            (&user.client_certificate_data, &user.client_certificate),
            (user.client_key_data.expose(), &user.client_key),
        )?,
    };
    if let Some(provider) = &user.auth_provider {
        credentials.authorization = Some(bearer(id_token(provider)?)?);
    } else if !user.token_file.is_empty() {
        let token = tokio::fs::read_to_string(&user.token_file).await.map(Secret::new);
        let token = token.map_err(|cause| SignInError::TokenFile { path: user.token_file.clone(), cause })?;
        credentials.authorization = Some(bearer(&token)?);
    } else if !user.token.expose().is_empty() {
        credentials.authorization = Some(bearer(&user.token)?);
    } else if !user.username.is_empty() {
        let pair = Secret::new(format!("{}:{}", user.username, user.password.expose()));
        credentials.authorization = Some(authorization("Basic", &STANDARD.encode(pair.expose()))?);
    } else if let Some(exec) = &user.exec {
        let status = run(exec, &server.cluster).await?;
        if let Some(token) = status.token {
            credentials.authorization = Some(bearer(&token)?);
        }
        if let (Some(certificate), Some(key)) = (status.client_certificate_data, status.client_key_data) {
            credentials.certificate =
                Some(tls::identity_of_pem(certificate.as_bytes(), key.expose().as_bytes())?);
        }
    }
    Ok(credentials)
}

fn id_token(provider: &AuthProvider) -> Result<&Secret, SignInError> {
    match provider.name.as_str() {
        "oidc" => provider.config.get("id-token").ok_or(SignInError::NoIdToken),
        other => Err(SignInError::Provider(other.to_owned())),
    }
}

fn bearer(token: &Secret) -> Result<HeaderValue, SignInError> {
    authorization("Bearer", token.expose().trim())
}

fn authorization(scheme: &str, credentials: &str) -> Result<HeaderValue, SignInError> {
    let text = Secret::new(format!("{scheme} {credentials}"));
    let mut value = HeaderValue::from_str(text.expose()).map_err(|_| SignInError::Characters)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Runs an exec plugin, once.
async fn run(exec: &Exec, cluster: &Cluster) -> Result<Status, SignInError> {
    let command = exec.command.clone();
    let terminal = std::io::stdin().is_terminal();
    if exec.interactive_mode == InteractiveMode::Always && !terminal {
        return Err(SignInError::NoTerminal(command));
    }
    let interactive = terminal && exec.interactive_mode != InteractiveMode::Never;
    let mut process = Command::new(&command);
    process
        .args(&exec.args)
        .envs(exec.env.iter().map(|variable| (&variable.name, &variable.value)))
        .env("KUBERNETES_EXEC_INFO", told(exec, cluster, interactive)?)
        // What is piped into this plugin is not meant for the other.
        .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stderr(if interactive { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PLUGIN, process.output()).await;
    let output = output.map_err(|_| SignInError::TimedOut(command.clone()))?.map_err(|cause| {
        let missing = cause.kind() == ErrorKind::NotFound && !exec.install_hint.is_empty();
        let hint = missing.then(|| format!("; {}", exec.install_hint.trim()));
        SignInError::Start { command: command.clone(), cause, hint }
    })?;
    if !output.status.success() {
        return Err(SignInError::Failed { command, status: output.status });
    }
    let stdout = zeroize::Zeroizing::new(output.stdout);
    let read = serde_json::from_slice::<ExecCredential>(&stdout);
    let status = read
        .map_err(|error| SignInError::NoCredential { command: command.clone(), cause: unexpected(&error) })?;
    match status.status {
        Status { token: None, client_certificate_data: None, .. } => Err(SignInError::NoCredential {
            command,
            cause: String::from("it has neither a token nor a certificate"),
        }),
        status => Ok(status),
    }
}

/// What the plugin is told, in `KUBERNETES_EXEC_INFO`.
fn told(exec: &Exec, cluster: &Cluster, interactive: bool) -> Result<String, SignInError> {
    let mut spec = json!({"interactive": interactive});
    if exec.provide_cluster_info {
        let authority = tls::pem_of(&cluster.certificate_authority_data, &cluster.certificate_authority)?;
        let config = cluster.extensions.iter().find(|extension| extension.name == FOR_PLUGINS);
        spec["cluster"] = json!({
            "server": cluster.server,
            "tls-server-name": cluster.tls_server_name,
            "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
            "certificate-authority-data": authority.map(|pem| STANDARD.encode(pem)),
            "proxy-url": cluster.proxy_url,
            "config": config.map(|extension| &extension.extension),
        });
    }
    Ok(json!({"apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec}).to_string())
}

//! Who asks the API server: a token, a certificate, or a program that makes one of them. A run is over long before a token
//! expires, so none is renewed.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use kube::config::{AuthInfo, AuthProviderConfig, Cluster};
use secrecy::ExposeSecret;
use thiserror::Error;
use zeroize::Zeroizing;

use super::exec::{self, Failure};
use super::pem::{self, Identity, PemError};
use crate::collect::bounded::{self, FileError, Limit};
use crate::collect::foreign::{hold, hold_key};
use crate::collect::{Deadline, Late};

/// How long signing in may take. An exec plugin may wait for a person, who signs in with a browser.
pub const LONGEST: Duration = Duration::from_secs(120);
/// The largest token: no server takes headers of that size.
const LARGEST_TOKEN: Limit = Limit::mib(1);

/// The header `Authorization`, and the client's certificates and key.
type Credentials = (Option<HeaderValue>, Option<Identity>);

/// Signing in failed. What an exec plugin wrote to stdout is never repeated: it may be a token.
#[derive(Debug, Error)]
pub enum SignInError {
    #[error("cannot read the token file {path}: {cause}")]
    TokenFile { path: String, cause: FileError },
    #[error("the token file {0} is not text")]
    NotText(String),
    #[error("the token or password contains characters that are not allowed in an HTTP header")]
    Characters,
    #[error(transparent)]
    Certificate(#[from] PemError),
    #[error("the auth provider \"{0}\" is not supported (kubectl 1.26 and newer know only oidc)")]
    Provider(String),
    #[error("the auth provider oidc has no id-token")]
    NoIdToken,
    #[error("the exec plugin {0} needs to prompt you, but standard input is not a terminal")]
    NoTerminal(String),
    #[error("the exec plugin {command} cannot be run: {cause}{hint}")]
    Start { command: String, cause: std::io::Error, hint: String },
    #[error("{0}")]
    Failed(Failure),
    #[error("{what} did not end{}", too_late(.late))]
    Late { what: String, late: Late },
    #[error("the exec plugin {command} did not print an ExecCredential: {cause}")]
    NoCredential { command: String, cause: String },
}

/// Signs in, in the order of client-go, before the time is up.
pub async fn sign_in(
    user: &AuthInfo,
    cluster: &Cluster,
    deadline: &Deadline,
) -> Result<Credentials, SignInError> {
    let signed_in = deadline.wait("signing in to the cluster", LONGEST, credentials(user, cluster)).await;
    signed_in.unwrap_or_else(|late| {
        let command = user.exec.as_ref().and_then(|exec| exec.command.as_deref());
        let what = command.map(|command| format!("the exec plugin {command}"));
        Err(SignInError::Late { what: what.unwrap_or_else(|| String::from("signing in")), late })
    })
}

fn too_late(late: &Late) -> String {
    match late {
        Late::Answer(limit) => format!(" within {} s", limit.as_secs_f32()),
        Late::Run(limit) => format!(" within {} s (--timeout)", limit.as_secs_f32()),
        Late::Interrupted => String::from(" before the run was interrupted"),
    }
}

async fn credentials(user: &AuthInfo, cluster: &Cluster) -> Result<Credentials, SignInError> {
    let certificate =
        pem::read(user.client_certificate_data.as_deref(), user.client_certificate.as_ref()).await?;
    let key = user.client_key_data.as_ref().map(ExposeSecret::expose_secret);
    let key = pem::read(key, user.client_key.as_ref()).await?;
    key.iter().for_each(|key| hold_key(key));
    let mut identity =
        Identity::of(certificate.as_ref().map(|pem| &***pem), key.as_ref().map(|pem| &***pem))?;
    let authorization = if let Some(provider) = &user.auth_provider {
        Some(bearer(id_token(provider)?)?)
    } else if let Some(path) = &user.token_file {
        let token = bounded::file_meanwhile(path, LARGEST_TOKEN).await;
        let token = token.map_err(|cause| SignInError::TokenFile { path: path.clone(), cause })?;
        Some(bearer(std::str::from_utf8(&token).map_err(|_| SignInError::NotText(path.clone()))?)?)
    } else if let Some(token) = &user.token {
        Some(bearer(token.expose_secret())?)
    } else if let Some(name) = &user.username {
        let password = user.password.as_ref().map_or("", |password| password.expose_secret());
        hold(password);
        let pair = Zeroizing::new(format!("{name}:{password}"));
        Some(authorization("Basic", &Zeroizing::new(STANDARD.encode(&*pair)))?)
    } else if let Some(exec) = &user.exec {
        // On the heap: it is large, and few sign in by it.
        let status = Box::pin(exec::run(exec, cluster)).await?;
        let key = status.client_key_data.as_ref().map(|key| key.expose_secret().as_bytes());
        key.into_iter().for_each(hold_key);
        if let Some(certificate) = status.client_certificate_data {
            identity = Identity::of(Some(certificate.as_bytes()), key)?;
        }
        status.token.map(|token| bearer(token.expose_secret())).transpose()?
    } else {
        None
    };
    Ok((authorization, identity))
}

fn id_token(provider: &AuthProviderConfig) -> Result<&str, SignInError> {
    match provider.name.as_str() {
        "oidc" => provider.config.get("id-token").map(String::as_str).ok_or(SignInError::NoIdToken),
        other => Err(SignInError::Provider(other.to_owned())),
    }
}

fn bearer(token: &str) -> Result<HeaderValue, SignInError> {
    authorization("Bearer", token.trim())
}

fn authorization(scheme: &str, credentials: &str) -> Result<HeaderValue, SignInError> {
    hold(credentials);
    let text = Zeroizing::new(format!("{scheme} {credentials}"));
    let mut value = HeaderValue::from_str(&text).map_err(|_| SignInError::Characters)?;
    value.set_sensitive(true);
    Ok(value)
}

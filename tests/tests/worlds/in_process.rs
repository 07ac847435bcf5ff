//! The plugin without its process: one run, rendered as JSON and as text. What it would take from its environment is handed over.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_http_client::proxy::ProxyConfig;
use clap::Parser;
use irsa::diagnosis;
use irsa::facts::Facts;
use irsa::output::{Format, Style, render};
use irsa_tests::run::Run;
use kubectl_irsa::cli::debug::{Debug, Kept};
use kubectl_irsa::collect::{Progress, Surroundings};

/// The command line behind `kubectl irsa debug`.
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    debug: Debug,
}

/// The user's environment.
pub struct Environment {
    kubeconfig: PathBuf,
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// That of a user with this kubeconfig and these variables; without any there is no way out of this machine.
    pub fn new(kubeconfig: &Path, variables: &[(String, String)]) -> Self {
        Self { kubeconfig: kubeconfig.to_owned(), variables: variables.iter().cloned().collect() }
    }

    /// What the user sees with `-o json`, and without.
    #[allow(dead_code, reason = "not all tests want the facts")]
    pub fn run(&self, arguments: &[OsString]) -> (Run, Run) {
        self.run_and_keep(arguments).0
    }

    /// The same, and the facts of each target.
    pub fn run_and_keep(&self, arguments: &[OsString]) -> ((Run, Run), Vec<Arc<Vec<Facts>>>) {
        let program = OsString::from("debug");
        let line = Line::try_parse_from(std::iter::once(&program).chain(arguments)).unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let surroundings = self.surroundings(Progress::lines(lines.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let kept = Kept::default();
        let (diagnoses, failures) = runtime.block_on(line.debug.judge(&surroundings, Some(&kept)));
        runtime.shutdown_background();
        let code = i32::from(diagnosis::exit_code(&diagnoses, !failures.is_empty()));
        let mut stderr = String::from_utf8(std::mem::take(&mut *lines.lock().unwrap())).unwrap();
        failures.iter().for_each(|failure| stderr += &format!("{failure}\n"));
        let rendered = |format| {
            let stdout = match diagnoses.is_empty() {
                true => String::new(),
                false => render(&diagnoses, format, &Style::default()).unwrap(),
            };
            Run { code: Some(code), stdout, stderr: stderr.clone() }
        };
        ((rendered(Format::Json), rendered(Format::Text)), kept.into_inner().unwrap())
    }

    fn surroundings(&self, progress: Progress) -> Surroundings {
        let variable = |name: &str| self.variables.get(name).cloned();
        let key = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
        let user = User(key.map(|(id, secret)| {
            Credentials::new(id, secret, variable("AWS_SESSION_TOKEN"), None, "the world's environment")
        }));
        let proxy = variable("HTTPS_PROXY").unwrap_or_else(|| "http://127.0.0.1:9".to_owned());
        Surroundings {
            kubeconfig: Some(self.kubeconfig.clone().into_os_string()),
            proxy: ProxyConfig::https(proxy).unwrap().no_proxy("127.0.0.1,localhost"),
            ca_bundle: variable("AWS_CA_BUNDLE").map(PathBuf::from),
            aws: Some(
                SdkConfig::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .region(variable("AWS_REGION").map(Region::new))
                    .credentials_provider(SharedCredentialsProvider::new(user))
                    .build(),
            ),
            progress,
        }
    }
}

/// Whose credentials are in the environment, or nobody's.
#[derive(Debug)]
struct User(Option<Credentials>);

impl ProvideCredentials for User {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let none = || CredentialsError::not_loaded("none in the environment");
        future::ProvideCredentials::ready(self.0.clone().ok_or_else(none))
    }
}

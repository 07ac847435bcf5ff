//! `kubectl irsa thumbprint`.

use std::fmt::Write;

use clap::Args;
use http::Uri;
use jiff::Timestamp;
use serde::Serialize;

use super::flags::{AwsFlags, ClusterFlags, Format, LONGEST};
use super::{CliError, print, print_json};
use crate::collect::aws::EksHints;
use crate::collect::certificates::{Certificate, Chain, chain};
use crate::collect::web::Web;
use crate::collect::{Deadline, Progress, Surroundings, issuer};
use irsa::facts::Fact;
use irsa::facts::issuer::Published;
use irsa::text::safe;
use irsa::text::shell;

/// Show the certificates of an OIDC issuer, its thumbprint, and whether IAM uses it at all
///
/// IAM verifies the issuer's certificate against its own list of trusted CAs and uses the configured thumbprint only if none
/// of them signed it. EKS issuers have certificates from a public CA, so their thumbprints are not used.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # of the cluster that kubectl talks to
  kubectl irsa thumbprint

  # of any issuer
  kubectl irsa thumbprint https://oidc.example.com/clusters/blue

Exit codes: 0 the chain was read, 2 it could not be read.")]
pub struct Thumbprint {
    /// The issuer; defaults to that of the cluster
    #[arg(value_name = "ISSUER-URL")]
    issuer: Option<String>,
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    #[command(flatten)]
    aws: AwsFlags,
    #[command(flatten)]
    cluster: ClusterFlags,
}

/// The result. Its serialised form is that of `-o json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    api_version: &'static str,
    kind: &'static str,
    /// The issuer.
    issuer: String,
    /// Where its keys are; IAM connects to this host.
    jwks_uri: Option<String>,
    /// What each host sends; the host of the keys first.
    chains: Vec<Chain>,
    /// SHA-1 of the top certificate of each chain.
    thumbprints: Vec<String>,
    /// False if a public CA signed every chain: IAM then ignores thumbprints.
    used_by_iam: bool,
    /// The command that sets them.
    update: String,
}

impl Thumbprint {
    /// Runs it.
    pub async fn run(&self) -> Result<u8, CliError> {
        let timeout = self.cluster.request_timeout()?;
        let surroundings = Surroundings::of_process(Progress::new(false));
        let progress = &surroundings.progress;
        // Only its answers are limited, and Ctrl-C ends it at once.
        let deadline = Deadline::beyond(LONGEST);
        let (url, account) = match &self.issuer {
            Some(url) => (with_scheme(url), None),
            None => {
                let access = self.cluster.access(surroundings.kubeconfig.clone());
                let kubeconfig = super::kubeconfig(&access, &deadline).await?;
                let server = access.server(&kubeconfig)?;
                let api = super::connected(server, timeout, deadline.clone(), progress).await?;
                match issuer::of_api(&api).await {
                    Fact::Known(discovery) => {
                        (discovery.value.issuer.clone(), EksHints::of(&kubeconfig, &access).account)
                    }
                    Fact::Unknown(unknown) => return Err(CliError::NoIssuer(unknown.why.to_string())),
                    Fact::Absent { source } => return Err(CliError::NoIssuer(format!("not in {source}"))),
                }
            }
        };
        let web = Web::new(&surroundings, timeout, deadline).map_err(CliError::Web)?;
        let jwks_uri = match issuer::published(&web, &url).await {
            Fact::Known(found) => match found.value {
                Published::Document(document) => document.jwks_uri,
                _ => None,
            },
            Fact::Absent { .. } | Fact::Unknown(_) => None,
        };
        // IAM fetches the keys; the issuer's own host matters where it differs.
        let mut hosts: Vec<(String, u16)> = Vec::new();
        for address in jwks_uri.iter().chain([&url]) {
            let host = host_and_port(address).ok_or_else(|| CliError::Value {
                flag: "ISSUER-URL",
                value: address.clone(),
                expected: "expected an https:// URL",
            })?;
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        let mut chains = Vec::new();
        for (host, port) in &hosts {
            chains.push(chain(host, *port, timeout).await.map_err(CliError::Chain)?);
        }
        progress.clear();
        let thumbprints: Vec<String> =
            chains.iter().filter_map(Chain::top).map(|top| top.sha1.clone()).collect();
        let report = Report {
            api_version: irsa::diagnosis::API_VERSION,
            kind: "Thumbprint",
            used_by_iam: chains.iter().any(|chain| chain.not_public.is_some()),
            update: update(&url, account.as_deref(), &self.aws, &thumbprints),
            issuer: url,
            jwks_uri,
            chains,
            thumbprints,
        };
        match self.output {
            Format::Text => print(&text(&report, Timestamp::now())),
            Format::Json => print_json(&report),
        }
    }
}

fn with_scheme(url: &str) -> String {
    let url = url.trim();
    if url.contains("://") { url.to_owned() } else { format!("https://{url}") }
}

fn host_and_port(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host().filter(|_| uri.scheme_str() == Some("https"))?;
    Some((host.to_owned(), uri.port_u16().unwrap_or(443)))
}

/// The command replaces the whole list, so it names all of them.
fn update(issuer: &str, account: Option<&str>, aws: &AwsFlags, thumbprints: &[String]) -> String {
    let path = issuer.strip_prefix("https://").unwrap_or(issuer);
    let partition = if path.contains(".amazonaws.com.cn") { "aws-cn" } else { "aws" };
    let flags = aws.profile().map(|profile| ["--profile", profile]);
    let words =
        ["aws", "iam", "update-open-id-connect-provider-thumbprint", "--open-id-connect-provider-arn"];
    let rest = std::iter::once("--thumbprint-list").chain(thumbprints.iter().map(String::as_str));
    let rest = shell::command(rest.chain(flags.into_iter().flatten()));
    let head = shell::command(words);
    let arn = match account {
        Some(account) => shell::quote(&format!("arn:{partition}:iam::{account}:oidc-provider/{path}")),
        None => format!("arn:{partition}:iam::\"${{ACCOUNT_ID:?}}\":oidc-provider/{}", shell::quote(path)),
    };
    format!("{head} {arn} {rest}")
}

fn text(report: &Report, now: Timestamp) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "issuer   {}", safe::line(&report.issuer));
    let keys = report.jwks_uri.as_deref().unwrap_or("(not known: the discovery document could not be read)");
    let _ = writeln!(text, "keys at  {}", safe::line(keys));
    for chain in &report.chains {
        let _ = writeln!(text, "\n{}:{} sends", safe::line(&chain.host), chain.port);
        for (index, certificate) in chain.certificates.iter().enumerate() {
            let last = index + 1 == chain.certificates.len();
            one(&mut text, index + 1, certificate, last, now);
        }
        let _ = match &chain.not_public {
            None => writeln!(text, "  signed by a public CA"),
            Some(why) => writeln!(text, "  not signed by a public CA: {}", safe::line(why)),
        };
    }
    let _ = writeln!(text);
    if report.used_by_iam {
        text.push_str(
            "IAM uses the configured thumbprint here, unless a CA that it trusts signed the chain.\n",
        );
        text.push_str("The provider's thumbprints must include that of the last certificate:\n");
    } else {
        text.push_str(
            "IAM does not use the thumbprint here: it trusts the CA itself. A different thumbprint is not a fault.\n",
        );
        text.push_str("Only needed if STS says \"OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint\":\n");
    }
    let _ = writeln!(text, "  {}", report.update);
    text
}

fn one(text: &mut String, number: usize, certificate: &Certificate, last: bool, now: Timestamp) {
    let _ = writeln!(text, "  {number}. {}", safe::line(&certificate.subject));
    let _ = writeln!(text, "     signed by  {}", safe::line(&certificate.issuer));
    if let Some(until) = certificate.not_after {
        let days = (until.as_second() - now.as_second()) / 86_400;
        let left =
            if until < now { format!("expired {} days ago", -days) } else { format!("{days} days left") };
        let _ = writeln!(text, "     valid until {until} ({left})");
    }
    let mark = if last { "  <- the thumbprint: that of the last certificate sent" } else { "" };
    let _ = writeln!(text, "     SHA-1      {}{mark}", certificate.sha1);
}

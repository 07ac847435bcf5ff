//! `kubectl irsa thumbprint`.

use std::fmt::Write;

use clap::Args;
use http::Uri;
use jiff::Timestamp;
use serde::Serialize;

use super::flags::{AwsFlags, ClusterFlags, Format, LONGEST};
use super::{CliError, print, print_json};
use crate::collect::aws::{EksHints, Profile};
use crate::collect::certificates::{Certificate, Chain, Flaw, chain};
use crate::collect::web::Web;
use crate::collect::{Deadline, Progress, Surroundings, issuer};
use irsa::aws::endpoint::has_public_certificate;
use irsa::facts::Fact;
use irsa::facts::issuer::Published;
use irsa::text::safe;
use irsa::text::shell;

/// Show the certificates of an OIDC issuer, its thumbprint, and whether IAM uses it at all
///
/// IAM verifies the issuer's certificate against its own list of trusted CAs and uses the configured thumbprint only if none
/// of them signed it. EKS issuers have certificates from a public CA, so their thumbprints are not used. Behind a proxy that
/// inspects TLS, the certificate is the proxy's: that is said, and no command is printed.
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

/// A host that every machine without a proxy in between can verify.
const KNOWN_PUBLIC: &str = "sts.amazonaws.com";

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
    /// The authority of a proxy that inspects TLS between this machine and AWS; the chains are then the proxy's own.
    inspected_by: Option<String>,
    /// SHA-1 of the top certificate of each chain; none of a proxy.
    thumbprints: Vec<String>,
    /// False if a public CA signs every chain: IAM then ignores thumbprints.
    used_by_iam: bool,
    /// The command that sets them; there is none where a proxy inspects.
    update: Option<String>,
}

impl Thumbprint {
    /// Runs it.
    pub async fn run(&self) -> Result<u8, CliError> {
        self.aws.check()?;
        // It is in the printed command.
        if self.aws.profile().is_some()
            && let Some(profile) = Profile::chosen(&self.aws.settings(EksHints::default()))
        {
            profile.existing().await?;
        }
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
        let private = chains.iter().find(|chain| !is_of_aws(chain) && chain.flaw == Some(Flaw::Authority));
        if let Some(private) = private
            && let Ok(known) = chain(KNOWN_PUBLIC, 443, timeout).await
            && known.flaw == Some(Flaw::Authority)
            && known.authority() == private.authority()
        {
            let (host, authority) = (private.host.clone(), private.authority().to_owned());
            return Err(CliError::Inspected { host, authority });
        }
        progress.clear();
        let inspected = chains.iter().find(|chain| is_inspected(chain));
        let inspected_by = inspected.map(|chain| chain.authority().to_owned());
        let tops = chains.iter().filter(|_| inspected_by.is_none()).filter_map(Chain::top);
        let thumbprints: Vec<String> = tops.map(|top| top.sha1.clone()).collect();
        let report = Report {
            api_version: irsa::diagnosis::API_VERSION,
            kind: "Thumbprint",
            used_by_iam: chains.iter().any(|chain| chain.not_public.is_some() && !is_of_aws(chain)),
            update: (!thumbprints.is_empty())
                .then(|| update(&url, account.as_deref(), &self.aws, &thumbprints)),
            issuer: url,
            jwks_uri,
            chains,
            inspected_by,
            thumbprints,
        };
        match self.output {
            Format::Text => print(&text(&report, Timestamp::now())),
            Format::Json => print_json(&report),
        }
    }
}

/// True for a host that AWS serves with a public certificate, whatever is seen of it here.
fn is_of_aws(chain: &Chain) -> bool {
    has_public_certificate(&chain.host)
}

/// True if this is not AWS's certificate, although it should be: something in between has made it. A wrong clock makes none.
fn is_inspected(chain: &Chain) -> bool {
    is_of_aws(chain) && matches!(chain.flaw, Some(Flaw::Authority | Flaw::Other))
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
    if let Some(authority) = &report.inspected_by {
        let _ = writeln!(
            text,
            "A proxy inspects TLS between this machine and AWS: what is seen here is signed by"
        );
        let _ = writeln!(text, "  {}", safe::line(authority));
        text.push_str(
            "which is no public CA, and AWS's certificates are signed by one. IAM does not see the proxy.\n",
        );
        text.push_str("There is nothing to change: IAM does not use the thumbprint of this issuer.\n");
        return text;
    }
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
    if let Some(update) = &report.update {
        let _ = writeln!(text, "  {update}");
    }
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

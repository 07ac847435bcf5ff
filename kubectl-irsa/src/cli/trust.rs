//! `kubectl irsa trust`.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use thiserror::Error;

use super::flags::{AwsFlags, ClusterFlags, duration};
use super::terminal::{self, Color};
use super::{CliError, print};
use crate::collect::aws::{EksHints, Session};
use crate::collect::web::Web;
use crate::collect::{Cloud, Deadline, Progress, Question, Stop, Surroundings, gather};
use irsa::aws::arn::RoleArn;
use irsa::derive::least::Least;
use irsa::diagnosis::Choice;
use irsa::facts::{Facts, Unknown, Why};
use irsa::output::as_code::Language;
use irsa::output::trust::{Form, Wanted, render};
use irsa::policy::{Decision, Document};
use irsa::target::{self, Kind, TargetError};
use irsa::trust::{By, Trusted};

/// Print the trust policy that a service account's role needs
///
/// It trusts this one service account: its issuer, its audience, its subject; with EKS Pod Identity its namespace, its name and its
/// cluster. If the role can be read, it is shown as a difference against the policy that the role has, with the command that puts it in
/// place. Nothing is changed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # the policy for a service account's own role, beside the one that it has
  kubectl irsa trust sa/checkout -n shop

  # let the service account in beside those whom the role trusts already, of this or another cluster
  kubectl irsa trust sa/checkout -n shop --add

  # the same for a role that no annotation names yet
  kubectl irsa trust sa/checkout -n shop --role arn:aws:iam::111122223333:role/shop-checkout

  # without a cluster and without AWS
  kubectl irsa trust sa/checkout -n shop --role arn:aws:iam::111122223333:role/shop-checkout \\
    --issuer https://oidc.eks.eu-west-1.amazonaws.com/id/4F1E27D9A0B84C6E93D5720AB81C6EF3 -o terraform

Exit codes: 0 printed, 2 wrong usage or could not run.")]
pub(super) struct Trust {
    /// The service account, or what runs as it: sa/NAME, pod/NAME, deploy/NAME, …
    target: String,
    /// ARN of the role; by default the one that the annotation or the association names
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// The tokens' issuer; with --role, neither the cluster nor AWS is asked
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The tokens' audience; by default the one that the cluster's webhook requests
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
    /// For EKS Pod Identity, also where no association exists yet
    #[arg(long, conflicts_with_all = ["issuer", "audience"])]
    pod_identity: bool,
    /// With --pod-identity: ARN of the cluster; with --role, neither the cluster nor AWS is asked
    #[arg(long, value_name = "ARN", requires = "pod_identity")]
    cluster_arn: Option<String>,
    /// Keep whom the role trusts, and add the service account
    #[arg(long)]
    add: bool,
    /// Output format
    #[arg(short, long, value_name = "FORMAT", value_parser = form(), default_value = "text")]
    output: Form,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Time limit for the whole run
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    timeout: String,
    #[command(flatten)]
    aws: AwsFlags,
    #[command(flatten)]
    cluster: ClusterFlags,
}

/// Why there is no policy to print.
#[derive(Debug, Error)]
pub(crate) enum TrustError {
    /// No role is named.
    #[error("service account {0} names no role; name it: --role arn:aws:iam::ACCOUNT:role/NAME")]
    NoRole(String),
    /// The ARN cannot be one of a role.
    #[error("--role \"{0}\": expected the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME")]
    RoleArn(String),
    /// The issuer is not known.
    #[error("the tokens' issuer is not known{0}; name it: --issuer https://…")]
    NoIssuer(String),
    /// AWS takes no such issuer.
    #[error("issuer \"{0}\": expected an https:// URL, which is all that AWS takes")]
    Issuer(String),
    /// What is to be added to cannot be read.
    #[error("--add: the trust policy of {role} could not be read: {why}")]
    NotRead {
        /// The role.
        role: String,
        /// Why not.
        why: String,
    },
    /// The language has no form for it.
    #[error("eksctl writes trust policies of its own, and takes none: use -o json, or another format")]
    NoForm,
    /// Offline, only a service account can be named.
    #[error("without a cluster, only a service account can be named: sa/NAME")]
    NotAServiceAccount,
}

fn form() -> impl TypedValueParser<Value = Form> {
    let languages = Language::ALL.into_iter().filter(|(language, ..)| *language != Language::Yaml);
    let plain = [("text", "For a person: the difference, and the command"), ("json", "The document alone")];
    let all: Vec<PossibleValue> = plain
        .into_iter()
        .chain(languages.map(|(_, name, purpose)| (name, purpose)))
        .map(|(name, purpose)| PossibleValue::new(name).help(purpose))
        .collect();
    PossibleValuesParser::new(all).map(|chosen| {
        let language = Language::ALL.into_iter().find(|(_, name, _)| *name == chosen);
        match (chosen.as_str(), language) {
            ("json", _) => Form::Json,
            (_, Some((language, ..))) => Form::Code(language),
            _ => Form::Text,
        }
    })
}

/// What is known of the subject: from the command line, or from the cluster and AWS.
struct Known {
    trusted: Trusted,
    role_arn: String,
    present: Option<Document>,
    aws_flags: Vec<String>,
}

impl Trust {
    pub(super) async fn run(&self) -> Result<u8, CliError> {
        self.aws.check()?;
        if let Some(role) = self.role.as_ref().filter(|role| RoleArn::parse(role).is_err()) {
            return Err(TrustError::RoleArn(role.clone()).into());
        }
        let known = match (self.offline()?, &self.output) {
            (Some(known), _) => known,
            (None, _) => Box::pin(self.online()).await?,
        };
        let Known { trusted, role_arn, present, aws_flags } = known;
        let least = trusted.document().ok_or_else(|| self.no_policy(&trusted))?;
        let document = match (&present, self.add) {
            (Some(present), true) => match trusted.decision(present) {
                Some(Decision::Allow { .. }) => present.clone(),
                _ => trusted.added_to(present).ok_or_else(|| self.no_policy(&trusted))?,
            },
            _ => least,
        };
        let role = RoleArn::parse(&role_arn).ok().map(|role| role.name());
        let (present, aws_flags) = (present.as_ref(), aws_flags.as_slice());
        let wanted = Wanted { trusted: &trusted, role, present, document: &document, aws_flags };
        let style = terminal::style(self.color, 0);
        print(&render(&wanted, self.output, &style)?.ok_or(TrustError::NoForm)?)
    }

    fn no_policy(&self, trusted: &Trusted) -> TrustError {
        match &trusted.by {
            By::Irsa { issuer, .. } => TrustError::Issuer(issuer.clone()),
            By::PodIdentity { .. } => TrustError::NoForm,
        }
    }

    /// All of it from the command line; `None` if something is to be asked.
    fn offline(&self) -> Result<Option<Known>, CliError> {
        let by = match (&self.issuer, &self.cluster_arn) {
            (Some(issuer), _) => By::Irsa {
                issuer: issuer.clone(),
                audience: self.audience.clone().unwrap_or_else(|| String::from(USUAL)),
            },
            (None, Some(cluster)) => By::PodIdentity { cluster: Some(cluster.clone()) },
            (None, None) => return Ok(None),
        };
        let (Some(role_arn), false) = (self.role.clone(), self.add) else { return Ok(None) };
        let target = target::parse(std::slice::from_ref(&self.target))?.pop().ok_or(TargetError::None)?;
        if target.kind != Kind::ServiceAccount {
            return Err(TrustError::NotAServiceAccount.into());
        }
        let role = RoleArn::parse(&role_arn).map_err(|_| TrustError::RoleArn(role_arn.clone()))?;
        let trusted = Trusted {
            partition: role.partition.to_owned(),
            account: role.account.to_owned(),
            namespace: self.cluster.namespace().unwrap_or("default").to_owned(),
            service_account: target.name,
            by,
        };
        Ok(Some(Known { trusted, role_arn, present: None, aws_flags: self.aws.profile_flags() }))
    }

    /// The rest from the cluster and AWS.
    async fn online(&self) -> Result<Known, CliError> {
        let surroundings = Surroundings::of_process(Progress::new(false));
        let deadline = Deadline::after(duration("--timeout", &self.timeout)?, &Stop::default());
        let facts = Box::pin(self.facts(&surroundings, &deadline)).await?;
        surroundings.progress.clear();
        let least = Least::of(&facts);
        let whose = format!("{}/{}", least.namespace, least.service_account);
        let role_arn =
            self.role.clone().or_else(|| least.role_arn.clone()).ok_or(TrustError::NoRole(whose))?;
        let by = match (self.pod_identity, &self.issuer, &least.by) {
            (true, ..) => By::PodIdentity {
                cluster: self
                    .cluster_arn
                    .clone()
                    .or_else(|| facts.aws.cluster.known().map(|cluster| cluster.value.arn.clone())),
            },
            (false, Some(issuer), by) => By::Irsa {
                issuer: issuer.clone(),
                audience: self.audience.clone().unwrap_or_else(|| match by {
                    Ok(By::Irsa { audience, .. }) => audience.clone(),
                    Ok(By::PodIdentity { .. }) | Err(_) => String::from(USUAL),
                }),
            },
            (false, None, Ok(By::Irsa { issuer, audience })) => By::Irsa {
                issuer: issuer.clone(),
                audience: self.audience.clone().unwrap_or_else(|| audience.clone()),
            },
            (false, None, Ok(by @ By::PodIdentity { .. })) => by.clone(),
            (false, None, Err(unknowns)) => return Err(TrustError::NoIssuer(words(unknowns)).into()),
        };
        let trusted = least.trusted(&role_arn, by).ok_or_else(|| TrustError::RoleArn(role_arn.clone()))?;
        let role = least.known_role().filter(|role| role.value.arn == role_arn);
        let present = role.and_then(|role| Document::parse(&role.value.trust).ok());
        if self.add && present.is_none() {
            let unknown = least.role.and_then(|role| role.unknown());
            let why = unknown.map_or_else(
                || String::from("there is none, or it cannot be parsed"),
                |unknown| unknown.why.to_string(),
            );
            return Err(TrustError::NotRead { role: role_arn, why }.into());
        }
        Ok(Known { trusted, role_arn, present, aws_flags: facts.request.aws_flags.clone() })
    }

    async fn facts(&self, surroundings: &Surroundings, deadline: &Deadline) -> Result<Facts, CliError> {
        let target = target::parse(std::slice::from_ref(&self.target))?.pop().ok_or(TargetError::None)?;
        let access = self.cluster.access(surroundings.kubeconfig.clone());
        let kubeconfig = super::kubeconfig(&access, deadline).await?;
        let server = access.server(&kubeconfig)?;
        let (namespace, timeout) = (server.namespace.clone(), self.cluster.request_timeout()?);
        let api = super::connected(server, timeout, deadline.clone(), &surroundings.progress).await?;
        let cloud = match Web::new(surroundings, timeout, deadline.clone()) {
            Ok(web) => {
                let settings = self.aws.settings(EksHints::of(&kubeconfig, &access));
                let session =
                    Box::pin(Session::open(settings, surroundings.aws.clone(), web.clone())).await?;
                Ok(Cloud {
                    session,
                    web,
                    progress: surroundings.progress.clone(),
                    assume: false,
                    logs: false,
                    probing: None,
                    actions: Vec::new(),
                    resources: Vec::new(),
                })
            }
            Err(error) => Err(Why::Failed(error.to_string())),
        };
        let (flags, checks) = (self.cluster.kubectl_flags(), Choice::default());
        let question = Question {
            namespace: &namespace,
            target: &target,
            container: None,
            kubectl_flags: &flags,
            own_flags: &[],
            said: None,
            checks: &checks,
        };
        let mut found = Box::pin(gather(&api, cloud.as_ref().map_err(Why::clone), question)).await?;
        // The newest pod's, if there are several.
        if found.is_empty() { Err(TargetError::None.into()) } else { Ok(found.swap_remove(0)) }
    }
}

fn words(unknowns: &[Unknown]) -> String {
    let all: Vec<String> =
        unknowns.iter().map(|unknown| format!("{}: {}", unknown.what, unknown.why)).collect();
    if all.is_empty() { String::new() } else { format!(" ({})", all.join("; ")) }
}

/// The audience that EKS's webhook requests.
const USUAL: &str = "sts.amazonaws.com";

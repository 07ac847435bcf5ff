//! `kubectl irsa policy`.

use clap::{Args, Subcommand, ValueEnum};

use super::{CliError, explain, print};
use irsa::admission::{self, Action, Form, IDS, Wanted};

/// Make admission policies of checks
#[derive(Debug, Subcommand)]
pub enum Policy {
    Export(Export),
}

/// Print admission policies that find what these checks find, before it is in the cluster
///
/// Only checks that need one object alone can be policies: misspelt annotations and malformed role ARNs of service accounts; in pods
/// variables of which one is preset, the label that skips the webhook, and tokens that are mounted with subPath. With --account and
/// --partition also roles of other accounts and partitions. Pods are checked as the webhook leaves them, whoever creates them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # warn whoever applies such an object; the API server itself does it (Kubernetes 1.30 and later)
  kubectl irsa policy export --as vap | kubectl apply -f -

  # refuse it, for roles of other accounts too, in the namespaces of a team
  kubectl irsa policy export --as vap --action deny --account 111122223333 --namespace-selector team=shop

  # for Kyverno, without the label that skips the webhook on purpose
  kubectl irsa policy export --as kyverno --skip skip-label

  # for Gatekeeper, one check
  kubectl irsa policy export --as gatekeeper --only role-arn-malformed

Exit codes: 0 they are printed, 2 wrong usage.")]
pub struct Export {
    /// What enforces them
    #[arg(long = "as", value_name = "FORM")]
    form: As,
    /// What happens to a bad object
    #[arg(long, value_name = "ACTION", default_value = "warn")]
    action: Then,
    /// Only this check; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// Not this check; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    skip: Vec<String>,
    /// An account that roles may be in; may be repeated
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',')]
    account: Vec<String>,
    /// The partition that roles must be in: aws, aws-cn, aws-us-gov
    #[arg(long, value_name = "PARTITION")]
    partition: Option<String>,
    /// Only in namespaces with this label
    #[arg(long, value_name = "KEY=VALUE")]
    namespace_selector: Option<String>,
}

/// `--as`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum As {
    /// ValidatingAdmissionPolicy, of the API server itself
    Vap,
    /// Kyverno's ClusterPolicy
    Kyverno,
    /// Gatekeeper's ConstraintTemplate
    Gatekeeper,
}

/// `--action`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Then {
    /// It is noted
    Audit,
    /// Whoever creates it is warned
    Warn,
    /// It is refused
    Deny,
}

impl Policy {
    /// Runs it.
    pub fn run(&self) -> Result<u8, CliError> {
        let Self::Export(export) = self;
        export.run()
    }
}

impl Export {
    fn run(&self) -> Result<u8, CliError> {
        for id in self.only.iter().chain(&self.skip) {
            if irsa::checks::by_id(id).is_none() {
                return Err(explain::no_such_check(id));
            }
            if !IDS.contains(&id.as_str()) {
                return Err(CliError::NoPolicy { id: id.clone(), ids: IDS.join(", ") });
            }
        }
        let refused =
            |flag, value: &str, expected| CliError::Value { flag, value: value.to_owned(), expected };
        let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(wrong) = self.account.iter().find(|account| !is_account(account)) {
            return Err(refused("--account", wrong, "expected an account id of twelve digits"));
        }
        let is_partition = |text: &str| {
            text.starts_with("aws") && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        };
        if let Some(wrong) = self.partition.as_deref().filter(|partition| !is_partition(partition)) {
            return Err(refused("--partition", wrong, "expected a partition such as aws or aws-cn"));
        }
        let selector = self.namespace_selector.as_deref();
        let label = match selector.map(|text| (text, text.split_once('='))) {
            None => None,
            Some((_, Some((key, value)))) if !key.is_empty() => Some((key, value)),
            Some((text, _)) => {
                return Err(refused("--namespace-selector", text, "expected a label such as team=shop"));
            }
        };
        let wanted = Wanted {
            accounts: self.account.clone(),
            partition: self.partition.clone(),
            only: self.only.clone(),
            skip: self.skip.clone(),
        };
        let rules = admission::rules(&wanted);
        if rules.is_empty() {
            return Err(CliError::NoRule);
        }
        let form = match self.form {
            As::Vap => Form::Vap,
            As::Kyverno => Form::Kyverno,
            As::Gatekeeper => Form::Gatekeeper,
        };
        let action = match self.action {
            Then::Audit => Action::Audit,
            Then::Warn => Action::Warn,
            Then::Deny => Action::Deny,
        };
        let text = admission::render(&rules, form, action, label).map_err(irsa::output::RenderError::from)?;
        print(&text)
    }
}

//! `kubectl irsa lint`: the checks, before anything is deployed.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::terminal::{Color, style};
use super::{CliError, explain, print};
use crate::collect::Progress;
use crate::collect::files::{self, FilesError};
use irsa::lint::{self, Options, Problem, Report};
use irsa::output;
use irsa::severity::Severity;
use irsa::text::safe;

mod junit;

/// Check manifests, Terraform plans and CloudFormation templates before they are deployed
///
/// Reads Kubernetes manifests (YAML or JSON; what `helm template` and `kubectl kustomize` print), plans as `terraform show -json`
/// prints them, and CloudFormation templates, and checks them together: a role beside the service account that names it, a
/// provider beside the role that trusts it. Nothing is asked of a cluster or of AWS. What is not known before deployment is never
/// a fault, and is said.
///
/// A comment `# irsa-lint: ignore=ID`, on the line or on the line before it, suppresses a problem.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # a directory
  kubectl irsa lint deploy/

  # a chart, an overlay
  helm template shop charts/shop -n shop | kubectl irsa lint -n shop -
  kubectl kustomize overlays/prod | kubectl irsa lint -

  # a plan, together with the manifests of what runs on it
  terraform plan -out plan.out && terraform show -json plan.out > plan.json
  kubectl irsa lint plan.json deploy/

  # annotations in a pull request, or a report for code scanning
  kubectl irsa lint -o github deploy/
  kubectl irsa lint -o sarif deploy/ > irsa.sarif

Exit codes: 0 no problems, 1 problems, 2 wrong usage or a file could not be read.")]
pub struct Lint {
    /// Files, directories, or - for stdin
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    /// From which severity on the exit code is 1
    #[arg(long, value_name = "SEVERITY", default_value = "warning")]
    fail_on: FailOn,
    /// Report only this problem; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// Do not report this problem; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    skip: Vec<String>,
    /// The issuer of the cluster that the change is for; by default any that the change itself has
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The namespace of objects that name none
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Also list what was passed over
    #[arg(short, long)]
    verbose: bool,
}

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// For programs
    Json,
    /// For code scanning (SARIF 2.1.0)
    Sarif,
    /// For test reports
    Junit,
    /// Annotations in a workflow of GitHub
    Github,
}

/// What counts as a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    /// Errors and warnings
    Warning,
    /// Errors only
    Error,
}

impl Lint {
    /// Runs it.
    pub fn run(&self) -> Result<u8, CliError> {
        for id in self.only.iter().chain(&self.skip) {
            if !lint::ids().contains(id.as_str()) {
                return Err(explain::no_such_check(id));
            }
        }
        if let Some(issuer) = self.issuer.as_ref().filter(|issuer| !issuer.starts_with("https://")) {
            return Err(CliError::Value {
                flag: "--issuer",
                value: issuer.clone(),
                expected: "expected an https:// URL",
            });
        }
        let progress = Progress::new(false);
        let mut all = lint::Lint::default();
        let errors = files::each(&self.paths, |name, bytes, found| all.file(name, bytes, found));
        let options = Options { issuer: self.issuer.clone(), namespace: self.namespace.clone() };
        let mut report = all.report(&options);
        report.problems.retain(|problem| self.reports(problem));
        self.tell(&report, &errors, &progress);
        let text = match self.output {
            Format::Text => output::lint::text(&report, &style(self.color, 0)),
            Format::Json => output::lint::json(&report)?,
            Format::Sarif => output::lint::sarif(&report)?,
            Format::Junit => junit::render(&report)?,
            Format::Github => output::lint::github(&report),
        };
        print(&text)?;
        let fails = |problem: &Problem| match self.fail_on {
            FailOn::Warning => true,
            FailOn::Error => problem.severity == Severity::Error,
        };
        let unread = !report.unread.is_empty() || errors.iter().any(|error| !is_empty(error));
        Ok(match (report.problems.iter().any(fails), unread) {
            (true, _) => 1,
            (false, true) => super::COULD_NOT_RUN,
            (false, false) => 0,
        })
    }

    fn reports(&self, problem: &Problem) -> bool {
        let is = |ids: &[String]| ids.iter().any(|id| id == problem.id);
        (self.only.is_empty() || is(&self.only)) && !is(&self.skip)
    }

    /// What a report for programs has no place for, on stderr.
    fn tell(&self, report: &Report, errors: &[FilesError], progress: &Progress) {
        for error in errors {
            progress.say(&safe::line(&error.to_string()));
        }
        let skipped = report.skipped.iter().filter(|_| self.verbose);
        for skipped in report.foreign.iter().chain(skipped) {
            progress.say(&format!("passed over {}", safe::line(&skipped.in_short())));
        }
        if self.output != Format::Text {
            for error in &report.unread {
                progress.say(&safe::line(&format!("could not read {error}")));
            }
            if report.checked.is_nothing() {
                progress.say(&output::lint::summary(report));
            }
        }
    }
}

/// A directory without any file of the kind: nothing to check.
fn is_empty(error: &FilesError) -> bool {
    matches!(error, FilesError::NoFiles { .. } | FilesError::Empty { .. })
}

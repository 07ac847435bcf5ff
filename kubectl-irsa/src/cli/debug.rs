//! `kubectl irsa debug`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use futures::StreamExt;
use jiff::Timestamp;
use tokio::time::Instant;

use super::fix::{self, Consent, Outcome};
use super::flags::{AwsFlags, ClusterFlags, ImageFlag, check_action, duration, form, language};
use super::terminal::{self, Color};
use super::wait::{self, Found};
use super::{CliError, print, read_before};
use crate::apply::Hands;
use crate::collect::aws::{EksHints, Session};
use crate::collect::cluster::{Api, Server};
use crate::collect::files;
use crate::collect::probe::{Cleanup, Probing, Via, When};
use crate::collect::web::Web;
use crate::collect::{Cloud, Deadline, Progress, Question, Stop, Surroundings, gather};
use irsa::aws_error;
use irsa::checks;
use irsa::diagnosis::{self, Choice, Diagnosis, diagnose_until};
use irsa::documents::{self, Store};
use irsa::facts::{Fact, Facts, Unknown, Why};
use irsa::output::as_code::Language;
use irsa::output::{self, Format, Style};
use irsa::rounds::{self, CollectError};
use irsa::target::{self, Target, TargetError};
use irsa::text::shell;

/// Find the broken link between a pod and AWS
///
/// Reads the service account, the pod and its environment, the workload and the webhook; reads the role and the OIDC provider
/// with your AWS credentials; tries a fresh token of the service account at STS, which needs no AWS credentials; where all this
/// does not prove the cause, looks from inside the pod with a probe that it adds as an ephemeral container; and says which link
/// is broken. A workload gets one report per distinct result of its pods, newest first. The report lists what could not be
/// checked, with the permission that would allow it.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  # why does this pod get AccessDenied?
  kubectl irsa debug pod/checkout-7d9f -n shop

  # all pods of a workload, one report per distinct result
  kubectl irsa debug deploy/checkout

  # all service accounts of a namespace that have a role, in a line each
  kubectl irsa debug -n shop

  # a service account before any pod uses it
  kubectl irsa debug sa/checkout

  # the role is in another account than the one you are signed in to
  kubectl irsa debug pod/checkout-7d9f --profile prod

  # is the role allowed to do what the application needs?
  kubectl irsa debug pod/checkout-7d9f --action s3:GetObject --resource 'arn:aws:s3:::orders/*'

  # with an error message of the application
  kubectl irsa debug pod/checkout-7d9f --error 'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity'

  # without a cluster: from saved output of kubectl and the AWS CLI
  kubectl get pod,sa,deploy -o yaml > checkout.yaml; aws iam get-role --role-name checkout > role.json
  kubectl irsa debug pod/checkout-7d9f --from checkout.yaml role.json

  # after the repair: until it is healthy, at most 10 minutes
  kubectl irsa debug deploy/checkout --wait

  # the repair as Terraform
  kubectl irsa debug deploy/checkout --fix-as terraform

  # repair it: shows what would change, and asks
  kubectl irsa debug deploy/checkout --fix

  # change nothing in the cluster
  kubectl irsa debug pod/checkout-7d9f --no-probe

  # the cluster refuses ephemeral containers, or no pod runs yet
  kubectl irsa debug sa/checkout --via pod

  # the nodes can only pull from a mirror
  kubectl irsa debug pod/checkout-7d9f --probe-image registry.example/irsa-probe:0.1.0

  # one line for a chat; JSON for a script
  kubectl irsa debug pod/checkout-7d9f -o short
  kubectl irsa debug pod/checkout-7d9f -o json

Exit codes: 0 healthy, 1 broken or degraded, 2 wrong usage or could not run, 3 inconclusive.")]
pub struct Debug {
    /// What to diagnose: pod/NAME, deploy/NAME, sts/NAME, ds/NAME, rs/NAME, job/NAME, cronjob/NAME, sa/NAME; NAME alone is
    /// a pod; without any, all service accounts of the namespace that have a role, in a line each and without the probe
    #[arg(value_name = "TARGET")]
    pub(super) targets: Vec<String>,
    /// The container to diagnose; by default the one that should have the identity
    #[arg(short, long, value_name = "NAME")]
    pub(super) container: Option<String>,
    /// Read Kubernetes objects and answers of AWS (JSON or YAML) from files or directories instead; - is stdin
    #[arg(short = 'f', long, visible_alias = "filename", value_name = "PATH", num_args = 1.., requires = "targets",
          conflicts_with = "probe_image")]
    pub(super) from: Vec<PathBuf>,
    /// Treat this as the current time, with --from: 2026-11-22T08:00:00Z
    #[arg(long, value_name = "TIME", requires = "from")]
    pub(super) at: Option<String>,
    /// Run only this check; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Do not run this check; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(super) skip: Vec<String>,
    #[arg(short, long, value_name = "FORMAT", value_parser = form(),
          help = "Output format; text, and without a TARGET short, by default")]
    pub(super) output: Option<Format>,
    /// Print repairs in the language of the tool that manages what they change; where it has no form, in words
    #[arg(long, value_name = "LANGUAGE", value_parser = language())]
    pub(super) fix_as: Option<Language>,
    /// Print instead of the report an IAM policy and Kubernetes Roles that grant what could not be read
    #[arg(long)]
    pub(super) print_permissions: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    /// Time limit for the whole run; by default 60s, with --wait 10m
    #[arg(long, value_name = "DURATION")]
    pub(super) timeout: Option<String>,
    /// Diagnose again and again until it is healthy: a repair takes effect in IAM after seconds, in a rollout after minutes.
    /// stderr tells what changes; the report is that of the last time
    #[arg(long, requires = "targets", conflicts_with_all = ["from", "error"])]
    pub(super) wait: bool,
    /// Repair what is broken: show what would change, ask, change it with your own credentials, and wait until the target is healthy
    ///
    /// The root cause is repaired; what else was found may be over then, and is for the next time. Each step is taken only if what it changes is still as it was diagnosed. A file in the working directory leads back (--undo). What
    /// others use as well, and the deletion of a pod, is asked for on its own. What only a person can do is left to you.
    #[arg(long, requires = "targets", conflicts_with_all = ["from", "output", "wait", "print_permissions"])]
    pub(super) fix: bool,
    #[command(flatten)]
    pub(super) consent: Consent,
    /// Take back what --fix changed: the file that it wrote
    #[arg(long, value_name = "FILE", conflicts_with_all = ["targets", "fix", "from", "wait"])]
    pub(super) undo: Option<PathBuf>,
    /// Also show links that do not apply and info findings; log each request to stderr
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Request no credentials: create no token of the service account and try none at STS
    ///
    /// Without it, a token of the service account is created that lives 10 minutes, and tried at STS with
    /// AssumeRoleWithWebIdentity. STS issues credentials for 15 minutes, which are discarded unread. CloudTrail shows the attempt
    /// under the session name that the pod would have, else as kubectl-irsa-debug.
    #[arg(long)]
    pub(super) no_assume: bool,
    /// Do not read the log of the target container
    #[arg(long)]
    pub(super) no_logs: bool,
    /// Add nothing to the cluster: do not probe the pod from inside
    #[arg(long, conflicts_with_all = ["probe_image", "probe"])]
    pub(super) no_probe: bool,
    /// Probe the pod from inside even where the cause is proven without
    #[arg(long, conflicts_with = "from")]
    pub(super) probe: bool,
    /// How to run the probe: as an ephemeral container of the pod, where that decides something; or in a pod of its own that is
    /// deleted afterwards, for clusters that refuse ephemeral containers, and for service accounts without pods
    #[arg(long, value_name = "WAY", default_value = "ephemeral", conflicts_with_all = ["no_probe", "from"])]
    pub(super) via: Via,
    #[command(flatten)]
    pub(super) image: ImageFlag,
    /// An error that the application printed; - reads it from stdin
    #[arg(long, value_name = "TEXT|-")]
    pub(super) error: Option<String>,
    /// An action that the application needs, to simulate for the role: s3:GetObject; may be repeated
    #[arg(long, value_name = "ACTION", value_delimiter = ',')]
    pub(super) action: Vec<String>,
    /// The resource ARN for the action; may be repeated
    #[arg(long, value_name = "ARN", requires = "action")]
    pub(super) resource: Vec<String>,
    #[command(flatten)]
    pub(super) aws: AwsFlags,
    #[command(flatten)]
    pub(super) cluster: ClusterFlags,
}

/// Where Kubernetes objects are read from.
enum Reader {
    /// A live API server.
    Api(Box<Api>),
    /// The user's files.
    Files(Arc<Store>),
}

impl Reader {
    /// The same, for what is read before this deadline.
    fn anew(&self, deadline: &Deadline) -> Self {
        match self {
            Self::Api(api) => Self::Api(Box::new(api.anew(deadline.clone()))),
            Self::Files(store) => Self::Files(Arc::clone(store)),
        }
    }
}

/// The cluster, or the files that stand for it.
struct Opened {
    reader: Reader,
    /// The server, and when the user signed in to it; `None` for files.
    server: Option<(Server, Instant)>,
    namespace: String,
    /// What a printed command needs to reach the same cluster.
    kubectl_flags: Vec<String>,
    /// What is known of the cluster in EKS; `None` for files.
    hints: Option<EksHints>,
    /// The text of `--error`.
    said: Option<String>,
}

/// Where facts are read from.
struct Sources<'o> {
    opened: &'o Opened,
    reader: Reader,
    /// Or why AWS is not asked.
    cloud: Result<Cloud, Why>,
}

impl Sources<'_> {
    /// The service accounts of the namespace that have a role: by annotation, or by an association as far as EKS can be asked.
    async fn with_role(&self, progress: &Progress) -> Result<Vec<Target>, CliError> {
        let Reader::Api(api) = &self.reader else { return Err(TargetError::None.into()) };
        let namespace = &self.opened.namespace;
        let associations = match &self.cloud {
            Ok(cloud) => cloud.session.associations_of(Some(namespace)).await,
            Err(why) => Fact::unknown_because("EKS Pod Identity associations", why.clone(), None),
        };
        if let Some(Unknown { why, .. }) = associations.unknown() {
            progress.say(&format!("not listed: EKS Pod Identity associations ({why})"));
        }
        let associated = associations.known().into_iter().flat_map(|found| &found.value.items);
        let associated = associated.map(|one| one.value.service_account.clone()).collect();
        let targets = rounds::with_role(api.as_ref(), namespace, &associated).await?;
        let accounts = match targets.len() {
            1 => String::from("1 service account has a role"),
            count => format!("{count} service accounts have a role"),
        };
        let flag = shell::quote(namespace);
        progress.say(&format!(
            "namespace {namespace}: {accounts}; more of one, from inside a pod: `kubectl irsa debug sa/NAME -n {flag}`"
        ));
        Ok(targets)
    }
}

/// What is the same for every try of a run.
#[derive(Clone, Copy)]
struct Run<'r> {
    choice: &'r Choice,
    surroundings: &'r Surroundings,
    cleanup: &'r Cleanup,
    /// Takes the facts of each target.
    kept: Option<&'r Kept>,
}

/// The facts of each target of a run.
pub type Kept = Mutex<Vec<Arc<Vec<Facts>>>>;

impl Debug {
    /// Runs it; the exit code is decided before anything is rendered.
    pub(crate) async fn run(&self, cleanup: &Cleanup, stop: &Stop) -> Result<u8, CliError> {
        let surroundings = Surroundings::of_process(Progress::new(self.verbose > 0));
        if let Some(path) = &self.undo {
            let deadline = Deadline::after(TO_FIX, stop);
            let hands = self.hands(&surroundings, &deadline).await?;
            fix::go_back(&hands, path, &self.consent, &deadline, &surroundings.progress).await?;
            return Ok(0);
        }
        let outcome = self.diagnoses(&surroundings, cleanup, stop, None).await;
        let (diagnoses, failures) = match outcome {
            Ok((diagnoses, failures)) if !diagnoses.is_empty() || !stop.is_stopped() => (diagnoses, failures),
            // Nothing was known yet; whatever error the interruption became, it is that.
            _ if stop.is_stopped() => return Err(CliError::Interrupted(cleanup.clone())),
            other => other?,
        };
        let code = diagnosis::exit_code(&diagnoses, !failures.is_empty());
        let mut failures = failures.into_iter();
        if diagnoses.is_empty()
            && let Some(only) = failures.next()
        {
            failures.for_each(|failure| super::print_error(&failure));
            return Err(only);
        }
        if self.print_permissions {
            let missing = output::permissions::permissions(&diagnoses);
            if missing.is_empty() {
                surroundings.progress.say("no permission was missing");
            }
            print(&missing)?;
        } else {
            let style = Style { fix_as: self.fix_as, ..terminal::style(self.color, self.verbose) };
            print(&match self.output {
                None if self.targets.is_empty() => overview(&diagnoses, &style)?,
                format => output::render(&diagnoses, format.unwrap_or_default(), &style)?,
            })?;
        }
        // One target's failure must not suppress the others' diagnoses.
        failures.for_each(|failure| super::print_error(&failure));
        if !self.fix || stop.is_stopped() {
            return Ok(code);
        }
        if code == 0 {
            surroundings.progress.say("--fix: nothing is broken, so nothing is changed");
            return Ok(code);
        }
        self.repair(&diagnoses, code, &surroundings, cleanup, stop).await
    }

    /// Repairs what was found, and diagnoses again until it is healthy.
    async fn repair(
        &self,
        diagnoses: &[Diagnosis],
        code: u8,
        surroundings: &Surroundings,
        cleanup: &Cleanup,
        stop: &Stop,
    ) -> Result<u8, CliError> {
        let deadline = Deadline::after(TO_FIX, stop);
        let hands = self.hands(surroundings, &deadline).await?;
        let style = terminal::style(self.color, self.verbose);
        let (consent, progress) = (&self.consent, &surroundings.progress);
        match Box::pin(fix::repair(&hands, diagnoses, consent, &deadline, &style, progress)).await? {
            Outcome::Left => Ok(code),
            Outcome::Done { is_whole } => {
                // What the application said before says nothing about what it does now.
                let again = Self { fix: false, wait: is_whole, error: None, ..self.clone() };
                let (after, failures) = Box::pin(again.diagnoses(surroundings, cleanup, stop, None)).await?;
                let code = diagnosis::exit_code(&after, !failures.is_empty());
                print(&format!("\nafter the repair\n{}", output::render(&after, Format::Text, &style)?))?;
                failures.iter().for_each(super::print_error);
                Ok(code)
            }
        }
    }

    /// What makes changes: other connections than those that only read.
    async fn hands(&self, surroundings: &Surroundings, deadline: &Deadline) -> Result<Hands, CliError> {
        let access = self.cluster.access(surroundings.kubeconfig.clone());
        let kubeconfig = super::kubeconfig(&access, deadline).await?;
        let server = access.server(&kubeconfig)?;
        let timeout = self.cluster.request_timeout()?;
        let api = super::connected(server, timeout, deadline.clone(), &surroundings.progress).await?;
        let hints = EksHints::of(&kubeconfig, &access);
        let session = match Web::new(surroundings, timeout, deadline.clone()) {
            Ok(web) => {
                let settings = self.aws.settings(hints);
                Ok(Box::pin(Session::open(settings, surroundings.aws.clone(), web)).await?)
            }
            Err(error) => Err(Why::Failed(error.to_string())),
        };
        Ok(Hands { api, session })
    }

    /// The diagnoses of all targets in any surroundings, and what is said of the errors; for tests, which run many in one process.
    /// `kept` takes the facts.
    pub async fn judge(
        &self,
        surroundings: &Surroundings,
        kept: Option<&Kept>,
    ) -> (Vec<Diagnosis>, Vec<String>) {
        match self.diagnoses(surroundings, &Cleanup::default(), &Stop::default(), kept).await {
            Ok((diagnoses, failures)) => (diagnoses, failures.iter().map(CliError::told).collect()),
            Err(error) => (Vec::new(), vec![error.told()]),
        }
    }

    /// The diagnoses of all targets, and the errors of those that could not be read.
    pub(super) async fn diagnoses(
        &self,
        surroundings: &Surroundings,
        cleanup: &Cleanup,
        stop: &Stop,
        kept: Option<&Kept>,
    ) -> Result<Found, CliError> {
        let targets = match self.targets.as_slice() {
            [] => None,
            words => Some(target::parse(words)?),
        };
        self.check()?;
        let choice = Choice { only: known_ids(&self.only)?, skip: known_ids(&self.skip)? };
        let limit = match &self.timeout {
            Some(text) => duration("--timeout", text)?,
            None if self.wait => WAIT,
            None => wait::A_TRY,
        };
        if limit.is_zero() {
            return Err(CliError::Value {
                flag: "--timeout",
                value: self.timeout.clone().unwrap_or_default(),
                expected: "expected more than nothing, such as 60s",
            });
        }
        self.image.image()?;
        let deadline = Deadline::after(limit, stop);
        let outcome = self.by(&deadline, targets, Run { choice: &choice, surroundings, cleanup, kept }).await;
        surroundings.progress.clear();
        // Without a diagnosis, the error names who was late.
        if let (Ok((diagnoses, _)), Some(blame)) = (&outcome, deadline.blame())
            && !diagnoses.is_empty()
        {
            surroundings.progress.say(&format!("{blame}; {cleanup}"));
        }
        outcome
    }

    /// Opens the sources and diagnoses, from what they answer before the deadline; with `--wait` until it is healthy.
    async fn by(
        &self,
        deadline: &Deadline,
        targets: Option<Vec<Target>>,
        run: Run<'_>,
    ) -> Result<Found, CliError> {
        let mut opened = self.open(deadline, run.surroundings).await?;
        let targets = match targets {
            Some(targets) if self.wait => targets,
            targets => return self.diagnose(&opened, deadline, targets.as_deref(), run, 1).await,
        };
        let mut tries = 0;
        let again = async |targets: &[Target], deadline: &Deadline| {
            tries += 1;
            self.renew(&mut opened, deadline, run.surroundings).await?;
            Box::pin(self.diagnose(&opened, deadline, Some(targets), run, tries)).await
        };
        wait::until_healthy(deadline, &run.surroundings.progress, run.cleanup, targets, again).await
    }

    /// Signs in again before a sign-in expires: a token of EKS lives 15 minutes.
    async fn renew(
        &self,
        opened: &mut Opened,
        deadline: &Deadline,
        surroundings: &Surroundings,
    ) -> Result<(), CliError> {
        if let Some((server, since)) = opened.server.as_mut().filter(|(_, since)| since.elapsed() > SIGNED_IN)
        {
            let (timeout, progress) = (self.cluster.request_timeout()?, &surroundings.progress);
            let api = super::connected(server.clone(), timeout, deadline.clone(), progress).await?;
            (opened.reader, *since) = (Reader::Api(Box::new(api)), Instant::now());
        }
        Ok(())
    }

    /// All targets at once.
    async fn diagnose(
        &self,
        opened: &Opened,
        deadline: &Deadline,
        targets: Option<&[Target]>,
        run: Run<'_>,
        tries: usize,
    ) -> Result<Found, CliError> {
        // The rest of the time is for the reading of its report.
        let until = deadline.at() - TO_READ.min(deadline.left() / 4);
        let probing = match targets {
            Some(_) => self.probing(until, run, tries)?,
            // Nobody who wants to see what there is wants a container in each of the pods.
            None => None,
        };
        let cloud = match opened.hints.clone() {
            Some(hints) => self.cloud(hints, run.surroundings, probing, deadline.clone()).await?,
            None => Err(Why::NotInFiles),
        };
        let sources = Sources { opened, reader: opened.reader.anew(deadline), cloud };
        let found;
        let targets = match targets {
            Some(targets) => targets,
            None => {
                found = Box::pin(sources.with_role(&run.surroundings.progress)).await?;
                &found
            }
        };
        let one = |target| self.diagnose_one(&sources, deadline, target, run);
        let mut diagnoses = Vec::new();
        let mut failures = Vec::new();
        let outcomes = futures::stream::iter(targets.iter().map(one)).buffered(AT_ONCE);
        for outcome in outcomes.collect::<Vec<_>>().await {
            match outcome {
                Ok(found) => diagnoses.extend(found),
                Err(error) => failures.push(error),
            }
        }
        Ok((diagnoses, failures))
    }

    async fn diagnose_one(
        &self,
        sources: &Sources<'_>,
        deadline: &Deadline,
        target: &Target,
        run: Run<'_>,
    ) -> Result<Vec<Diagnosis>, CliError> {
        let Sources { opened: Opened { namespace, kubectl_flags, said, .. }, reader, cloud } = sources;
        let in_files = match (reader, self.cluster.namespace()) {
            (Reader::Files(store), None) => namespace_in_files(store, target)?,
            _ => None,
        };
        let namespace = in_files.as_deref().unwrap_or(namespace);
        let (cloud, container) = (cloud.as_ref().map_err(Why::clone), self.container.as_deref());
        let subjects = match reader {
            Reader::Api(api) => {
                let said = said.as_deref();
                let own_flags = &self.own_flags();
                let checks = run.choice;
                let question =
                    Question { namespace, target, container, kubectl_flags, own_flags, said, checks };
                Box::pin(gather(api, cloud, question)).await?
            }
            Reader::Files(store) => {
                let mut subjects = rounds::of_documents(store, namespace, target, container)?;
                if let Some(text) = said {
                    subjects.iter_mut().for_each(|facts| documents::log::add_said(facts, text));
                }
                subjects
            }
        };
        let subjects = Arc::new(subjects);
        if let Some(kept) = run.kept {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&subjects));
        }
        // Of tens of thousands of pods it takes a while, in which others are waited for.
        let (choice, deadline, began) = (run.choice.clone(), deadline.clone(), Instant::now());
        let stop = move || deadline.over().filter(|_| began.elapsed() > TO_JUDGE).map(Why::from);
        let judge = move || diagnose_until(&subjects, &choice, &stop);
        // A panic would have ended the process.
        let judged = tokio::task::spawn_blocking(judge).await;
        Ok(judged.map_err(|error| CliError::Runtime(error.into()))?.diagnoses)
    }

    /// The flags without which another run would not see the same.
    fn own_flags(&self) -> Vec<String> {
        let each = |flag: &str, values: &[String]| -> Vec<String> {
            values.iter().flat_map(|value| [flag.to_owned(), value.clone()]).collect()
        };
        [self.aws.cluster_flags(), each("--action", &self.action), each("--resource", &self.resource)]
            .concat()
    }

    /// Refuses values that cannot mean anything.
    fn check(&self) -> Result<(), CliError> {
        self.aws.check()?;
        self.action.iter().try_for_each(|action| check_action(action))?;
        match self.resource.iter().find(|resource| !resource.starts_with("arn:") && *resource != "*") {
            None => Ok(()),
            Some(resource) => Err(CliError::Value {
                flag: "--resource",
                value: resource.clone(),
                expected: "expected an ARN such as arn:aws:s3:::orders/*",
            }),
        }
    }

    /// What the user wants of the probe.
    fn probing(&self, until: Instant, run: Run<'_>, tries: usize) -> Result<Option<Probing>, CliError> {
        if self.no_probe {
            return Ok(None);
        }
        Ok(Some(Probing {
            image: self.image.image()?,
            via: self.via,
            when: match self.via {
                _ if self.probe => When::Always,
                _ if self.wait => When::Healthy { unclear: tries > wait::SETTLED },
                Via::Pod => When::Always,
                Via::Ephemeral => When::Undecided,
            },
            assume: !self.no_assume,
            until,
            progress: run.surroundings.progress.clone(),
            cleanup: run.cleanup.clone(),
        }))
    }

    /// Reads the files, or signs in to the cluster.
    async fn open(&self, deadline: &Deadline, surroundings: &Surroundings) -> Result<Opened, CliError> {
        let said = match self.error.as_deref() {
            Some("-") => Some(read_before(deadline, "stdin", super::stdin).await?),
            given => given.map(str::to_owned),
        };
        if said
            .as_deref()
            .is_some_and(|text| aws_error::pasted(text).is_empty() && !aws_error::mentions_aws(text))
        {
            surroundings.progress.say(
                "--error: no known AWS error in this text, so it decides nothing; paste the whole message",
            );
        }
        if !self.from.is_empty() {
            let at = self.at.as_ref().map(|text| {
                text.parse::<Timestamp>().map_err(|_| CliError::Value {
                    flag: "--at",
                    value: text.clone(),
                    expected: "expected a time such as 2026-11-22T08:00:00Z",
                })
            });
            let (from, at, progress) = (self.from.clone(), at.transpose()?, surroundings.progress.clone());
            let load = move || files::load(&from, at, &progress);
            return Ok(Opened {
                reader: Reader::Files(Arc::new(read_before(deadline, "the files", load).await?)),
                server: None,
                namespace: self.cluster.namespace().unwrap_or("default").to_owned(),
                kubectl_flags: Vec::new(),
                hints: None,
                said,
            });
        }
        let access = self.cluster.access(surroundings.kubeconfig.clone());
        let kubeconfig = super::kubeconfig(&access, deadline).await?;
        let server = access.server(&kubeconfig)?;
        let namespace = server.namespace.clone();
        let timeout = self.cluster.request_timeout()?;
        let connected = super::connected(server.clone(), timeout, deadline.clone(), &surroundings.progress);
        Ok(Opened {
            reader: Reader::Api(Box::new(connected.await?)),
            server: Some((server, Instant::now())),
            namespace,
            kubectl_flags: self.cluster.kubectl_flags(),
            hints: Some(EksHints::of(&kubeconfig, &access)),
            said,
        })
    }

    /// If AWS cannot be set up, only AWS's part of the answer is missing.
    async fn cloud(
        &self,
        hints: EksHints,
        surroundings: &Surroundings,
        probing: Option<Probing>,
        deadline: Deadline,
    ) -> Result<Result<Cloud, Why>, CliError> {
        let web = match Web::new(surroundings, self.cluster.request_timeout()?, deadline) {
            Ok(web) => web,
            Err(error) => return Ok(Err(Why::Failed(error.to_string()))),
        };
        let session = Session::open(self.aws.settings(hints), surroundings.aws.clone(), web.clone());
        Ok(Ok(Cloud {
            session: Box::pin(session).await?,
            web,
            progress: surroundings.progress.clone(),
            assume: !self.no_assume,
            logs: !self.no_logs,
            probing,
            actions: self.action.clone(),
            resources: self.resource.clone(),
        }))
    }
}

/// A line for each, by its service account.
fn overview(diagnoses: &[Diagnosis], style: &Style) -> Result<String, CliError> {
    let line = |diagnosis: &Diagnosis| {
        let line = output::render(std::slice::from_ref(diagnosis), Format::Short, style)?;
        Ok(format!("sa/{}: {line}", diagnosis.target.service_account))
    };
    diagnoses.iter().map(line).collect()
}

/// The words of a command line in which the targets stand behind the files: `debug --from a.yaml deploy/x`. `None` if there are no
/// such.
pub(super) fn targets_first(mut words: Vec<OsString>) -> Option<Vec<OsString>> {
    let is_target = |word: &OsString| {
        let target = word.to_str().filter(|word| word.contains('/')).map(str::to_owned);
        target.is_some_and(|target| target::parse(&[target]).is_ok()) && !Path::new(word).exists()
    };
    let command = 1 + words.iter().position(|word| word == "debug")?;
    let is_from = |word: &OsString| ["--from", "--filename", "-f"].iter().any(|flag| word == flag);
    let from = 1 + words.iter().rposition(is_from)?;
    let ends = |word: &OsString| word.as_encoded_bytes().starts_with(b"-") && word != "-";
    let end = words.iter().skip(from).position(ends).map_or(words.len(), |flag| from + flag);
    // The first is a file in any case.
    let targets = words.get(from + 1..end)?.iter().rev().take_while(|word| is_target(word)).count();
    let targets: Vec<_> = words.drain(end - targets..end).collect();
    let found = !targets.is_empty();
    words.splice(command..command, targets);
    found.then_some(words)
}

/// Targets that are diagnosed at once: the service accounts of a namespace may be many.
const AT_ONCE: usize = 8;
/// How long what was read may be judged although the waiting has ended: hundreds of pods take less, tens of thousands more.
const TO_JUDGE: Duration = Duration::from_secs(2);
/// The time limit of a run with `--wait`: IAM takes seconds, a rollout minutes.
const WAIT: Duration = Duration::from_secs(600);
/// How long a repair may take, with the questions that it asks.
const TO_FIX: Duration = Duration::from_secs(600);
/// How long a sign-in to the cluster is relied on.
const SIGNED_IN: Duration = Duration::from_secs(600);
/// The part of `--timeout` that is left after the probe must have ended.
const TO_READ: Duration = Duration::from_secs(3);

/// With `--from` and without `-n`, the target's namespace in the files.
fn namespace_in_files(store: &Store, target: &Target) -> Result<Option<String>, CliError> {
    let mut namespaces = store.namespace_of(target.kind.kind(), &target.name);
    namespaces.sort();
    namespaces.dedup();
    match namespaces.len() {
        0 | 1 => Ok(namespaces.pop().filter(|namespace| !namespace.is_empty())),
        _ => Err(CollectError::Ambiguous { kind: target.kind.word(), name: target.name.clone(), namespaces }
            .into()),
    }
}

/// Refuses an id that no check has, rather than running nothing.
fn known_ids(ids: &[String]) -> Result<Vec<String>, CliError> {
    for id in ids {
        if checks::by_id(id).is_none() {
            return Err(super::explain::no_such_check(id));
        }
    }
    Ok(ids.to_vec())
}

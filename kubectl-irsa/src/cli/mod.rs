//! The command line: flags, help, and the one place that prints.

mod bundle;
mod completion;
mod core_dump;
pub mod debug;
mod explain;
mod fix;
mod flags;
mod habits;
mod image;
mod lint;
mod man;
mod policy;
mod stdout;
mod terminal;
mod thumbprint;
mod trust;
mod version;
mod wait;

use std::ffi::OsString;
use std::io::Write;
use std::panic::Location;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use kube::config::Kubeconfig;
use serde::Serialize;
use thiserror::Error;

use crate::collect::bounded::{self, Limit};
use crate::collect::cluster::{Access, AccessError, Api, ConnectionError, Server};
use crate::collect::files::FilesError;
use crate::collect::foreign::without_held;
use crate::collect::probe::Cleanup;
use crate::collect::{Deadline, Late, Progress, Stop, for_stderr};
use irsa::output::RenderError;
use irsa::rounds::CollectError;
use irsa::target::TargetError;
use irsa::text::near;

/// More of stdin is not read.
const LARGEST: Limit = Limit::mib(16);
/// How long what somebody pipes may take, where the run's own deadline is not before that.
const LONGEST_READ: Duration = Duration::from_secs(600);
/// Wrong usage, or it could not run.
const COULD_NOT_RUN: u8 = 2;
/// Stopped by Ctrl-C or the like; as in shells, 128 + SIGINT.
const INTERRUPTED: u8 = 130;

/// Why can this pod not reach AWS?
///
/// Finds the broken link between a pod and its AWS identity (IAM roles for service accounts, EKS Pod Identity), shows the
/// two values that differ and prints the command that repairs it.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-irsa",
    bin_name = "kubectl irsa",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 healthy, 1 broken or degraded, 2 wrong usage or could not run, 3 inconclusive.\n\
                  Start with:  kubectl irsa debug pod/NAME"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Debug(Box<debug::Debug>),
    Lint(lint::Lint),
    Explain(explain::Explain),
    Trust(Box<trust::Trust>),
    Bundle(Box<bundle::Bundle>),
    Thumbprint(Box<thumbprint::Thumbprint>),
    #[command(subcommand)]
    Policy(policy::Policy),
    Image(image::Image),
    Version(version::Version),
    /// Complete commands, targets and flags in the shell
    #[command(
        subcommand,
        after_help = "Examples:\n  # kubectl irsa debug pod/<TAB>\n  kubectl irsa completion install\n\n  \
                      # kubectl-irsa itself, in bash\n  source <(kubectl-irsa completion bash)"
    )]
    Completion(completion::Completion),
    #[command(hide = true)]
    Man(man::Man),
}

/// Everything that can end a run without a diagnosis.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    /// TARGET cannot be read.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The cluster cannot be addressed.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The connection cannot be set up: signing in, a certificate or key that cannot be used, a proxy.
    #[error("cannot set up the connection to {address}: {cause}")]
    Connection {
        /// The server.
        address: String,
        /// What is wrong.
        cause: ConnectionError,
    },
    /// The AWS profile does not exist.
    #[error(transparent)]
    Profile(#[from] crate::collect::aws::NoSuchProfile),
    /// The files cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The target cannot be read.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// `--probe-image` is not an image reference.
    #[error(transparent)]
    Image(#[from] crate::collect::probe::ImageError),
    /// A check that is no admission policy.
    #[error("{id} needs more than one object, so it is no admission policy; these are: {ids}")]
    NoPolicy {
        /// What was asked for.
        id: String,
        /// Those that are.
        ids: String,
    },
    /// Nothing is left of the policies.
    #[error("no check is left; wrong-account-in-arn needs --account, wrong-partition --partition")]
    NoRule,
    /// There is no bundle.
    #[error(transparent)]
    NoBundle(#[from] irsa::bundle::BundleError),
    /// The bundle cannot be saved.
    #[error("cannot write {path}: {cause}{}", overwrite(.cause))]
    Bundle {
        /// Where.
        path: String,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The man pages cannot be written.
    #[error("cannot write man pages into {path}: {cause}")]
    Man {
        /// Where.
        path: String,
        /// The system's words.
        cause: std::io::Error,
    },
    /// kubectl's completion cannot be installed.
    #[error(transparent)]
    Install(#[from] completion::InstallError),
    /// The cluster's issuer is not known.
    #[error("cannot read the cluster's issuer: {0}; name it yourself: kubectl irsa thumbprint https://…")]
    NoIssuer(String),
    /// The HTTPS client cannot be set up.
    #[error(transparent)]
    Web(crate::collect::web::WebError),
    /// The issuer's certificates cannot be read.
    #[error(transparent)]
    Chain(crate::collect::certificates::CertificatesError),
    /// The certificates are a proxy's.
    #[error(
        "a proxy inspects TLS here: {host} shows a certificate of {authority}, and so does sts.amazonaws.com; its thumbprint is not \
         the issuer's: run this where no proxy is in between"
    )]
    Inspected {
        /// The issuer's host.
        host: String,
        /// Who signed it.
        authority: String,
    },
    /// There is no trust policy to print.
    #[error(transparent)]
    Trust(#[from] trust::TrustError),
    /// A repair was not made, or not all of it.
    #[error(transparent)]
    Fix(#[from] fix::FixError),
    /// The diagnosis cannot be printed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The problems cannot be written as JUnit's XML.
    #[error("the problems cannot be written as XML: {0}")]
    Junit(String),
    /// An id that no check has.
    #[error("no check is called \"{id}\"{}", did_you_mean(.near))]
    NoSuchCheck {
        /// What was asked for.
        id: String,
        /// Ids that are close.
        near: Vec<String>,
    },
    /// A text without a known error.
    #[error(
        "no known AWS error found in this text; paste the whole message, or pipe the log into `kubectl irsa explain -`"
    )]
    NoErrorKnown,
    /// A flag of another command, and what leads on.
    #[error("{0}")]
    Instead(String),
    /// `--region` is none.
    #[error("--region \"{value}\": expected a region such as eu-west-1{}", near::did_you_mean(.near))]
    Region {
        /// What was given.
        value: String,
        /// Regions that are close.
        near: Vec<String>,
    },
    /// A flag's value cannot be read.
    #[error("{flag} \"{value}\": {expected}")]
    Value {
        /// The flag.
        flag: &'static str,
        /// What was given.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
    /// stdout cannot be written.
    #[error("cannot write to stdout: {0}")]
    Write(std::io::Error),
    /// stdin cannot be read.
    #[error("cannot read stdin: {0}")]
    Stdin(bounded::FileError),
    /// A file or a pipe has no end in time.
    #[error("cannot read {what}: {late}")]
    NotRead {
        /// What it is.
        what: &'static str,
        /// What ended the waiting.
        late: Late,
    },
    /// The runtime cannot start.
    #[error("cannot start: {0}")]
    Runtime(std::io::Error),
    /// Ctrl-C, or the like.
    #[error("interrupted; {0}")]
    Interrupted(Cleanup),
}

fn overwrite(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        std::io::ErrorKind::AlreadyExists => {
            "; choose another with -o FILE, or name it with -o to replace it"
        }
        _ => "",
    }
}

fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() {
        String::from("; `kubectl irsa explain` lists them")
    } else {
        format!("; did you mean {}?", near.join(" or "))
    }
}

/// Runs the command line and gives the exit code. The only place that prints errors.
pub fn main() -> ExitCode {
    core_dump::forbid();
    std::panic::set_hook(Box::new(|panic| give_up(panic.location())));
    if completion::is_asked() {
        return exit_code(completion::answer());
    }
    let words = habits::with_command(std::env::args_os().collect());
    let cli = match parse(words.clone()) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            match habits::instead(&error, &words) {
                Some(instead) => print_error(&CliError::Instead(instead)),
                None => {
                    let _ = error.print();
                }
            }
            return ExitCode::from(COULD_NOT_RUN);
        }
        Err(asked) => return exit_code(help(&asked)),
    };
    exit_code(run(cli))
}

/// Reads the command line.
fn parse(words: Vec<OsString>) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(&words).or_else(|error| match debug::targets_first(words) {
        Some(words) if error.kind() == ErrorKind::MissingRequiredArgument => {
            Cli::try_parse_from(words).map_err(|_| error)
        }
        _ => Err(error),
    })
}

/// Prints `--help` or `--version`, for which clap has an error each; its own way of printing them knows no failure of a descriptor.
fn help(asked: &clap::Error) -> Result<u8, CliError> {
    let text = asked.render();
    let color = terminal::style(terminal::Color::default(), 0).color;
    print(&if color { text.ansi().to_string() } else { text.to_string() })
}

/// A panic is a bug. Its message may contain anything, even a token, and so may a core dump: only its location is printed.
fn give_up(place: Option<&Location<'_>>) -> ! {
    let place = place.map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
    let _ = writeln!(
        std::io::stderr(),
        "error: kubectl irsa {}{place} has a bug; please report it at {}/issues",
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_REPOSITORY")
    );
    std::process::exit(i32::from(COULD_NOT_RUN))
}

fn exit_code(outcome: Result<u8, CliError>) -> ExitCode {
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let code = if matches!(error, CliError::Interrupted(_)) { INTERRUPTED } else { COULD_NOT_RUN };
            print_error(&error);
            ExitCode::from(code)
        }
    }
}

fn print_error(error: &CliError) {
    let _ = writeln!(std::io::stderr(), "{}", for_stderr(&error.told()));
}

impl CliError {
    /// What is printed of it. Server messages and file names may contain anything; only our own line breaks are kept.
    fn told(&self) -> String {
        let text = without_held(&self.to_string());
        let lines: Vec<String> = text.split('\n').map(irsa::text::safe::line).collect();
        format!("error: {}", lines.join("\n"))
    }
}

fn run(cli: Cli) -> Result<u8, CliError> {
    let cleanup = Cleanup::default();
    match cli.command {
        Command::Debug(debug) => {
            let stop = Stop::default();
            // First the waiting ends and what is known is printed; the second time, everything ends.
            let interrupt = Interrupt { stop: Some(stop.clone()), cleanup: cleanup.clone() };
            until_interrupted(debug.run(&cleanup, &stop), interrupt)
        }
        Command::Bundle(bundle) => {
            let stop = Stop::default();
            let interrupt = Interrupt { stop: Some(stop.clone()), cleanup: cleanup.clone() };
            until_interrupted(bundle.run(&cleanup, &stop), interrupt)
        }
        Command::Thumbprint(thumbprint) => {
            until_interrupted(thumbprint.run(), Interrupt { stop: None, cleanup })
        }
        Command::Trust(trust) => until_interrupted(trust.run(), Interrupt { stop: None, cleanup }),
        Command::Lint(lint) => lint.run(),
        Command::Explain(explain) => explain.run(),
        Command::Policy(policy) => policy.run(),
        Command::Image(image) => image.run(),
        Command::Version(version) => version.run(),
        Command::Completion(completion) => completion.run(),
        Command::Man(man) => man.run(),
    }
}

/// What Ctrl-C, or the like, does.
struct Interrupt {
    /// Ends the waiting the first time, so that what is known is reported; without it the command ends at once.
    stop: Option<Stop>,
    /// What the command leaves in the cluster.
    cleanup: Cleanup,
}

impl Interrupt {
    /// Waits for it, then ends the process, unless the command ends first.
    async fn wait(self) {
        if let Some(stop) = self.stop {
            if to_stop().await.is_err() {
                return;
            }
            stop.now();
        }
        if to_stop().await.is_ok() {
            self.cleanup.clean_up().await;
            print_error(&CliError::Interrupted(self.cleanup));
            std::process::exit(i32::from(INTERRUPTED));
        }
    }
}

/// Runs a command that uses the network, until it ends or is stopped.
fn until_interrupted(
    command: impl Future<Output = Result<u8, CliError>>,
    interrupt: Interrupt,
) -> Result<u8, CliError> {
    // The command runs on this thread, signals and connections on the other: what computes holds up neither.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(CliError::Runtime)?;
    runtime.spawn(interrupt.wait());
    let outcome = runtime.block_on(command);
    // The system's resolver and file reads cannot be interrupted; what is still running ends with the process.
    runtime.shutdown_background();
    outcome
}

/// Signs in to a cluster before the deadline.
async fn connected(
    server: Server,
    timeout: Duration,
    deadline: Deadline,
    progress: &Progress,
) -> Result<Api, CliError> {
    let address = server.address.to_string();
    let api = Api::open(server, timeout, deadline, progress.clone()).await;
    api.map_err(|cause| CliError::Connection { address, cause })
}

/// Reads what a file or a pipe holds, before the deadline: a pipe that nobody writes to must hold up nothing.
async fn read_before<T: Send + 'static, E>(
    deadline: &Deadline,
    what: &'static str,
    read: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, CliError>
where
    E: Into<CliError> + Send + 'static,
{
    match deadline.wait(what, LONGEST_READ, tokio::task::spawn_blocking(read)).await {
        Ok(Ok(read)) => read.map_err(Into::into),
        // A panic would have ended the process.
        Ok(Err(error)) => Err(CliError::Runtime(error.into())),
        Err(late) => Err(CliError::NotRead { what, late }),
    }
}

/// The kubeconfig, which may be a pipe.
async fn kubeconfig(access: &Access, deadline: &Deadline) -> Result<Kubeconfig, CliError> {
    let access = access.clone();
    read_before(deadline, "the kubeconfig", move || access.kubeconfig()).await
}

/// Ends when the user or the system wants this program to end.
#[cfg(unix)]
async fn to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // Not SIGHUP: whoever uses `nohup` wants it ignored.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Ends when the user or the system wants this program to end: Ctrl-C, Ctrl-Break, the console's window is closed.
#[cfg(windows)]
async fn to_stop() -> std::io::Result<()> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
    let (mut interrupt, mut pause, mut close) = (ctrl_c()?, ctrl_break()?, ctrl_close()?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = pause.recv() => {}
        _ = close.recv() => {}
    }
    Ok(())
}

/// Standard input. Errors are found in any text, whatever its encoding.
fn stdin() -> Result<String, CliError> {
    let read = bounded::stream(std::io::stdin().lock(), 0, LARGEST).map_err(CliError::Stdin)?;
    Ok(String::from_utf8_lossy(&read).into_owned())
}

/// Writes to stdout; a reader that went away (`| head`) is not an error.
fn print(text: &str) -> Result<u8, CliError> {
    match stdout::write(without_held(text).as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CliError::Write(error)),
        _ => Ok(0),
    }
}

/// Writes a report to stdout as JSON.
fn print_json(report: &impl Serialize) -> Result<u8, CliError> {
    let json = serde_json::to_string_pretty(report).map_err(RenderError::Json)?;
    print(&(json + "\n"))
}

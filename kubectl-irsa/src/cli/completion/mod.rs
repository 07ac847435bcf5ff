//! Completion: scripts for kubectl-irsa itself, and answers for kubectl's own completion.
//!
//! kubectl completes a plugin's words by running `kubectl_complete-PLUGIN` from the `PATH` with them; the last one is the one
//! under the cursor. That program prints one candidate per line, a tab before its description, and finally `:N`, a directive for
//! the shell (kubectl, `pkg/cmd/plugin/plugin_completion.go`). Here it is this program under another name.

mod candidates;
mod cursor;
mod install;
mod live;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Subcommand};
use clap_complete::Shell;

pub use install::InstallError;

use super::{Cli, CliError, habits, print};

/// The name under which kubectl asks for candidates.
const NAME: &str = "kubectl_complete-irsa";

/// `kubectl irsa completion …`.
#[derive(Debug, Subcommand)]
pub enum Completion {
    /// Let kubectl complete `kubectl irsa`: live targets and namespaces, contexts, ids, flags
    ///
    /// Adds kubectl_complete-irsa, another name for this program, which kubectl (1.26 or newer) asks for candidates. The shell
    /// must have kubectl's own completion: `kubectl completion --help`.
    Install {
        /// Where to install it; by default next to the plugin. It must be on the PATH
        #[arg(value_name = "DIRECTORY")]
        directory: Option<PathBuf>,
    },
    /// Print the script for kubectl-irsa itself, for bash
    Bash,
    /// Print the script for kubectl-irsa itself, for zsh
    Zsh,
    /// Print the script for kubectl-irsa itself, for fish
    Fish,
    /// Print the script for kubectl-irsa itself, for PowerShell
    Powershell,
    /// Print the script for kubectl-irsa itself, for elvish
    Elvish,
}

impl Completion {
    /// Prints the script, or installs.
    pub fn run(&self) -> Result<u8, CliError> {
        match self {
            Self::Install { directory } => Ok(print(&install::install(directory.as_deref())?)?),
            Self::Bash => script(Shell::Bash),
            Self::Zsh => script(Shell::Zsh),
            Self::Fish => script(Shell::Fish),
            Self::Powershell => script(Shell::PowerShell),
            Self::Elvish => script(Shell::Elvish),
        }
    }
}

fn script(shell: Shell) -> Result<u8, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kubectl-irsa", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// True if this program was started under the name by which kubectl asks for candidates.
pub fn is_asked() -> bool {
    let called = std::env::args_os().next();
    called.is_some_and(|called| Path::new(&called).file_stem().is_some_and(|stem| stem == NAME))
}

/// Answers kubectl. Prints no errors: a shell that waits for candidates cannot show them.
pub fn answer() -> Result<u8, CliError> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    // A single word may still become the name of a command.
    if words.len() > 2 || words.last().is_some_and(|word| word.to_string_lossy().contains('/')) {
        words = habits::with_command(words);
    }
    let words: Vec<String> =
        words.into_iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let (word, before) = words.split_last().map_or(("", &[][..]), |(word, before)| (word, before));
    print(&candidates::answer(before, word).to_string())
}

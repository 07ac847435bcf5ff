//! `kubectl-irsa man`: for packagers, and therefore not in the help.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use super::{Cli, CliError};
use irsa::text::safe;

/// Write the man pages
#[derive(Debug, Args)]
pub struct Man {
    /// Where to
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
}

impl Man {
    /// Writes one page for each command.
    pub fn run(&self) -> Result<u8, CliError> {
        // The pages are kubectl-irsa(1), kubectl-irsa-debug(1) …
        let command = Cli::command().bin_name("kubectl-irsa");
        let written = std::fs::create_dir_all(&self.directory)
            .and_then(|()| clap_mangen::generate_to(command, &self.directory));
        let path = safe::line(&self.directory.display().to_string());
        written.map(|()| 0).map_err(|cause| CliError::Man { path, cause })
    }
}

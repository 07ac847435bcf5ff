//! Puts the name under which kubectl asks for candidates beside the plugin, or where the user wants it.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::NAME;
use crate::output::safe;

/// It cannot be installed.
#[derive(Debug, Error)]
pub enum InstallError {
    /// Where this program is cannot be told.
    #[error(
        "cannot tell where kubectl-irsa is installed; name a directory of the PATH: kubectl irsa completion install DIRECTORY"
    )]
    WhereAmI,
    /// A file of that name is there, and it is none of ours.
    #[error("{0} exists and is no link to kubectl-irsa; it is left as it is")]
    Occupied(String),
    /// It cannot be written.
    #[error("cannot write {path}: {cause}")]
    Write {
        /// The file.
        path: String,
        /// The system's words.
        cause: std::io::Error,
    },
}

/// Installs it; what is to be said of it.
pub fn install(directory: Option<&Path>) -> Result<String, InstallError> {
    let plugin = plugin().ok_or(InstallError::WhereAmI)?;
    let beside = plugin.parent().ok_or(InstallError::WhereAmI)?;
    let directory = directory.map_or_else(|| Ok(beside.to_owned()), std::path::absolute);
    let directory = directory.map_err(|cause| InstallError::Write { path: String::from("there"), cause })?;
    let link = put(&plugin, &directory)?;
    let mut said = format!("kubectl now completes `kubectl irsa` by {}\n", shown(&link));
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|known| known == directory) {
        said.push_str(&format!("but only once {} is on the PATH\n", shown(&directory)));
    }
    said.push_str("it takes kubectl 1.26 or newer, whose own completion is on in the shell: kubectl completion --help\n");
    if !cfg!(unix) {
        said.push_str("it is a copy: after an upgrade of kubectl-irsa, install it again\n");
    }
    Ok(said)
}

/// The plugin under the name by which it was called: krew keeps a link on the PATH, which outlives an upgrade.
fn plugin() -> Option<PathBuf> {
    let called = PathBuf::from(std::env::args_os().next()?);
    if called.parent().is_some_and(|parent| !parent.as_os_str().is_empty()) {
        return std::path::absolute(called).ok();
    }
    let path: OsString = std::env::var_os("PATH")?;
    let found =
        std::env::split_paths(&path).map(|directory| directory.join(&called)).find(|file| file.is_file());
    found.or_else(|| std::env::current_exe().ok())
}

fn put(plugin: &Path, directory: &Path) -> Result<PathBuf, InstallError> {
    let link = directory.join(format!("{NAME}{EXE_SUFFIX}"));
    if link.symlink_metadata().is_ok() {
        if !is_ours(&link) {
            return Err(InstallError::Occupied(shown(&link)));
        }
        std::fs::remove_file(&link).map_err(|cause| failed(&link, cause))?;
    }
    connect(plugin, &link).map_err(|cause| failed(&link, cause))?;
    Ok(link)
}

/// A link to a plugin of this name, wherever it leads by now; a copy cannot be told from another file.
fn is_ours(link: &Path) -> bool {
    match link.read_link() {
        Ok(target) => target.file_stem().is_some_and(|stem| stem == "kubectl-irsa"),
        Err(_) => !cfg!(unix),
    }
}

#[cfg(unix)]
fn connect(plugin: &Path, link: &Path) -> std::io::Result<()> {
    // In the same directory by name alone: both may move.
    let target = plugin.file_name().filter(|_| plugin.parent() == link.parent()).map_or(plugin, Path::new);
    std::os::unix::fs::symlink(target, link)
}

/// Links need a privilege on Windows.
#[cfg(not(unix))]
fn connect(plugin: &Path, link: &Path) -> std::io::Result<()> {
    std::fs::copy(plugin, link).map(drop)
}

fn failed(path: &Path, cause: std::io::Error) -> InstallError {
    InstallError::Write { path: shown(path), cause }
}

fn shown(path: &Path) -> String {
    safe::line(&path.display().to_string())
}

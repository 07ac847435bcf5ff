//! Installs the name under which kubectl asks for candidates next to the plugin, or where the user wants it.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::NAME;
use irsa::text::safe;

/// It cannot be installed.
#[derive(Debug, Error)]
pub enum InstallError {
    /// This program's location is not known.
    #[error(
        "cannot find where kubectl-irsa is installed; name a directory on the PATH: kubectl irsa completion install DIRECTORY"
    )]
    WhereAmI,
    /// A file of that name exists and is not ours.
    #[error("{0} exists and is not a link to kubectl-irsa; it is left as it is")]
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

/// Installs it; returns what to print.
pub fn install(directory: Option<&Path>) -> Result<String, InstallError> {
    let plugin = plugin().ok_or(InstallError::WhereAmI)?;
    let beside = plugin.parent().ok_or(InstallError::WhereAmI)?;
    let directory = directory.map_or_else(|| Ok(beside.to_owned()), std::path::absolute);
    let directory = directory.map_err(|cause| InstallError::Write { path: String::from("there"), cause })?;
    let link = put(&plugin, &directory)?;
    let mut said = format!("kubectl now completes `kubectl irsa` with {}\n", shown(&link));
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|known| is_same(&known, &directory)) {
        said.push_str(&format!("{} is not on the PATH yet: add it\n", shown(&directory)));
    }
    said.push_str("this needs kubectl 1.26 or newer, with its own completion enabled in the shell: kubectl completion --help\n");
    if link.read_link().is_err() {
        said.push_str("this is a copy: install it again after upgrading kubectl-irsa\n");
    }
    Ok(said)
}

/// True if both name one directory: by way of a link, or in another case where that does not matter.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// The plugin under the name by which it was called: krew keeps a link on the PATH, which outlives an upgrade.
fn plugin() -> Option<PathBuf> {
    let called = PathBuf::from(std::env::args_os().next()?);
    if called.parent().is_some_and(|parent| !parent.as_os_str().is_empty()) {
        return std::path::absolute(called).ok();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = in_path(std::env::split_paths(&path), &called, EXE_SUFFIX);
    found.or_else(|| std::env::current_exe().ok())
}

/// The program of that name, which may be given with or without the suffix that every program's file has.
fn in_path(path: impl Iterator<Item = PathBuf>, called: &Path, suffix: &str) -> Option<PathBuf> {
    let mut name = called.as_os_str().to_owned();
    if !name.to_string_lossy().ends_with(suffix) {
        name.push(suffix);
    }
    path.map(|directory| directory.join(&name)).find(|file| file.is_file())
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

fn connect(plugin: &Path, link: &Path) -> std::io::Result<()> {
    // In the same directory by name alone: both may move.
    let target = plugin.file_name().filter(|_| plugin.parent() == link.parent()).map_or(plugin, Path::new);
    #[cfg(unix)]
    let linked = std::os::unix::fs::symlink(target, link);
    // Links need a privilege on Windows; who has it, has an upgrade of the plugin for both names.
    #[cfg(windows)]
    let linked =
        std::os::windows::fs::symlink_file(target, link).or_else(|_| std::fs::copy(plugin, link).map(drop));
    linked
}

fn failed(path: &Path, cause: std::io::Error) -> InstallError {
    InstallError::Write { path: shown(path), cause }
}

fn shown(path: &Path) -> String {
    safe::line(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_with_and_without_its_suffix() {
        let [empty, full] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let path = || [empty.path(), full.path()].map(Path::to_owned).into_iter();
        for name in ["kubectl-irsa", "other.exe"] {
            std::fs::write(full.path().join(name), "").unwrap();
        }
        let found = |called: &str, suffix| in_path(path(), Path::new(called), suffix);
        assert_eq!(found("kubectl-irsa", ""), Some(full.path().join("kubectl-irsa")));
        assert_eq!(found("kubectl-irsa", ".exe"), None);
        assert_eq!(found("other", ".exe"), Some(full.path().join("other.exe")));
        assert_eq!(found("other.exe", ".exe"), Some(full.path().join("other.exe")));
    }

    #[test]
    #[cfg(unix)]
    fn a_directory_is_the_same_by_way_of_a_link() {
        let [directory, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let link = other.path().join("link");
        std::os::unix::fs::symlink(directory.path(), &link).unwrap();
        assert!(is_same(&link, directory.path()) && !is_same(&link, other.path()));
        assert!(!is_same(Path::new("/nonexistent"), directory.path()));
    }
}

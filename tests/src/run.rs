//! Runs the built plugin, as a user does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// Cargo, as a shell runs it. Build scripts that look at the variables of the package under test, as that of ring does,
/// would run again, and everything that needs ring would be built again.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The plugin's binary, built from the present sources: a stale one would pass for a new one. `--workspace` so that the
/// features of shared dependencies are those of `cargo test --workspace`, and nothing is built twice.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // Benches measure what users run.
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        let output = cargo()
            .args([
                "build",
                "--quiet",
                "--workspace",
                "--bin",
                "kubectl-irsa",
                "--message-format=json",
                "--profile",
                profile,
            ])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "the plugin does not build");
        let messages = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
        let executable = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)));
        executable.expect("cargo names the executable")
    })
}

/// What a run gave.
#[derive(Debug)]
pub struct Run {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// stdout.
    pub stdout: String,
    /// stderr.
    pub stderr: String,
}

impl Run {
    /// The only diagnosis on stdout: alone, or the only one of a list.
    pub fn diagnosis(&self) -> Value {
        let json = self.json();
        match json["items"].as_array().map(Vec::as_slice) {
            None => json,
            Some([one]) => one.clone(),
            Some(several) => panic!("{} diagnoses: {}", several.len(), self.stdout),
        }
    }

    /// stdout as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("no JSON on stdout: {error}\nstdout: {}\nstderr: {}", self.stdout, self.stderr)
        })
    }
}

/// A plugin call with nothing of the caller's own configuration: no kubeconfig, no colours, no locale, no AWS credentials; and
/// with no way out of this machine.
pub fn plugin() -> Command {
    let mut command = Command::new(binary());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        // Nothing listens on the discard port.
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("NO_PROXY", "127.0.0.1,localhost")
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Run {
    let Output { status, stdout, stderr } = command.output().expect("the plugin starts");
    let text = |bytes| String::from_utf8(bytes).expect("the plugin prints UTF-8");
    Run { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

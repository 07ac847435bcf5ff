//! The programs that run in containers: the probe as it is shipped, but for its clock, and the container runtime. Both are
//! static, because a container's root holds nothing else.

use crate::run::cargo;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Where the programs are.
#[derive(Debug)]
pub struct Programs {
    /// `irsa-probe`.
    pub probe: PathBuf,
    /// `irsa-test-container`.
    pub runtime: PathBuf,
}

/// The programs, built from the present sources. The target directory is their own: other flags would rebuild all that
/// other tests need.
pub fn programs() -> &'static Programs {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let directory = workspace.join("target/probe");
        std::fs::create_dir_all(&directory).expect("the target directory can be written");
        let clock = compile_clock(&directory);
        let host = host();
        let flags = [
            "-Ctarget-feature=+crt-static",
            "-Crelocation-model=static",
            &format!("-Clink-arg={}", clock.display()),
            "-Clink-arg=-Wl,--wrap=clock_gettime",
        ];
        let status = cargo()
            .args(["build", "--quiet", "--package", "irsa-probe-program"])
            .args(["--package", "irsa-test-container", "--target", &host, "--target-dir"])
            .arg(&directory)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .current_dir(workspace)
            .stderr(Stdio::inherit())
            .status();
        assert!(status.expect("cargo runs").success(), "the probe does not build");
        let built = |name: &str| directory.join(&host).join("debug").join(name);
        Programs { probe: built("irsa-probe"), runtime: built("irsa-test-container") }
    })
}

fn compile_clock(directory: &Path) -> PathBuf {
    let object = directory.join("clock.o");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/kubelet/clock.c");
    let status = Command::new("cc").args(["-O1", "-c", source, "-o"]).arg(&object).status();
    assert!(status.expect("cc runs").success(), "clock.c does not compile");
    object
}

/// `x86_64-unknown-linux-gnu`. With a target named, flags do not reach build scripts, which cannot be static.
fn host() -> String {
    let output = Command::new("rustc").args(["--print", "host-tuple"]).output().expect("rustc runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

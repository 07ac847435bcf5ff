//! `.ci/setup` on machines that lack something: what it does, and the one sentence with which it gives up.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use irsa_tests::run::{Run, run};

/// What every machine has. Everything else is given to a machine, as a script.
const BASE: [&str; 11] = ["bash", "cut", "grep", "head", "id", "mktemp", "rm", "sed", "sh", "sort", "tail"];

const RUSTUP: &str = r#"case "$1 $2" in
  "toolchain list") echo "$HAS" ;;
  "show active-toolchain") echo "$HAS (default)" ;;
  *) echo "error: could not download file from 'https://static.rust-lang.org'" >&2; exit 1 ;;
esac"#;

/// What a machine with these programs does with `.ci/setup`, and on success which toolchain it chose.
fn machine(programs: &[(&str, &str)]) -> Run {
    let home = tempfile::tempdir().unwrap();
    let bin = home.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for tool in BASE {
        let found = std::env::split_paths(&path).map(|directory| directory.join(tool)).find(|it| it.exists());
        symlink(found.unwrap(), bin.join(tool)).unwrap();
    }
    for (name, script) in programs {
        std::fs::write(bin.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(bin.join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let script = "set -euo pipefail; . .ci/setup; echo \"ready ${RUSTUP_TOOLCHAIN:-}\"";
    run(Command::new(bin.join("bash"))
        .args(["-c", script, "./demo"])
        .env_clear()
        .env("PATH", &bin)
        .env("HOME", home.path())
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")))
}

fn gives_up(programs: &[(&str, &str)], reason: &str, sentence: &str) {
    let run = machine(programs);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    assert!(run.stderr.contains(reason), "{run:?}");
    let last = run.stderr.lines().last().unwrap();
    assert!(last.starts_with("./demo: ") && last.contains(sentence), "{run:?}");
}

#[test]
fn what_cannot_be_installed_is_said_with_its_reason() {
    let ready = [("cc", ""), ("cargo", "echo cargo 1.95.0")];
    let run = machine(&ready);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), "ready \n", ""), "{run:?}");

    gives_up(&[], "no apt-get, dnf or brew", "gcc libc6-dev could not be installed");
    let apt = "[ \"$1\" = update ] || { echo 'E: Unable to locate package gcc' >&2; exit 100; }";
    let env = "shift; exec \"$@\"";
    gives_up(&[("apt-get", apt), ("env", env)], "E: Unable to locate package gcc", "install it yourself");
    let curl = "echo 'curl: (6) Could not resolve host: sh.rustup.rs' >&2; exit 6";
    gives_up(&[("cc", ""), ("curl", curl)], "Could not resolve host", "install Rust 1.95 or newer");
}

#[test]
fn an_old_cargo_is_named_with_its_version_and_place() {
    let old = [("cc", ""), ("cargo", "echo cargo 1.65.0")];
    gives_up(&old, "/bin/cargo is version 1.65.0", "this needs Rust 1.95 or newer");
}

#[test]
fn rustup_gives_the_toolchain_of_the_file_or_one_as_good() {
    let with = |version: &str, has: &str| {
        let (cargo, rustup) = (format!("echo cargo {version}"), RUSTUP.replace("$HAS", has));
        machine(&[("cc", ""), ("cargo", &cargo), ("rustup", &rustup)])
    };
    for (version, has, chosen, says) in [
        ("1.95.0", "1.95.0-x86_64-unknown-linux-gnu", "", ""),
        // The same by another name; a newer one, if no other can be had.
        ("1.95.0", "stable-x86_64-unknown-linux-gnu", "stable-x86_64-unknown-linux-gnu", ""),
        ("1.97.0", "stable-x86_64-unknown-linux-gnu", "stable-x86_64-unknown-linux-gnu", "new enough"),
    ] {
        let run = with(version, has);
        assert_eq!((run.code, run.stdout), (Some(0), format!("ready {chosen}\n")), "{}", run.stderr);
        assert!(run.stderr.contains(says), "{}", run.stderr);
    }
    let run = with("1.90.0", "stable-x86_64-unknown-linux-gnu");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("could not download"), "{run:?}");
    assert!(run.stderr.ends_with("the default toolchain is not 1.95 or newer\n"), "{run:?}");
}

/// One version of Rust is named in four places.
#[test]
fn the_toolchain_is_the_same_everywhere() {
    let read = |path: &str| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
    };
    let value = |path: &str, before: &str| -> String {
        let text = read(path);
        let found =
            text.lines().find_map(|line| line.trim().strip_prefix(before)).map(|rest| rest.trim_matches('"'));
        found.unwrap_or_else(|| panic!("{path} has no {before}")).to_owned()
    };
    let channel = value("rust-toolchain.toml", "channel = ");
    assert_eq!(value(".github/workflows/release.yml", "RUSTUP_TOOLCHAIN: "), channel);
    let numbers = |version: &str| -> Vec<u32> { version.split('.').map(|it| it.parse().unwrap()).collect() };
    assert!(numbers(&channel) >= numbers(&value("Cargo.toml", "rust-version = ")), "{channel}");
}

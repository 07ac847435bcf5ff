//! The core can do no I/O: neither its dependencies nor its own code know how. And its rooms stand on each other in one order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rooms of the core; each may know those before it, and itself.
const ROOMS: [&str; 21] = [
    "text",
    "aws",
    "mechanism",
    "severity",
    "step",
    "target",
    "policy",
    "trust",
    "aws_error",
    "facts",
    "derive",
    "documents",
    "bundle",
    "rounds",
    "repair",
    "finding",
    "checks",
    "admission",
    "diagnosis",
    "lint",
    "output",
];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../irsa/src"));
    let (mut found, mut directories) = (Vec::new(), vec![root.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 200, "the core's sources are where they are looked for");
    found
}

/// The code of a file without comments, and without its tests, which may do as they like.
fn code(path: &Path, text: &str) -> String {
    if path.file_stem().is_some_and(|stem| stem == "tests" || stem == "samples")
        || path.components().any(|part| part.as_os_str() == "tests")
    {
        return String::new();
    }
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_dependency_of_the_core_does_io() {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "tree",
            "--package",
            "irsa",
            "--edges",
            "normal",
            "--target",
            "all",
            "--prefix",
            "none",
            "--format",
            "{lib}",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<&str> = tree.lines().map(str::trim).filter(|name| !name.is_empty()).collect();
    assert!(crates.contains("irsa_probe") && crates.contains("serde_json"), "{crates:?}");
    let does_io = |name: &&&str| {
        let runtimes = ["tokio", "async_std", "smol", "mio", "polling", "async_io", "futures_executor"];
        let network = [
            "hyper",
            "h2",
            "reqwest",
            "ureq",
            "socket2",
            "rustls",
            "native_tls",
            "ring",
            "kube",
            "k8s_openapi",
        ];
        let system =
            ["libc", "rustix", "nix", "windows_sys", "dirs", "tempfile", "getrandom", "clap", "indicatif"];
        runtimes.iter().chain(&network).chain(&system).any(|known| *name == known)
            || ["tokio_", "hyper_", "aws_", "kube_", "rustls_"].iter().any(|prefix| name.starts_with(prefix))
    };
    let found: Vec<_> = crates.iter().filter(does_io).collect();
    assert!(found.is_empty(), "the core depends on what does I/O: {found:?}");
}

#[test]
fn no_code_of_the_core_does_io() {
    for (path, text) in sources() {
        let code = code(&path, &text);
        let forbidden = [
            "std::fs",
            "std::net",
            "std::process",
            "std::env",
            "std::thread",
            "std::io",
            "SystemTime",
            "Instant::now",
            "Timestamp::now",
            "Zoned::now",
            "println!",
            "eprintln!",
            "print!(",
            "option_env!",
            "#[allow(unsafe_code",
        ];
        for word in forbidden {
            assert!(!code.contains(word), "irsa/src/{}: {word}", path.display());
        }
    }
}

/// `use crate::…` and `crate::…::` in code. What `super` reaches never leaves a room.
#[test]
fn no_room_knows_one_that_stands_on_it() {
    let place = |room: &str| ROOMS.iter().position(|known| *known == room);
    for (path, text) in sources() {
        let first = path.components().next().unwrap();
        let room = Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned();
        if room == "lib" {
            continue;
        }
        let own = place(&room).unwrap_or_else(|| panic!("{room} is a new room: give it its place in ROOMS"));
        let code = code(&path, &text);
        for at in code.match_indices("crate::").map(|(at, word)| at + word.len()) {
            let named = if code[at..].starts_with('{') {
                code[at + 1..].split('}').next().unwrap()
            } else {
                &code[at..]
            };
            let names = if code[at..].starts_with('{') { named.split(',').collect() } else { vec![named] };
            for name in names {
                let name: String =
                    name.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                let Some(other) = place(&name) else { continue };
                assert!(other <= own, "irsa/src/{}: {room} knows {name}, which stands on it", path.display());
            }
        }
    }
}

/// A check is read alone: what two of them need is their folder's, or stands below the checks.
#[test]
fn no_check_knows_another() {
    let folders: BTreeSet<PathBuf> = sources()
        .into_iter()
        .filter(|(path, _)| path.starts_with("checks") && path.components().count() == 3)
        .map(|(path, _)| path.parent().unwrap().to_owned())
        .collect();
    let checks: BTreeSet<String> = irsa::checks::all().map(|check| check.meta.id.replace('-', "_")).collect();
    for (path, text) in sources() {
        if !path.parent().is_some_and(|parent| folders.contains(parent)) {
            continue;
        }
        let code = code(&path, &text);
        let own = path.file_stem().unwrap().to_str().unwrap();
        for other in checks.iter().filter(|other| *other != own) {
            let uses = code.contains(&format!("super::{other}::"))
                || code.contains(&format!("{other}::META"))
                || code.contains(&format!("use super::{other};"));
            assert!(!uses, "irsa/src/{}: uses check {other}", path.display());
        }
    }
}

/// What SECURITY.md says of `--fix`.
#[test]
fn only_a_repair_reaches_the_code_that_writes() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../kubectl-irsa/src"));
    let (mut users, mut directories) = (BTreeSet::new(), vec![root.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if fs::read_to_string(&path).unwrap().contains("crate::apply") {
                users.insert(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(users.into_iter().collect::<Vec<_>>(), ["cli/debug.rs", "cli/fix.rs"]);
}

//! AWS SDKs by the traces that package managers and linkers leave in the target's file system.

use crate::deadline::Deadline;
use irsa_probe::{Sdk, Sdks};
use std::collections::VecDeque;
use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bounds of the search: it shares the application's processor and memory.
const MOST_ENTRIES: usize = 100_000;
const MOST_FOUND: usize = 32;
const DEEPEST: usize = 14;
const LONGEST_PROGRAM: u64 = 256 * 1024 * 1024;
/// Of a package's own description so much is read.
const LONGEST_DESCRIPTION: u64 = 16 * 1024;

/// Package names that a version follows: `botocore-1.34.41.dist-info`, `sts-2.20.1.jar`, `aws-sdk-core-3.190.0`.
const WITH_VERSION: [&str; 9] = [
    "aws-java-sdk-bundle",
    "aws-java-sdk-core",
    "aws-java-sdk-sts",
    "aws-sdk-core",
    "awscli",
    "boto3",
    "botocore",
    "bundle",
    "sts",
];
/// Files and directories that say no version.
const WITHOUT_VERSION: [(&str, &str); 4] = [
    ("AWSSDK.Core.dll", "AWSSDK.Core"),
    ("AWSSDK.SecurityToken.dll", "AWSSDK.SecurityToken"),
    ("aws-sdk-php", "aws/aws-sdk-php"),
    ("libaws-cpp-sdk-core.so", "aws-cpp-sdk-core"),
];
/// Packages of Node.js.
const IN_NODE_MODULES: [&str; 4] =
    ["aws-sdk", "@aws-sdk/client-sts", "@aws-sdk/credential-provider-node", "@aws-sdk/credential-providers"];
/// What Go records of its modules, and Rust of its sources, in a program.
const IN_PROGRAMS: [(&str, &str); 3] = [
    ("github.com/aws/aws-sdk-go-v2\tv", "github.com/aws/aws-sdk-go-v2"),
    ("github.com/aws/aws-sdk-go\tv", "github.com/aws/aws-sdk-go"),
    ("/aws-config-", "aws-config"),
];

/// Searches the target's file system and its program.
pub fn search(root: &Path, program: &Path, deadline: Deadline) -> Sdks {
    let mut sdks = Sdks { found: Vec::new(), complete: true };
    if scan_program(program, deadline, &mut sdks).is_err() {
        sdks.complete = false;
    }
    search_files(root, deadline, &mut sdks);
    sdks
}

/// Nearest to the root first. Other file systems are left alone: a volume may be large and far away.
fn search_files(root: &Path, deadline: Deadline, sdks: &mut Sdks) {
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
    let home = device(root);
    let mut to_go = VecDeque::from([(root.to_owned(), 0)]);
    let mut entries = 0;
    while let Some((directory, depth)) = to_go.pop_front() {
        if deadline.remaining().is_err() || sdks.found.len() >= MOST_FOUND || entries >= MOST_ENTRIES {
            sdks.complete = false;
            return;
        }
        // A directory that may not be listed hides nothing from the report: it says that there may be more.
        let Ok(listing) = fs::read_dir(&directory) else {
            sdks.complete = false;
            continue;
        };
        for entry in listing.flatten() {
            entries += 1;
            if let Some(sdk) = recognise(root, &entry) {
                add(sdks, sdk);
            }
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory && device(&entry.path()) == home {
                if depth < DEEPEST {
                    to_go.push_back((entry.path(), depth + 1));
                } else {
                    sdks.complete = false;
                }
            }
        }
    }
}

fn add(sdks: &mut Sdks, sdk: Sdk) {
    let known = sdks.found.iter().any(|known| known.package == sdk.package && known.version == sdk.version);
    if !known && sdks.found.len() < MOST_FOUND {
        sdks.found.push(sdk);
    }
}

fn recognise(root: &Path, entry: &DirEntry) -> Option<Sdk> {
    let path = entry.path();
    let name = entry.file_name();
    let name = name.to_str()?;
    let (package, version) = with_version(name)
        .or_else(|| {
            let found = WITHOUT_VERSION.iter().find(|(file, _)| *file == name)?;
            Some((found.1, None))
        })
        .or_else(|| {
            let package = IN_NODE_MODULES
                .iter()
                .find(|package| path.ends_with(Path::new("node_modules").join(package)))?;
            Some((package, node_version(&path)))
        })?;
    let path = Path::new("/").join(path.strip_prefix(root).unwrap_or(&path));
    Some(Sdk { package: package.to_owned(), version, path: path.display().to_string() })
}

fn with_version(name: &str) -> Option<(&'static str, Option<String>)> {
    let bare = [".dist-info", ".egg-info", ".jar"].iter().find_map(|end| name.strip_suffix(end));
    let (package, version) = bare.unwrap_or(name).rsplit_once('-')?;
    let package = WITH_VERSION.iter().find(|known| **known == package)?;
    // The short names are Java's, whose archives begin with the SDK's major version.
    let short = matches!(*package, "sts" | "bundle");
    let fits = if short { version.starts_with("2.") && name.ends_with(".jar") } else { is_version(version) };
    fits.then(|| (*package, Some(version.to_owned())))
}

fn is_version(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn node_version(package: &Path) -> Option<String> {
    let mut description = String::new();
    File::open(package.join("package.json"))
        .ok()?
        .take(LONGEST_DESCRIPTION)
        .read_to_string(&mut description)
        .ok()?;
    let (_, rest) = description.split_once("\"version\"")?;
    let version = rest.trim_start_matches([':', ' ', '\t']).strip_prefix('"')?.split('"').next()?;
    is_version(version).then(|| version.to_owned())
}

fn scan_program(program: &Path, deadline: Deadline, sdks: &mut Sdks) -> io::Result<()> {
    /// What may be cut at the end of a piece: the longest mark and its version.
    const OVERLAP: usize = 64;
    let mut file = File::open(program)?.take(LONGEST_PROGRAM);
    let path = fs::read_link(program).unwrap_or_else(|_| PathBuf::from(program)).display().to_string();
    let mut piece = vec![0; 32 * 1024];
    let mut kept = 0;
    loop {
        deadline.remaining()?;
        let count = file.read(&mut piece[kept..])?;
        if count == 0 {
            return Ok(());
        }
        let filled = kept + count;
        for (package, version) in marks(&piece[..filled]) {
            add(sdks, Sdk { package: package.into(), version: Some(version), path: path.clone() });
        }
        kept = filled.min(OVERLAP);
        piece.copy_within(filled - kept..filled, 0);
    }
}

fn marks(piece: &[u8]) -> impl Iterator<Item = (&'static str, String)> {
    let starts = (0..piece.len()).filter(|&at| matches!(piece[at], b'g' | b'/'));
    starts.filter_map(|at| {
        IN_PROGRAMS.iter().find_map(|(mark, package)| {
            let rest = piece[at..].strip_prefix(mark.as_bytes())?;
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
            // A version that reaches the end of the piece is seen whole in the next one.
            let version = std::str::from_utf8(rest.get(..length).filter(|_| length < rest.len())?).ok()?;
            is_version(version).then(|| (*package, version.to_owned()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn found(sdks: &Sdks) -> Vec<(&str, Option<&str>)> {
        let mut all: Vec<_> =
            sdks.found.iter().map(|sdk| (sdk.package.as_str(), sdk.version.as_deref())).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn packages_are_recognised_by_name() {
        let root = tempfile::tempdir().unwrap();
        for directory in [
            "usr/lib/python3/site-packages/botocore-1.34.41.dist-info",
            "app/node_modules/@aws-sdk/client-sts",
            "app/node_modules/aws-sdk",
            "gems/aws-sdk-core-3.190.0",
            "other/sts-notes",
        ] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        fs::write(root.path().join("app/sts-2.20.1.jar"), "").unwrap();
        fs::write(root.path().join("app/sts-1.0.jar"), "").unwrap();
        fs::write(root.path().join("app/node_modules/aws-sdk/package.json"), "{\"version\": \"2.1692.0\"}")
            .unwrap();
        let sdks = search(root.path(), Path::new("/nowhere"), Deadline::after(Duration::from_secs(9)));
        let expected = [
            ("@aws-sdk/client-sts", None),
            ("aws-sdk", Some("2.1692.0")),
            ("aws-sdk-core", Some("3.190.0")),
            ("botocore", Some("1.34.41")),
            ("sts", Some("2.20.1")),
        ];
        assert_eq!(found(&sdks), expected);
        assert!(sdks.found.iter().any(|sdk| sdk.path == "/app/sts-2.20.1.jar"));
        assert!(!sdks.complete, "there was no program to read");
    }

    #[test]
    fn programs_are_recognised_by_what_is_linked() {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("server");
        // Across the end of the first piece.
        let mut content = vec![b'g'; 32 * 1024 - 20];
        content.extend_from_slice(b"dep\tgithub.com/aws/aws-sdk-go-v2\tv1.30.3\th1:x");
        fs::write(&program, content).unwrap();
        let sdks = search(root.path(), &program, Deadline::after(Duration::from_secs(9)));
        assert_eq!(found(&sdks), [("github.com/aws/aws-sdk-go-v2", Some("1.30.3"))]);
        assert!(sdks.complete);
    }

    #[test]
    fn it_ends_in_time_and_says_so() {
        let root = tempfile::tempdir().unwrap();
        assert!(!search(root.path(), root.path(), Deadline::after(Duration::ZERO)).complete);
    }
}

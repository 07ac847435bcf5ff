//! The user's files and directories (`--from`), and standard input: bytes for [`irsa::documents`] to read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use irsa::documents::{Contents, DocumentError, Store};
use irsa::text::safe;
use jiff::Timestamp;
use thiserror::Error;
use zeroize::Zeroizing;

use super::bounded::{self, FileError, Limit};
use super::progress::Progress;

/// A larger file is refused before it is read, in bytes.
const LARGEST: Limit = Limit::mib(64);
/// How standard input is named, in arguments and in sources.
const STDIN: (&str, &str) = ("-", "stdin");

/// Why the files cannot be used.
#[derive(Debug, Error)]
pub enum FilesError {
    /// The file does not exist.
    #[error("{file} does not exist")]
    Missing {
        /// The path.
        file: String,
    },
    /// The system refuses to read it.
    #[error("{file} cannot be read: {error}")]
    Unreadable {
        /// The path.
        file: String,
        /// The system's reason.
        error: io::Error,
    },
    /// A directory without any file to read.
    #[error("{directory} contains no file named *.yaml, *.yml or *.json")]
    NoFiles {
        /// The path.
        directory: String,
    },
    /// Too large to hold in memory as a tree.
    #[error("{file} is larger than {LARGEST}: save only the namespaces in question")]
    TooLarge {
        /// The path.
        file: String,
    },
    /// Nothing is in it.
    #[error("{file} is empty: expected Kubernetes objects as `kubectl get -o yaml` prints them")]
    Empty {
        /// The path.
        file: String,
    },
    /// What is in it cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// Reads the files, directories and standard input (`-`) that the user named. `at` is the time to judge by (`--at`). What is passed
/// over is said.
///
/// # Errors
/// The first thing that cannot be read or that Kubernetes would not accept.
pub fn load(paths: &[PathBuf], at: Option<Timestamp>, progress: &Progress) -> Result<Store, FilesError> {
    let mut store = Store::default();
    let mut all = Contents::default();
    let mut stdin_read = false;
    for path in paths {
        let mut here = Contents::default();
        if path.as_os_str() == STDIN.0 {
            if std::mem::replace(&mut stdin_read, true) {
                continue;
            }
            here = store.read(STDIN.1, taken(bounded::stream(io::stdin().lock(), 0, LARGEST), path)?)?;
        } else {
            let (files, found) = files(path)?;
            for file in files {
                let bytes = read(&file)?;
                let file = shown(&file);
                here.extend(if found {
                    store.read_found(&file, bytes)?
                } else {
                    store.read(&file, bytes)?
                });
            }
        }
        if here.documents == 0 && here.skipped.is_empty() {
            return Err(FilesError::Empty { file: shown(path) });
        }
        all.extend(here);
    }
    if all.documents == 0 && !all.skipped.is_empty() {
        return Err(all.skipped.swap_remove(0).into());
    }
    for skipped in &all.skipped {
        progress.say(&format!("skipped {}", skipped.in_short()));
    }
    if let Some(time) = at {
        store.set_clock(time);
    }
    Ok(store)
}

/// Hands on each file that the user named, or that is in a directory that the user named, or standard input (`-`): its name, its
/// bytes, and whether it was found in a directory. What cannot be read is handed back; the others are read all the same.
pub fn each(paths: &[PathBuf], mut take: impl FnMut(&str, Vec<u8>, bool)) -> Vec<FilesError> {
    let mut errors = Vec::new();
    let mut stdin_read = false;
    for path in paths {
        if path.as_os_str() == STDIN.0 {
            if !std::mem::replace(&mut stdin_read, true) {
                match taken(bounded::stream(io::stdin().lock(), 0, LARGEST), path) {
                    Ok(bytes) => take(STDIN.1, bytes, false),
                    Err(error) => errors.push(error),
                }
            }
            continue;
        }
        let (files, found) = match files(path) {
            Ok(files) => files,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for file in files {
            match read(&file) {
                Ok(bytes) => take(&shown(&file), bytes, found),
                Err(error) => errors.push(error),
            }
        }
    }
    errors
}

/// The files that a path stands for: itself, or what is in the directory, sorted; and whether it is a directory.
fn files(path: &Path) -> Result<(Vec<PathBuf>, bool), FilesError> {
    if !fs::metadata(path).map_err(|error| unreadable(path, error))?.is_dir() {
        return Ok((vec![path.to_owned()], false));
    }
    let (mut found, mut directories) = (Vec::new(), vec![path.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).map_err(|error| unreadable(&directory, error))? {
            let entry = entry.map_err(|error| unreadable(&directory, error))?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = entry.path();
            // Links to directories are not followed: they may lead in a circle.
            if entry.file_type().map_err(|error| unreadable(&path, error))?.is_dir() {
                directories.push(path);
            } else if path.extension().and_then(|name| name.to_str()).is_some_and(is_readable)
                && !path.is_dir()
            {
                found.push(path);
            }
        }
    }
    if found.is_empty() {
        return Err(FilesError::NoFiles { directory: shown(path) });
    }
    found.sort();
    Ok((found, true))
}

fn unreadable(path: &Path, error: io::Error) -> FilesError {
    match error.kind() {
        io::ErrorKind::NotFound => FilesError::Missing { file: shown(path) },
        _ => FilesError::Unreadable { file: shown(path), error: plain(error) },
    }
}

fn is_readable(extension: &str) -> bool {
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn read(path: &Path) -> Result<Vec<u8>, FilesError> {
    taken(bounded::file(path, LARGEST), path)
}

fn taken(read: Result<Zeroizing<Vec<u8>>, FileError>, path: &Path) -> Result<Vec<u8>, FilesError> {
    match read {
        Ok(mut bytes) => Ok(std::mem::take(&mut *bytes)),
        Err(FileError::TooLarge(_)) => Err(FilesError::TooLarge { file: shown(path) }),
        Err(FileError::Io(error)) => Err(unreadable(path, error)),
    }
}

/// The error without `(os error 2)`.
fn plain(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => io::Error::new(error.kind(), text[..end].to_owned()),
        None => error,
    }
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == STDIN.0 { STDIN.1.to_owned() } else { safe::line(&path.to_string_lossy()) }
}

#[cfg(test)]
mod tests {
    use irsa::facts::kubernetes::Pod;

    use super::*;

    #[test]
    fn directories_are_read_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let read = || super::load(&[directory.path().to_owned()], None, &Progress::silent());
        let empty = read().unwrap_err().to_string();
        assert_eq!(
            empty,
            format!("{} contains no file named *.yaml, *.yml or *.json", directory.path().display())
        );
        fs::create_dir_all(path("b/.git")).unwrap();
        fs::write(path("z.yaml"), "# later\n").unwrap();
        assert_eq!(
            read().unwrap_err().to_string(),
            format!(
                "{} is empty: expected Kubernetes objects as `kubectl get -o yaml` prints them",
                directory.path().display()
            )
        );
        for (name, text) in [
            ("c.YML", "{kind: Pod, metadata: {name: c}}"),
            ("b/a.json", "{\"kind\": \"Pod\", \"metadata\": {\"name\": \"b\"}}"),
            ("a.yaml", "{kind: Pod, metadata: {name: a}}"),
            ("notes.txt", "["),
            (".hidden.yaml", "["),
            ("b/.git/x.yaml", "["),
            ("noextension", "["),
        ] {
            fs::write(path(name), text).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(directory.path(), path("b/loop.yaml")).unwrap();
        assert_eq!(read().unwrap().names::<Pod>(None), ["a", "b", "c"]);

        let missing = super::load(&[path("none.yaml")], None, &Progress::silent()).unwrap_err().to_string();
        assert_eq!(missing, format!("{} does not exist", path("none.yaml").display()));
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        file.as_file().set_len(200 << 20).unwrap();
        let error = load(&[file.path().to_owned()], None, &Progress::silent()).unwrap_err();
        let shown = shown(file.path());
        assert_eq!(
            error.to_string(),
            format!("{shown} is larger than 64 MiB: save only the namespaces in question")
        );
    }
}

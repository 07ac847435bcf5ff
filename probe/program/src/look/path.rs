//! A path, walked step by step: every link is seen, and whose permissions would stop whom.

use irsa_probe::{Directory, Fault, FaultKind, FileSeen, FileStat, Identity, Link};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use zeroize::Zeroizing;

/// More links are a loop, as for Linux.
const MOST_LINKS: usize = 40;
/// No file that is read is longer.
const LONGEST: u64 = 64 * 1024;
const READ: u32 = 0o4;
const SEARCH: u32 = 0o1;
/// CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: modes do not bind who has one.
const ABOVE_MODES: u64 = 1 << 1 | 1 << 2;

/// From where a path is looked at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What stands for `/`.
    pub root: &'a Path,
    /// Who looks.
    pub me: Option<&'a Identity>,
    /// For whom the modes are judged, too.
    pub target: Option<&'a Identity>,
}

/// Walks to a file, and reads it.
pub fn look(view: View<'_>, path: &str) -> (FileSeen, Option<Zeroizing<Vec<u8>>>) {
    let mut seen = FileSeen { path: crate::environment::showable(path), ..FileSeen::default() };
    let mut walk = Walk::default();
    let end = walk.to(view.root, Path::new(path));
    seen.closed = view
        .target
        .or(view.me)
        .and_then(|who| walk.closed_to(who))
        .map(|(path, metadata)| Directory { path: path.display().to_string(), stat: stat(metadata) });
    let (end, metadata) = match end {
        Ok(end) => end,
        Err((stopped, fault)) => {
            // Of the rest of the way nothing is known.
            let refuses = |who| walk.closed_to(who).map(|_| false);
            seen.mode_permits = view.me.and_then(refuses);
            seen.mode_permits_target = view.target.and_then(refuses);
            seen.links = walk.links;
            seen.stopped_at = Some(stopped.display().to_string());
            seen.stat = walk.passed.last().map(|(_, metadata)| stat(metadata));
            seen.fault = Some(fault);
            return (seen, None);
        }
    };
    let permits = |who: &Identity| walk.closed_to(who).is_none() && permits(who, &metadata, READ);
    seen.mode_permits = view.me.map(permits);
    seen.mode_permits_target = view.target.map(permits);
    seen.links = walk.links;
    seen.stat = Some(stat(&metadata));
    match read(&end, &metadata) {
        Ok(content) => {
            seen.readable = true;
            (seen, Some(content))
        }
        Err(fault) => {
            seen.fault = Some(fault);
            (seen, None)
        }
    }
}

/// Where a path leads, its links followed within this root.
pub fn resolve(root: &Path, path: &Path) -> Result<PathBuf, Fault> {
    Walk::default().to(root, path).map(|(end, _)| end).map_err(|(_, fault)| fault)
}

/// If credentials let a process read what was seen here.
pub fn may_read(view: View<'_>, path: &str, who: &Identity) -> Option<bool> {
    let mut walk = Walk::default();
    let (_, metadata) = walk.to(view.root, Path::new(path)).ok()?;
    Some(walk.closed_to(who).is_none() && permits(who, &metadata, READ))
}

/// The way to a file.
#[derive(Default)]
struct Walk {
    links: Vec<Link>,
    /// The directories on the way.
    passed: Vec<(PathBuf, Metadata)>,
}

impl Walk {
    /// Links are followed here and not by the kernel, which would leave `root` by an absolute one.
    fn to(&mut self, root: &Path, path: &Path) -> Result<(PathBuf, Metadata), (PathBuf, Fault)> {
        if !path.is_absolute() {
            return Err((path.to_owned(), Fault::new(FaultKind::Invalid, "the path is not absolute")));
        }
        let mut to_go = parts(path);
        let mut here = PathBuf::from("/");
        while let Some(part) = to_go.pop_front() {
            if part == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&part);
            let real = beneath(root, &next);
            let metadata = real.symlink_metadata().map_err(|error| (next.clone(), error.into()))?;
            if metadata.is_symlink() {
                let to = real.read_link().map_err(|error| (next.clone(), error.into()))?;
                self.links.push(Link { path: next.display().to_string(), to: to.display().to_string() });
                if self.links.len() > MOST_LINKS {
                    return Err((next, Fault::new(FaultKind::Loop, "too many symbolic links")));
                }
                if to.is_absolute() {
                    here = PathBuf::from("/");
                }
                let rest = std::mem::replace(&mut to_go, parts(&to));
                to_go.extend(rest);
            } else if to_go.is_empty() {
                return Ok((real, metadata));
            } else {
                here.clone_from(&next);
                self.passed.push((next, metadata));
            }
        }
        let metadata = beneath(root, &here).metadata().map_err(|error| (here.clone(), error.into()))?;
        Ok((beneath(root, &here), metadata))
    }

    /// The first directory on the way whose mode does not let credentials through.
    fn closed_to(&self, who: &Identity) -> Option<&(PathBuf, Metadata)> {
        self.passed.iter().find(|(_, metadata)| !permits(who, metadata, SEARCH))
    }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let name = |part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

/// An absolute path under another root.
fn beneath(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn stat(metadata: &Metadata) -> FileStat {
    let kind = match metadata {
        _ if metadata.is_file() => "file",
        _ if metadata.is_dir() => "directory",
        _ => "other",
    };
    FileStat {
        kind: kind.into(),
        uid: metadata.uid(),
        gid: metadata.gid(),
        mode: format!("{:04o}", metadata.mode() & 0o7777),
        size: metadata.size(),
        modified: metadata.mtime(),
    }
}

/// What the mode bits say; neither access control lists nor security modules.
fn permits(who: &Identity, metadata: &Metadata, wanted: u32) -> bool {
    if u64::from_str_radix(&who.capabilities, 16).is_ok_and(|set| set & ABOVE_MODES != 0) {
        return true;
    }
    let [.., uid] = who.uid;
    let [.., gid] = who.gid;
    let shift = match metadata {
        _ if metadata.uid() == uid => 6,
        _ if metadata.gid() == gid || who.groups.contains(&metadata.gid()) => 3,
        _ => 0,
    };
    metadata.mode() >> shift & wanted == wanted
}

fn read(path: &Path, metadata: &Metadata) -> Result<Zeroizing<Vec<u8>>, Fault> {
    // Opening a pipe or a device could hang.
    if !metadata.is_file() {
        return Err(Fault::new(FaultKind::WrongFileType, "not a regular file"));
    }
    // One allocation: what a growing vector leaves behind is not wiped.
    let capacity = usize::try_from(metadata.len().min(LONGEST)).unwrap_or(0) + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(capacity));
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut content)?;
    if u64::try_from(content.len()).is_ok_and(|length| length > LONGEST) {
        return Err(Fault::new(FaultKind::TooLarge, format!("longer than {LONGEST} bytes")));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn view(root: &Path) -> View<'_> {
        View { root, me: None, target: None }
    }

    /// As the kubelet writes it.
    fn projected() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let volume = root.path().join("run/sa");
        fs::create_dir_all(volume.join("..2026")).unwrap();
        fs::write(volume.join("..2026/token"), "content").unwrap();
        symlink("..2026", volume.join("..data")).unwrap();
        symlink("..data/token", volume.join("token")).unwrap();
        symlink("/run", root.path().join("var")).unwrap();
        root
    }

    #[test]
    fn links_are_followed_within_the_root() {
        let root = projected();
        let (seen, content) = look(view(root.path()), "/var/sa/token");
        assert_eq!(content.unwrap().as_slice(), b"content");
        let links: Vec<_> = seen.links.iter().map(|link| (link.path.as_str(), link.to.as_str())).collect();
        let expected = [("/var", "/run"), ("/run/sa/token", "..data/token"), ("/run/sa/..data", "..2026")];
        assert_eq!(links, expected);
        assert_eq!(seen.stat.unwrap().size, 7);
        assert!(seen.readable && seen.fault.is_none());
    }

    #[test]
    fn the_place_where_the_way_ends_is_named() {
        let root = projected();
        let (seen, content) = look(view(root.path()), "/run/other/token");
        assert!(content.is_none());
        assert_eq!(seen.stopped_at.as_deref(), Some("/run/other"));
        assert_eq!(seen.fault.unwrap().kind, FaultKind::NotFound);
        let (seen, _) = look(view(root.path()), "/run/sa/token/x");
        assert_eq!(seen.fault.unwrap().kind, FaultKind::WrongFileType);
        let (seen, _) = look(view(root.path()), "token");
        assert_eq!(seen.fault.unwrap().kind, FaultKind::Invalid);
    }

    #[test]
    fn a_loop_ends() {
        let root = tempfile::tempdir().unwrap();
        symlink("b", root.path().join("a")).unwrap();
        symlink("a", root.path().join("b")).unwrap();
        let (seen, _) = look(view(root.path()), "/a");
        assert_eq!(seen.fault.unwrap().kind, FaultKind::Loop);
    }

    #[test]
    fn only_regular_files_of_some_length_are_read() {
        let root = projected();
        let (seen, _) = look(view(root.path()), "/run/sa/..data/../..");
        assert_eq!(seen.fault.unwrap().kind, FaultKind::WrongFileType);
        fs::write(root.path().join("long"), vec![b'x'; 64 * 1024 + 1]).unwrap();
        let (seen, content) = look(view(root.path()), "/long");
        assert_eq!(seen.fault.unwrap().kind, FaultKind::TooLarge);
        assert!(content.is_none() && !seen.readable);
    }

    #[test]
    fn modes_bind_all_but_the_capable() {
        let root = projected();
        let file = root.path().join("run/sa/..2026/token");
        let owner = fs::metadata(&file).unwrap();
        let (uid, gid) = (owner.uid(), owner.gid());
        let who = |uid: u32, gid: u32, groups: &[u32], capabilities: &str| Identity {
            uid: [0, 0, 0, uid],
            gid: [0, 0, 0, gid],
            groups: groups.into(),
            capabilities: capabilities.into(),
            ..Identity::default()
        };
        // The temporary directory itself is closed to others; the view begins beneath it.
        for (mode, who, expected) in [
            (0o600, who(uid, 77, &[], "0"), true),
            (0o600, who(uid + 1, gid, &[gid], "0"), false),
            (0o640, who(uid + 1, 77, &[gid], "0"), true),
            (0o640, who(uid + 1, gid, &[], "0"), true),
            (0o640, who(uid + 1, gid + 1, &[], "0"), false),
            (0o640, who(uid + 1, gid + 1, &[], "0000000000000002"), true),
            (0o640, who(uid + 1, gid + 1, &[], "0000000000000004"), true),
            (0o640, who(uid + 1, gid + 1, &[], "0000000000000001"), false),
            (0o644, who(uid + 1, gid + 1, &[], "0"), true),
            // The owner's own bits count, though others may.
            (0o044, who(uid, gid, &[], "0"), false),
        ] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let view = view(root.path());
            assert_eq!(may_read(view, "/run/sa/token", &who), Some(expected), "{mode:o} {who:?}");
        }
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(root.path().join("run"), Permissions::from_mode(0o700)).unwrap();
        let (owner, other) = (who(uid, gid, &[], "0"), who(uid + 1, gid + 1, &[], "0"));
        assert_eq!(may_read(view(root.path()), "/run/sa/token", &other), Some(false));
        let between = View { root: root.path(), me: Some(&owner), target: Some(&other) };
        for (path, permits, permits_target) in
            [("/var/sa/token", Some(true), Some(false)), ("/run/sa/nothing", None, Some(false))]
        {
            let (seen, _) = look(between, path);
            assert_eq!((seen.mode_permits, seen.mode_permits_target), (permits, permits_target), "{path}");
            let closed = seen.closed.unwrap();
            assert_eq!((closed.path.as_str(), closed.stat.mode.as_str()), ("/run", "0700"), "{path}");
        }
        let alone = View { target: None, ..between };
        assert_eq!(
            look(alone, "/run/sa/token").0.closed,
            None,
            "the target's credentials count, or one's own"
        );
        assert_eq!(may_read(view(root.path()), "/nothing", &who(uid, gid, &[], "0")), None);
    }
}

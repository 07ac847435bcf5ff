//! Processes: the probe's own, and the application's.

use irsa_probe::{Fault, FaultKind, Identity, Other, Process, Target};
use std::fs;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// More processes are not looked at.
const MOST: usize = 4096;
/// More sorts of other processes are not reported.
const MOST_OTHERS: usize = 8;
/// The variables that give a process its role, by either mechanism.
const WIRING: [&str; 4] = [
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// The probe's own process.
pub fn own(proc: &Path) -> Process {
    let (identity, fault) = split(identity(&proc.join("self")));
    Process { pid: std::process::id(), identity, fault }
}

/// The application's process: that of the container with this id, or the first of a shared PID namespace.
/// None when the probe is itself the first.
pub fn target(proc: &Path, container_id: Option<&str>) -> Option<Target> {
    if container_id.is_none() && std::process::id() == 1 {
        return None;
    }
    let mut target = Target { by_container_id: container_id.is_some(), ..Target::default() };
    let all = match numbers(proc) {
        Ok(all) => all,
        Err(fault) => return Some(Target { fault: Some(fault), ..target }),
    };
    target.more = all.len() > MOST;
    let all = &all[..all.len().min(MOST)];
    let pid = match container_id {
        None => Some(1),
        Some(id) => all.iter().copied().find(|&pid| cgroup(proc, pid).is_some_and(|path| path.contains(id))),
    };
    let Some(pid) = pid else {
        target.fault = Some(Fault::new(FaultKind::NotFound, "no process of this container"));
        return Some(target);
    };
    describe(&mut target, proc, pid);
    others(&mut target, proc, pid, all);
    Some(target)
}

/// What stands for `/` in the target's eyes, if the probe may look.
pub fn root_of(proc: &Path, target: Option<&Target>) -> Option<PathBuf> {
    let target = target.filter(|target| target.root_fault.is_none())?;
    Some(proc.join(target.pid?.to_string()).join("root"))
}

fn describe(target: &mut Target, proc: &Path, pid: u32) {
    let process = proc.join(pid.to_string());
    target.pid = Some(pid);
    target.name = name(&process);
    (target.identity, target.fault) = split(identity(&process));
    target.root = foreign_root(&process);
    target.root_fault = fs::metadata(process.join("root/.")).err().map(Fault::from);
}

/// One process of each sort that differs from the first one, of the same container: a worker that dropped its privileges.
fn others(target: &mut Target, proc: &Path, first: u32, all: &[u32]) {
    let Some(identity) = &target.identity else { return };
    let container = cgroup(proc, first);
    let own = std::process::id();
    let wiring = wiring(&proc.join(first.to_string())).unwrap_or_default();
    let root = target.root.clone();
    let mut sorts = vec![(identity.uid[3], identity.gid[3], identity.groups.clone(), root, Vec::new())];
    for &pid in all.iter().filter(|&&pid| pid != first && pid != own) {
        if cgroup(proc, pid) != container {
            continue;
        }
        let process = proc.join(pid.to_string());
        // It may have ended in the meantime.
        let Ok(identity) = self::identity(&process) else { continue };
        // What cannot be read is taken to be the same.
        let has = self::wiring(&process).unwrap_or_else(|| wiring.clone());
        let lacks: Vec<String> =
            wiring.iter().filter(|name| !has.contains(name)).map(|name| (*name).to_owned()).collect();
        let sort = (identity.uid[3], identity.gid[3], identity.groups, foreign_root(&process), lacks);
        let capabilities = identity.capabilities;
        if sorts.contains(&sort) {
            continue;
        }
        if target.others.len() == MOST_OTHERS {
            target.more = true;
            return;
        }
        sorts.push(sort.clone());
        let (uid, gid, groups, root, lacks) = sort;
        let name = name(&process).unwrap_or_default();
        let other = Other { pid, name, uid, gid, groups, capabilities, root, lacks, may_read_token: None };
        target.others.push(other);
    }
}

/// The names of [`WIRING`] that a process was started with; `None` if the probe may not look, or if it has ended.
fn wiring(process: &Path) -> Option<Vec<&'static str>> {
    let block = Zeroizing::new(fs::read(process.join("environ")).ok()?);
    // The kernel shows nothing of a process without memory; one that was started with nothing still has its arguments.
    if block.is_empty() && fs::read(process.join("cmdline")).ok()?.is_empty() {
        return None;
    }
    let is_set = |name: &&str| {
        let value = |entry: &[u8]| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::len);
        block.split(|&byte| byte == 0).find_map(value).is_some_and(|length| length > 0)
    };
    Some(WIRING.into_iter().filter(is_set).collect())
}

fn split<T>(result: Result<T, Fault>) -> (Option<T>, Option<Fault>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(fault) => (None, Some(fault)),
    }
}

fn numbers(proc: &Path) -> Result<Vec<u32>, Fault> {
    let mut all = Vec::new();
    for entry in fs::read_dir(proc)? {
        if let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
            all.push(pid);
        }
    }
    all.sort_unstable();
    Ok(all)
}

fn cgroup(proc: &Path, pid: u32) -> Option<String> {
    fs::read_to_string(proc.join(pid.to_string()).join("cgroup")).ok()
}

fn name(process: &Path) -> Option<String> {
    let name = fs::read(process.join("comm")).ok()?;
    Some(String::from_utf8_lossy(&name).trim_end().to_owned())
}

/// A root directory other than the container's, as after chroot.
fn foreign_root(process: &Path) -> Option<String> {
    let root = fs::read_link(process.join("root")).ok()?;
    (root != Path::new("/")).then(|| root.display().to_string())
}

fn identity(process: &Path) -> Result<Identity, Fault> {
    let status = fs::read(process.join("status"))?;
    let status = String::from_utf8_lossy(&status);
    let mut identity = parse(&status).ok_or_else(|| Fault::new(FaultKind::Invalid, "unknown format"))?;
    let label = fs::read(process.join("attr/current")).unwrap_or_default();
    let label = String::from_utf8_lossy(&label);
    let label = label.trim_end_matches(['\0', '\n']);
    identity.label = (!label.is_empty()).then(|| label.to_owned());
    Ok(identity)
}

/// `/proc/<pid>/status`, see proc_pid_status(5).
fn parse(status: &str) -> Option<Identity> {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.trim())
    };
    let numbers =
        |name| field(name)?.split_whitespace().map(|id| id.parse().ok()).collect::<Option<Vec<u32>>>();
    Some(Identity {
        uid: numbers("Uid")?.try_into().ok()?,
        gid: numbers("Gid")?.try_into().ok()?,
        groups: numbers("Groups")?,
        capabilities: field("CapEff")?.to_owned(),
        bounding: field("CapBnd")?.to_owned(),
        no_new_privs: field("NoNewPrivs").map(|value| value == "1"),
        seccomp: field("Seccomp").and_then(|value| value.parse().ok()),
        label: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn process(proc: &Path, pid: u32, uid: u32, groups: &str, cgroup: &str) {
        let process = proc.join(pid.to_string());
        fs::create_dir_all(&process).unwrap();
        let status = format!(
            "Name:\tapp\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t5\t5\t5\t5\nGroups:\t{groups} \n\
             CapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\n"
        );
        fs::write(process.join("status"), status).unwrap();
        fs::write(process.join("comm"), format!("app{pid}\n")).unwrap();
        fs::write(process.join("cgroup"), cgroup).unwrap();
        symlink("/", process.join("root")).unwrap();
    }

    #[test]
    fn the_first_process_and_those_that_became_somebody_else() {
        let proc = tempfile::tempdir().unwrap();
        process(proc.path(), 1, 0, "", "0::/a");
        process(proc.path(), 7, 101, "2000", "0::/a");
        process(proc.path(), 8, 101, "2000", "0::/a");
        process(proc.path(), 9, 0, "", "0::/a");
        process(proc.path(), 10, 55, "", "0::/another");
        let target = target(proc.path(), None).unwrap();
        assert_eq!((target.pid, target.name.as_deref()), (Some(1), Some("app1")));
        assert_eq!(target.identity.as_ref().unwrap().uid, [0; 4]);
        let [other] = target.others.as_slice() else { panic!("{:?}", target.others) };
        assert_eq!((other.pid, other.uid, other.groups.as_slice()), (7, 101, [2000].as_slice()));
        assert!(!target.more && target.root_fault.is_none());
    }

    #[test]
    fn a_process_without_the_variables_of_the_first_is_told() {
        let proc = tempfile::tempdir().unwrap();
        let start = |pid: u32, environment: &[u8]| {
            process(proc.path(), pid, 0, "", "0::/a");
            fs::write(proc.path().join(format!("{pid}/environ")), environment).unwrap();
            fs::write(proc.path().join(format!("{pid}/cmdline")), b"app\0").unwrap();
        };
        start(1, b"AWS_ROLE_ARN=r\0SECRET=x\0AWS_WEB_IDENTITY_TOKEN_FILE=/token\0");
        start(7, b"AWS_ROLE_ARN=r\0AWS_WEB_IDENTITY_TOKEN_FILE=/token\0");
        start(8, b"AWS_ROLE_ARN=r\0AWS_WEB_IDENTITY_TOKEN_FILE=\0");
        start(9, b"");
        // Whose environment is closed to the probe, and one that has ended.
        process(proc.path(), 10, 0, "", "0::/a");
        start(11, b"");
        fs::write(proc.path().join("11/cmdline"), b"").unwrap();
        let lacks: Vec<_> = target(proc.path(), None)
            .unwrap()
            .others
            .into_iter()
            .map(|other| (other.pid, other.lacks))
            .collect();
        let token = String::from("AWS_WEB_IDENTITY_TOKEN_FILE");
        assert_eq!(lacks, [(8, vec![token.clone()]), (9, vec![String::from("AWS_ROLE_ARN"), token])]);
    }

    #[test]
    fn the_container_is_found_by_its_id() {
        let proc = tempfile::tempdir().unwrap();
        process(proc.path(), 1, 65535, "", "0::/../pause");
        process(proc.path(), 12, 1000, "", "0::/../cri-containerd-0badcafe.scope");
        let found = target(proc.path(), Some("0badcafe")).unwrap();
        assert_eq!((found.pid, found.by_container_id), (Some(12), true));
        let lost = target(proc.path(), Some("feedbeef")).unwrap();
        assert_eq!(lost.fault.unwrap().kind, FaultKind::NotFound);
    }

    #[test]
    fn a_status_is_read_to_the_letter() {
        let text = "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t\nCapEff:\tff\nCapBnd:\tff\n";
        let identity = parse(text).unwrap();
        assert_eq!((identity.uid, identity.gid), ([1, 2, 3, 4], [5, 6, 7, 8]));
        assert_eq!((identity.no_new_privs, identity.seccomp), (None, None));
        assert_eq!(parse("Name:\tx\n"), None);
        assert_eq!(parse(&text.replace("\t4\n", "\tfour\n")), None);
    }

    #[test]
    fn the_probe_knows_itself() {
        let own = own(Path::new("/proc"));
        assert_eq!(own.pid, std::process::id());
        assert!(own.identity.is_some() && own.fault.is_none());
    }
}

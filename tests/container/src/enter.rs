//! From a process in the right PID namespace to the container's program.

use crate::{Context as _, Failure, unshare};
use irsa_test_container::{Container, Mount, User};
use rustix::fs::{Gid, Uid};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change, mount_remount, unmount,
};
use rustix::process::{Signal, chdir, pivot_root, set_parent_process_death_signal};
use rustix::thread::{
    CapabilitySet, UnshareFlags, remove_capability_from_bounding_set, set_no_new_privs, set_thread_gid,
    set_thread_groups, set_thread_uid,
};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Becomes the container's program.
pub fn enter(container: &Container) -> Result<u8, Failure> {
    unshare(UnshareFlags::NEWNS).step("a mount namespace")?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).step("private mounts")?;
    let root = container.root.as_path();
    mount_bind(root, root).step("the root")?;
    for mount in &container.mounts {
        bind(root, mount)?;
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", root.join("proc"), "proc", flags, None).step("/proc")?;
    chdir(root).step("the root")?;
    pivot_root(".", ".").step("the root")?;
    unmount(".", UnmountFlags::DETACH).step("the host's root")?;
    chdir("/").step("the root")?;
    become_user(&container.user)?;
    // The kernel forgets this signal when the user changes.
    set_parent_process_death_signal(Some(Signal::KILL)).step("the end")?;
    let (program, args) =
        container.command.split_first().ok_or(std::io::ErrorKind::NotFound).step("a command")?;
    let error = Command::new(program)
        .args(args)
        .env_clear()
        .envs(container.env.iter().map(|(name, value)| (name, value)))
        .exec();
    Err(error).step(program)
}

fn bind(root: &Path, mount: &Mount) -> Result<(), Failure> {
    let name = mount.target.display().to_string();
    let target = root.join(mount.target.strip_prefix("/").unwrap_or(&mount.target));
    mount_bind(&mount.source, &target).step(&name)?;
    if mount.read_only {
        mount_remount(&target, MountFlags::BIND | MountFlags::RDONLY, "").step(&name)?;
    }
    Ok(())
}

fn become_user(user: &User) -> Result<(), Failure> {
    for bit in (0..u64::BITS).map(|number| 1 << number).filter(|bit| user.capabilities & bit == 0) {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(bit)) {
            // There are no capabilities beyond the last one.
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(error) => return Err(error).step("capabilities"),
        }
    }
    let groups: Vec<Gid> = user.groups.iter().map(|&group| Gid::from_raw(group)).collect();
    set_thread_groups(&groups).step("groups")?;
    set_thread_gid(Gid::from_raw(user.gid)).step("the group")?;
    set_thread_uid(Uid::from_raw(user.uid)).step("the user")?;
    if user.no_new_privileges {
        set_no_new_privs(true).step("no new privileges")?;
    }
    Ok(())
}

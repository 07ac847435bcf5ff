//! No core dump: it would contain tokens.

/// Forbids the system to write one, whatever ends this process; and to others of this user to read its memory. The programs that it runs
/// inherit the first.
#[cfg(unix)]
pub fn forbid() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // A limit may always be lowered. Where a sandbox refuses even that, the diagnosis is still worth having.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The limit counts for files. A core that is piped to a program (systemd-coredump, apport) is held back by this alone.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Windows writes none unless the machine is set up for it, which a process cannot change for itself.
#[cfg(not(unix))]
pub fn forbid() {}

//! A pod made of a temporary directory, and the probe in it.

use crate::token;
use irsa_probe::{Options, Report};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Nothing listens there.
pub const CLOSED: &str = "http://127.0.0.1:1";
pub const ROLE: &str = "arn:aws:iam::111122223333:role/checkout";

/// A pod in which the probe can be run.
pub struct Pod {
    directory: TempDir,
    env: Vec<(String, String)>,
    /// How the probe is started.
    pub options: Options,
    user: Option<u32>,
}

/// What a run left behind.
pub struct Run {
    /// The full report.
    pub report: Report,
    /// The compact one.
    pub compact: Report,
}

impl Pod {
    /// A pod with a token as the kubelet mounts it, whose services are all closed.
    pub fn new() -> Pod {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        open_to_all(root);
        let options = Options {
            budget: 4096,
            termination_log: root.join("termination-log"),
            proc: root.join("proc"),
            ..Options::default()
        };
        fs::write(&options.termination_log, "").unwrap();
        fs::set_permissions(&options.termination_log, Permissions::from_mode(0o666)).unwrap();
        fs::create_dir(&options.proc).unwrap();
        symlink("/proc/self", options.proc.join("self")).unwrap();
        let mut pod = Pod { directory, env: Vec::new(), options, user: None };
        pod.mount("token", &token::service_account());
        let token = pod.path("token/token");
        for (name, value) in [
            ("AWS_ROLE_ARN", ROLE),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL_STS", CLOSED),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", CLOSED),
        ] {
            pod.set(name, value);
        }
        pod
    }

    /// A projected volume: a link to a link to a directory of the day.
    pub fn mount(&self, volume: &str, content: &str) {
        let volume = self.directory.path().join(volume);
        fs::create_dir_all(volume.join("..2026")).unwrap();
        open_to_all(&volume);
        open_to_all(&volume.join("..2026"));
        fs::write(volume.join("..2026/token"), content).unwrap();
        symlink("..2026", volume.join("..data")).unwrap();
        symlink("..data/token", volume.join("token")).unwrap();
    }

    /// The owner and mode of the token.
    pub fn own_token(&self, uid: u32, gid: u32, mode: u32) {
        let token = self.directory.path().join("token/..2026/token");
        fs::set_permissions(&token, Permissions::from_mode(mode)).unwrap();
        chown(&token, Some(uid), Some(gid)).unwrap();
    }

    /// A path in the pod.
    pub fn path(&self, path: &str) -> String {
        self.directory.path().join(path).display().to_string()
    }

    /// Sets a variable of the probe's environment.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(other, _)| other != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Runs the probe as this user and group.
    pub fn run_as(&mut self, user: u32) {
        self.user = Some(user);
    }

    /// Gives the target a process of its own: as this user, with this environment, and the pod's directory `root` as its root.
    pub fn target(&self, pid: u32, uid: u32, environ: &str, cgroup: &str) {
        let process = self.options.proc.join(pid.to_string());
        fs::create_dir_all(&process).unwrap();
        let status = format!(
            "Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{uid}\t{uid}\t{uid}\t{uid}\nGroups:\t\n\
             CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
        );
        let root = self.directory.path().join("root");
        fs::create_dir_all(&root).unwrap();
        for (name, content) in
            [("status", status.as_str()), ("environ", environ), ("cgroup", cgroup), ("comm", "app\n")]
        {
            fs::write(process.join(name), content).unwrap();
        }
        symlink(root, process.join("root")).unwrap();
    }

    /// Runs the probe to its end.
    pub fn run(&self) -> Run {
        self.wait(self.start())
    }

    /// Starts the probe.
    pub fn start(&self) -> Child {
        let mut command = Command::new(self.program());
        command.args(self.options.to_args()).env_clear();
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits for it, and reads what it wrote.
    pub fn wait(&self, probe: Child) -> Run {
        let output = probe.wait_with_output().unwrap();
        let log = fs::read(&self.options.termination_log).unwrap();
        for text in [&output.stdout, &output.stderr, &log] {
            token::assert_none_in(text);
        }
        assert!(output.status.success(), "{}", output.status);
        assert!(output.stderr.is_empty(), "it wrote to stderr");
        let line = output.stdout.strip_suffix(b"\n").unwrap();
        assert!(!line.contains(&b'\n'), "more than one line");
        assert!(log.len() <= self.options.budget, "{} bytes", log.len());
        Run { report: serde_json::from_slice(line).unwrap(), compact: serde_json::from_slice(&log).unwrap() }
    }

    /// The build's directory may be closed to the user that runs it.
    fn program(&self) -> PathBuf {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_irsa-probe"));
        if self.user.is_none() {
            return program;
        }
        let copy = self.directory.path().join("irsa-probe");
        fs::copy(program, &copy).unwrap();
        copy
    }
}

/// If tests can become another user.
pub fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|line| line.starts_with("Uid:\t0\t0"))
}

fn open_to_all(directory: &std::path::Path) {
    fs::set_permissions(directory, Permissions::from_mode(0o755)).unwrap();
}

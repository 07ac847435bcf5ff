//! The root directory of a container: nothing but what the kubelet and the runtime provide.

use super::network::DNS;
use super::pod::list;
use crate::aws::FakeAws;
use irsa_test_container::Mount;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where images keep the CAs that they trust.
pub const CA_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A root directory on the host, and what is to be mounted into it.
pub struct Root {
    /// On the host.
    pub path: PathBuf,
    /// Volumes and the program.
    pub mounts: Vec<Mount>,
}

impl Root {
    /// Makes the root of a container whose image holds one program.
    pub fn make(
        path: PathBuf,
        pod: &Value,
        container: &Value,
        volumes: &Path,
        program: (&Path, &str),
    ) -> io::Result<Root> {
        let mut root = Root { path, mounts: Vec::new() };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (name, namespace) = (text(&pod["metadata"]["name"]), text(&pod["metadata"]["namespace"]));
        root.directory("/")?;
        root.directory("/proc")?;
        root.directory("/tmp")?;
        fs::set_permissions(root.at("/tmp"), Permissions::from_mode(0o1777))?;
        root.file(
            "/etc/hosts",
            &format!("127.0.0.1\tlocalhost\n{}\t{name}\n", text(&pod["status"]["podIP"])),
            0o644,
        )?;
        let search = format!("{namespace}.svc.cluster.local svc.cluster.local cluster.local");
        let resolver = format!("search {search}\nnameserver {DNS}\noptions ndots:5\n");
        root.file("/etc/resolv.conf", &resolver, 0o644)?;
        root.file(CA_BUNDLE, &FakeAws::ca_pem(), 0o644)?;
        root.file(termination_log(container), "", 0o666)?;
        let (program, target) = program;
        root.mount(program.to_owned(), target, true)?;
        let mut mounts: Vec<&Value> = list(&container["volumeMounts"]).iter().collect();
        mounts.sort_by_key(|mount| text(&mount["mountPath"]).len());
        for mount in mounts {
            let volume = volumes.join(text(&mount["name"])).join(text(&mount["subPath"]));
            // Below a link nothing is mounted twice.
            let source = fs::canonicalize(volume)?;
            root.mount(source, &text(&mount["mountPath"]), mount["readOnly"] == true)?;
        }
        Ok(root)
    }

    /// Has `/root` as images of distributions have it: closed to all but root.
    pub fn with_home_of_root(self) -> io::Result<Root> {
        self.directory("/root")?;
        fs::set_permissions(self.at("/root"), Permissions::from_mode(0o700))?;
        Ok(self)
    }

    /// What the program left in its termination log.
    pub fn termination_message(&self, container: &Value) -> io::Result<Vec<u8>> {
        fs::read(self.at(termination_log(container)))
    }

    fn at(&self, path: &str) -> PathBuf {
        self.path.join(path.trim_start_matches('/'))
    }

    fn directory(&self, path: &str) -> io::Result<()> {
        fs::create_dir_all(self.at(path))
    }

    fn file(&self, path: &str, content: &str, mode: u32) -> io::Result<()> {
        let path = self.at(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content)?;
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    fn mount(&mut self, source: PathBuf, target: &str, read_only: bool) -> io::Result<()> {
        match source.is_dir() {
            true => self.directory(target)?,
            false => self.file(target, "", 0o644)?,
        }
        self.mounts.push(Mount { source, target: target.into(), read_only });
        Ok(())
    }
}

fn termination_log(container: &Value) -> &str {
    container["terminationMessagePath"].as_str().unwrap_or("/dev/termination-log")
}

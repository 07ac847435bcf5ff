//! How to reach the cluster: the flags that every kubectl command has, laid over the kubeconfig.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use thiserror::Error;

use super::eks_hints::EksHints;

/// The flags of `k8s.io/cli-runtime` that choose the cluster and the user.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// `--kubeconfig`; may be a list of paths, as `KUBECONFIG` may.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`.
    pub context: Option<String>,
    /// `--cluster`.
    pub cluster: Option<String>,
    /// `--user`.
    pub user: Option<String>,
    /// `-n`, `--namespace`.
    pub namespace: Option<String>,
    /// `-s`, `--server`.
    pub server: Option<String>,
    /// `--token`.
    pub token: Option<Secret>,
    /// `--certificate-authority`.
    pub certificate_authority: Option<PathBuf>,
    /// `--client-certificate`.
    pub client_certificate: Option<PathBuf>,
    /// `--client-key`.
    pub client_key: Option<PathBuf>,
    /// `--tls-server-name`.
    pub tls_server_name: Option<String>,
    /// `--insecure-skip-tls-verify`.
    pub insecure_skip_tls_verify: bool,
    /// `--as`.
    pub impersonate: Option<String>,
    /// `--as-group`.
    pub impersonate_groups: Vec<String>,
    /// `--as-uid`.
    pub impersonate_uid: Option<String>,
}

/// Text that cannot print itself.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[withheld]")
    }
}

/// The cluster cannot be addressed.
#[derive(Debug, Error)]
pub enum AccessError {
    /// Neither `--kubeconfig`, `KUBECONFIG` nor `~/.kube/config` is there.
    #[error("no kubeconfig: neither --kubeconfig nor KUBECONFIG is set, and {0} does not exist")]
    NoKubeconfig(String),
    /// Nor is it known where that would be.
    #[error("no kubeconfig: neither --kubeconfig nor KUBECONFIG is set, and there is no home directory")]
    NoHome,
    /// A named file cannot be read.
    #[error("cannot read {what} {path}: {cause}")]
    Unreadable {
        /// What the file is for.
        what: &'static str,
        /// The file.
        path: String,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The kubeconfig does not hold what is needed.
    #[error("kubeconfig {path}: {cause}")]
    Kubeconfig {
        /// The file or files.
        path: String,
        /// What is wrong.
        cause: String,
    },
    /// A flag cannot be read.
    #[error("{flag}: {cause}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// What is wrong.
        cause: String,
    },
}

impl Access {
    /// The flags that a printed kubectl command needs to reach the same cluster as the same user; never a token.
    pub fn kubectl_flags(&self) -> Vec<String> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let pairs = [
            ("--kubeconfig", path(&self.kubeconfig)),
            ("--context", self.context.clone()),
            ("--cluster", self.cluster.clone()),
            ("--user", self.user.clone()),
            ("--server", self.server.clone()),
            ("--certificate-authority", path(&self.certificate_authority)),
            ("--client-certificate", path(&self.client_certificate)),
            ("--client-key", path(&self.client_key)),
            ("--tls-server-name", self.tls_server_name.clone()),
            ("--as", self.impersonate.clone()),
            ("--as-uid", self.impersonate_uid.clone()),
        ];
        let mut flags: Vec<String> = pairs
            .into_iter()
            .filter_map(|(flag, value)| value.map(|value| format!("{flag}={value}")))
            .collect();
        flags.extend(self.impersonate_groups.iter().map(|group| format!("--as-group={group}")));
        if self.insecure_skip_tls_verify {
            flags.push(String::from("--insecure-skip-tls-verify"));
        }
        flags
    }

    /// Reads the kubeconfig and lays the flags over it, and what it tells of an EKS cluster. The namespace of `-n` wins over
    /// that of the context.
    pub async fn config(&self, request_timeout: Duration) -> Result<(kube::Config, EksHints), AccessError> {
        let (merged, shown) = self.merged()?;
        let options = KubeConfigOptions {
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
        };
        let contexts =
            merged.contexts.iter().map(|context| context.name.clone()).collect::<Vec<_>>().join(", ");
        let hints = EksHints::of(&merged, self);
        let mut config = kube::Config::from_custom_kubeconfig(merged, &options).await.map_err(|cause| {
            let hint = match cause {
                KubeconfigError::LoadContext(_) if !contexts.is_empty() => {
                    format!(" (contexts there: {contexts})")
                }
                KubeconfigError::CurrentContextNotSet => {
                    String::from(" (set one with --context or kubectl config use-context)")
                }
                _ => String::new(),
            };
            AccessError::Kubeconfig { path: shown.clone(), cause: words(&cause) + &hint }
        })?;
        self.lay_over(&mut config)?;
        config.connect_timeout = Some(request_timeout);
        // The deadline of an answer is ours (`collect::api`): two clocks would tell two stories of one silence.
        config.read_timeout = None;
        config.write_timeout = None;
        // One deadline for an answer, not one for each of several tries.
        config.default_retry = false;
        Ok((config, hints))
    }

    /// The kubeconfig, merged from all its files.
    pub fn kubeconfig(&self) -> Result<Kubeconfig, AccessError> {
        Ok(self.merged()?.0)
    }

    /// The kubeconfig, and the files that it was read from.
    fn merged(&self) -> Result<(Kubeconfig, String), AccessError> {
        let paths = self.paths()?;
        let shown = list_of(&paths);
        let named =
            |cause: KubeconfigError| AccessError::Kubeconfig { path: shown.clone(), cause: words(&cause) };

        let mut merged = Kubeconfig::default();
        for path in &paths {
            match Kubeconfig::read_from(path) {
                Ok(next) => merged = merged.merge(next).map_err(named)?,
                Err(KubeconfigError::ReadConfig(cause, path)) => {
                    return Err(AccessError::Unreadable {
                        what: "kubeconfig",
                        path: path.display().to_string(),
                        cause,
                    });
                }
                Err(cause) => {
                    return Err(AccessError::Kubeconfig {
                        path: path.display().to_string(),
                        cause: words(&cause),
                    });
                }
            }
        }
        Ok((merged, shown))
    }

    fn lay_over(&self, config: &mut kube::Config) -> Result<(), AccessError> {
        if let Some(namespace) = &self.namespace {
            config.default_namespace.clone_from(namespace);
        }
        if let Some(server) = &self.server {
            config.cluster_url = server.parse().map_err(|cause| AccessError::Flag {
                flag: "--server",
                cause: format!("{server} is not a URL: {cause}"),
            })?;
        }
        if let Some(path) = &self.certificate_authority {
            let pem = read("certificate authority", path)?;
            config.root_cert = Some(der_of(&pem).ok_or_else(|| AccessError::Flag {
                flag: "--certificate-authority",
                cause: format!("{} holds no PEM certificate", path.display()),
            })?);
        }
        if self.insecure_skip_tls_verify {
            config.accept_invalid_certs = true;
        }
        if let Some(name) = &self.tls_server_name {
            config.tls_server_name = Some(name.clone());
        }
        let auth = &mut config.auth_info;
        if let Some(Secret(token)) = &self.token {
            auth.token = Some(token.clone().into());
            auth.token_file = None;
            auth.exec = None;
        }
        if let Some(path) = &self.client_certificate {
            auth.client_certificate = Some(path.display().to_string());
            auth.client_certificate_data = None;
        }
        if let Some(path) = &self.client_key {
            auth.client_key = Some(path.display().to_string());
            auth.client_key_data = None;
        }
        if let Some(user) = &self.impersonate {
            auth.impersonate = Some(user.clone());
        }
        if !self.impersonate_groups.is_empty() {
            auth.impersonate_groups = Some(self.impersonate_groups.clone());
        }
        if let Some(uid) = &self.impersonate_uid {
            auth.impersonate_uid = Some(uid.clone());
        }
        Ok(())
    }

    fn paths(&self) -> Result<Vec<PathBuf>, AccessError> {
        let list =
            self.kubeconfig.clone().map(PathBuf::into_os_string).or_else(|| std::env::var_os("KUBECONFIG"));
        let named: Vec<PathBuf> =
            list.iter().flat_map(std::env::split_paths).filter(|path| !path.as_os_str().is_empty()).collect();
        if named.len() == 1 || (self.kubeconfig.is_some() && !named.is_empty()) {
            return Ok(named);
        }
        if !named.is_empty() {
            // As kubectl: files of a list that are missing are passed over, unless none is there.
            let present: Vec<PathBuf> = named.iter().filter(|path| path.exists()).cloned().collect();
            return Ok(if present.is_empty() { named } else { present });
        }
        let mut homes = homes(cfg!(windows), |name| std::env::var_os(name));
        if homes.is_empty() {
            homes.extend(std::env::home_dir());
        }
        let defaults: Vec<PathBuf> =
            homes.into_iter().map(|home| home.join(".kube").join("config")).collect();
        match defaults.iter().find(|path| path.exists()) {
            Some(default) => Ok(vec![default.clone()]),
            None if defaults.is_empty() => Err(AccessError::NoHome),
            None => Err(AccessError::NoKubeconfig(list_of(&defaults))),
        }
    }
}

/// The directories in which kubectl looks for `.kube/config`; on Windows the first that has it counts
/// (client-go, `util/homedir`).
fn homes(windows: bool, var: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let var = |name| var(name).filter(|value| !value.is_empty());
    let mut homes: Vec<OsString> = var("HOME").into_iter().collect();
    if windows {
        homes.extend(var("HOMEDRIVE").zip(var("HOMEPATH")).map(|(mut drive, path)| {
            drive.push(path);
            drive
        }));
        homes.extend(var("USERPROFILE"));
        homes.dedup();
    }
    homes.into_iter().map(PathBuf::from).collect()
}

/// As KUBECONFIG has them.
fn list_of(paths: &[PathBuf]) -> String {
    let separator = if cfg!(windows) { ";" } else { ":" };
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(separator)
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, AccessError> {
    std::fs::read(path).map_err(|cause| AccessError::Unreadable {
        what,
        path: path.display().to_string(),
        cause,
    })
}

/// The certificates of a PEM bundle; `None` if there is none or one is damaged.
pub(super) fn der_of(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let blocks: Result<Vec<_>, _> = x509_parser::pem::Pem::iter_from_buffer(pem).collect();
    let blocks: Vec<_> = blocks
        .ok()?
        .into_iter()
        .filter(|block| block.label == "CERTIFICATE")
        .map(|block| block.contents)
        .collect();
    (!blocks.is_empty()).then_some(blocks)
}

/// An error and its causes in one line; kube-rs nests them.
fn words(cause: &KubeconfigError) -> String {
    let text = match cause {
        KubeconfigError::CurrentContextNotSet => String::from("no current context is set"),
        KubeconfigError::LoadContext(name) => format!("there is no context \"{name}\""),
        KubeconfigError::LoadClusterOfContext(name) => format!("there is no cluster \"{name}\""),
        // The snippet of a parse error would show the lines around the flaw, tokens and keys among them.
        KubeconfigError::Parse(error) => {
            let at = error
                .location()
                .map_or_else(String::new, |at| format!(" at line {}, column {}", at.line(), at.column()));
            format!("not the YAML of a kubeconfig{at}")
        }
        other => other.to_string(),
    };
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Separated by `:`, on Windows by `;`, since `C:` has a colon of its own.
    #[test]
    fn a_list_of_kubeconfigs_is_read_as_the_platform_writes_it() {
        let separator = if cfg!(windows) { ';' } else { ':' };
        let [first, second] = if cfg!(windows) { [r"C:\a", r"D:\b"] } else { ["/a", "/b"] };
        let list = format!("{first}{separator}{separator}{second}");
        let access = Access { kubeconfig: Some(list.into()), ..Access::default() };
        assert_eq!(access.paths().unwrap(), [Path::new(first), Path::new(second)]);
        let missing = access.kubeconfig().unwrap_err().to_string();
        assert!(missing.starts_with(&format!("cannot read kubeconfig {first}: ")), "{missing}");
    }
    #[test]
    fn homes_are_kubectls() {
        let env = |name: &str| {
            let value = match name {
                "HOME" => "/h",
                "HOMEDRIVE" => "H:",
                "HOMEPATH" => r"\me",
                "USERPROFILE" => r"C:\Users\me",
                _ => return None,
            };
            Some(OsString::from(value))
        };
        assert_eq!(homes(false, env), [Path::new("/h")]);
        assert_eq!(homes(true, env), [Path::new("/h"), Path::new(r"H:\me"), Path::new(r"C:\Users\me")]);
        let usual = |name: &str| env(name).filter(|_| name == "USERPROFILE");
        assert_eq!(homes(true, usual), [Path::new(r"C:\Users\me")]);
        assert!(homes(true, |_| None).is_empty());
    }
}

//! How to reach the cluster: the flags that every kubectl command has, laid over the kubeconfig.

use std::ffi::OsString;
use std::path::PathBuf;

use http::Uri;
use irsa::text::near;
use kube::config::{AuthInfo, Cluster, Context, Kubeconfig};
use secrecy::SecretString;
use thiserror::Error;

use super::kubeconfig::{self, KubeconfigError, Merged};

/// The flags of `k8s.io/cli-runtime` that choose the cluster and the user, by their names.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// `KUBECONFIG`, which counts without `--kubeconfig`.
    pub(crate) environment: Option<OsString>,
    /// May be a list of paths, as `KUBECONFIG` may.
    pub(crate) kubeconfig: Option<PathBuf>,
    pub(crate) context: Option<String>,
    pub(crate) cluster: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) server: Option<String>,
    pub(crate) token: Option<SecretString>,
    pub(crate) certificate_authority: Option<PathBuf>,
    pub(crate) client_certificate: Option<PathBuf>,
    pub(crate) client_key: Option<PathBuf>,
    pub(crate) tls_server_name: Option<String>,
    pub(crate) insecure_skip_tls_verify: bool,
    /// `--as`, and so on.
    pub(crate) impersonate: Option<String>,
    pub(crate) impersonate_groups: Vec<String>,
    pub(crate) impersonate_uid: Option<String>,
}

/// The cluster cannot be addressed.
#[derive(Debug, Error)]
pub enum AccessError {
    #[error("no kubeconfig: neither --kubeconfig nor KUBECONFIG is set, and {0} does not exist")]
    NoKubeconfig(String),
    #[error("no kubeconfig: neither --kubeconfig nor KUBECONFIG is set, and there is no home directory")]
    NoHome,
    #[error(transparent)]
    File(#[from] KubeconfigError),
    #[error("kubeconfig {path}: {cause}")]
    Kubeconfig { path: String, cause: String },
    #[error("the API server's address \"{0}\" is not a URL; expected https://HOST or https://HOST:PORT")]
    Address(String),
}

/// An API server, and who asks it: the kubeconfig's context with the flags laid over it. No `Debug`: kube's model of the
/// user shows the tokens of an auth provider and what an exec plugin is given.
#[derive(Clone)]
pub struct Server {
    /// Its URL, which may have a path.
    pub address: Uri,
    /// The namespace that is meant where a target names none.
    pub namespace: String,
    pub(super) cluster: Cluster,
    pub(super) user: AuthInfo,
}

#[cfg(test)]
impl Server {
    /// One of a test's own, which asks nobody who they are.
    pub fn at(address: std::net::SocketAddr) -> Self {
        Self {
            address: format!("http://{address}").parse().unwrap(),
            namespace: String::from("shop"),
            cluster: Cluster::default(),
            user: AuthInfo::default(),
        }
    }
}

impl Access {
    /// The kubeconfig, merged from all its files.
    pub fn kubeconfig(&self) -> Result<Kubeconfig, AccessError> {
        let add = |merged: Merged, path: &PathBuf| merged.add(kubeconfig::read(path)?, path);
        Ok(self.paths()?.iter().try_fold(Merged::default(), add)?.kubeconfig())
    }

    /// Lays the flags over the kubeconfig. The namespace of `-n` wins over that of the context.
    pub fn server(&self, kubeconfig: &Kubeconfig) -> Result<Server, AccessError> {
        let wrong = |cause| {
            let path = list_of(&self.paths().unwrap_or_default());
            AccessError::Kubeconfig { path, cause }
        };
        let context = self.chosen(kubeconfig).map_err(wrong)?;
        let name = self.cluster.as_ref().unwrap_or(&context.cluster);
        let clusters = kubeconfig.clusters.iter().map(|one| &one.name);
        let mut cluster = kubeconfig::cluster(kubeconfig, name)
            .ok_or_else(|| wrong(missing("cluster", name, clusters)))?
            .clone();
        // As kubectl: a user that the context names and that is not there is nobody, one that is asked for is missed.
        let mut user = match &self.user {
            Some(name) => {
                let users = kubeconfig.auth_infos.iter().map(|one| &one.name);
                kubeconfig::user(kubeconfig, name).ok_or_else(|| wrong(missing("user", name, users)))?.clone()
            }
            None => {
                let user = context.user.as_ref().and_then(|name| kubeconfig::user(kubeconfig, name));
                user.cloned().unwrap_or_default()
            }
        };
        self.lay_over(&mut cluster, &mut user);

        let server = cluster.server.as_deref().filter(|server| !server.is_empty());
        let server = server.ok_or_else(|| wrong(String::from("the cluster has no server")))?;
        let address = server.parse().ok().filter(|address: &Uri| {
            matches!(address.scheme_str(), Some("https" | "http")) && address.host().is_some()
        });
        let address = address.ok_or_else(|| AccessError::Address(server.to_owned()))?;
        let namespaces = [self.namespace.as_deref(), context.namespace.as_deref(), Some("default")];
        let namespace = namespaces.into_iter().flatten().find(|name| !name.is_empty());
        let namespace = namespace.unwrap_or_default().to_owned();
        Ok(Server { address, namespace, cluster, user })
    }

    /// The context that the flags or the kubeconfig choose.
    fn chosen<'k>(&self, kubeconfig: &'k Kubeconfig) -> Result<&'k Context, String> {
        let name = self.context.as_ref().or(kubeconfig.current_context.as_ref());
        let name = name
            .filter(|name| !name.is_empty())
            .ok_or("no current context is set (set one with --context or kubectl config use-context)")?;
        let there = kubeconfig.contexts.iter().map(|one| &one.name);
        kubeconfig::context(kubeconfig, name).ok_or_else(|| missing("context", name, there))
    }

    fn lay_over(&self, cluster: &mut Cluster, user: &mut AuthInfo) {
        let path = |path: &PathBuf| Some(path.to_string_lossy().into_owned());
        let over = |flag: &Option<String>, field: &mut Option<String>| {
            if flag.is_some() {
                field.clone_from(flag);
            }
        };
        over(&self.server, &mut cluster.server);
        over(&self.tls_server_name, &mut cluster.tls_server_name);
        over(&self.impersonate, &mut user.impersonate);
        over(&self.impersonate_uid, &mut user.impersonate_uid);
        if !self.impersonate_groups.is_empty() {
            user.impersonate_groups = Some(self.impersonate_groups.clone());
        }
        if self.insecure_skip_tls_verify {
            cluster.insecure_skip_tls_verify = Some(true);
        }
        if let Some(file) = &self.certificate_authority {
            cluster.certificate_authority = path(file);
            cluster.certificate_authority_data = None;
        }
        if let Some(token) = &self.token {
            user.token = Some(token.clone());
            user.token_file = None;
            user.exec = None;
            user.auth_provider = None;
        }
        if let Some(file) = &self.client_certificate {
            user.client_certificate = path(file);
            user.client_certificate_data = None;
        }
        if let Some(file) = &self.client_key {
            user.client_key = path(file);
            user.client_key_data = None;
        }
    }

    fn paths(&self) -> Result<Vec<PathBuf>, AccessError> {
        let list = self.kubeconfig.clone().map(PathBuf::into_os_string).or_else(|| self.environment.clone());
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

/// There is no such entry of the kubeconfig.
fn missing<'a>(kind: &str, name: &str, there: impl Iterator<Item = &'a String>) -> String {
    format!("there is no {kind} \"{name}\"{}", near::hint(name, there, &format!("{kind}s")))
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

#[cfg(test)]
mod tests {
    use std::path::Path;

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
        assert!(missing.starts_with(&format!("{first} does not exist")), "{missing}");
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

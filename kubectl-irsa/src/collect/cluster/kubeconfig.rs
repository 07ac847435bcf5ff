//! The kubeconfig: where clusters are and how one signs in to them, read and merged as client-go does
//! (<https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>). Fields that nothing here needs are passed over.

use std::collections::BTreeMap;
use std::path::{MAIN_SEPARATOR, Path};

use serde::Deserialize;

use crate::collect::files::{self, FilesError};
use crate::collect::secret::Secret;

/// One file, or several merged into one. An empty text stands for a field that is not set, as in Go.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Kubeconfig {
    /// The context that is used where none is chosen.
    pub current_context: String,
    /// Which user on which cluster.
    pub contexts: Vec<Named<Context>>,
    /// The clusters.
    pub clusters: Vec<Named<Cluster>>,
    /// The users.
    pub users: Vec<Named<User>>,
}

/// An entry of a list, with its name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, bound(deserialize = "T: Default + Deserialize<'de>"))]
pub struct Named<T> {
    /// Its name.
    pub name: String,
    /// The rest of it.
    #[serde(alias = "context", alias = "cluster", alias = "user")]
    pub entry: T,
}

/// A user on a cluster.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Context {
    /// Name of the cluster.
    pub cluster: String,
    /// Name of the user.
    pub user: String,
    /// The namespace that is meant where none is named.
    pub namespace: String,
}

/// A cluster.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Cluster {
    /// URL of the API server.
    pub server: String,
    /// The name to expect in its certificate instead of the URL's.
    pub tls_server_name: String,
    /// True if anybody's certificate will do.
    pub insecure_skip_tls_verify: bool,
    /// File of PEM certificates.
    pub certificate_authority: String,
    /// The same in place, in base64; it wins over the file.
    pub certificate_authority_data: String,
    /// URL of a proxy; it wins over the environment's.
    pub proxy_url: String,
    /// What else a tool put there.
    pub extensions: Vec<Extension>,
}

/// What a tool put into a kubeconfig for itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Extension {
    /// Whose it is.
    pub name: String,
    /// Anything.
    pub extension: serde_json::Value,
}

/// A user: one way to sign in, and whom to act as.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct User {
    /// Bearer token.
    pub token: Secret,
    /// File of the token; what it holds wins over `token`.
    #[serde(rename = "tokenFile")]
    pub token_file: String,
    /// Name of basic authentication.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// File of the client's certificate, PEM.
    pub client_certificate: String,
    /// The same in place, in base64; it wins over the file.
    pub client_certificate_data: String,
    /// File of its key, PEM.
    pub client_key: String,
    /// The same in place, in base64; it wins over the file.
    pub client_key_data: Secret,
    /// A program that makes the token or the certificate.
    pub exec: Option<Exec>,
    /// A way to sign in that client-go has built in.
    pub auth_provider: Option<AuthProvider>,
    /// The user to act as.
    pub r#as: String,
    /// Its uid.
    pub as_uid: String,
    /// Its groups.
    pub as_groups: Vec<String>,
    /// What else is said of it.
    pub as_user_extra: BTreeMap<String, Vec<String>>,
}

/// A program that makes the token or the certificate
/// (<https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Exec {
    /// Version of the ExecCredential that it speaks.
    pub api_version: String,
    /// The program.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Added to the environment.
    pub env: Vec<Variable>,
    /// Whether it may ask the person.
    pub interactive_mode: InteractiveMode,
    /// Whether it is told of the cluster.
    pub provide_cluster_info: bool,
    /// What to say if it is not installed.
    pub install_hint: String,
}

/// Whether an exec plugin may ask the person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum InteractiveMode {
    /// It does not.
    Never,
    /// It does if there is a terminal.
    #[default]
    IfAvailable,
    /// It must.
    Always,
}

/// A variable.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A way to sign in that client-go has, or had, built in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AuthProvider {
    /// `oidc`.
    pub name: String,
    /// Its settings, tokens among them.
    pub config: BTreeMap<String, Secret>,
}

impl Kubeconfig {
    /// Reads a file. What it names by a relative path lies beside it.
    ///
    /// # Errors
    /// It cannot be read, or is no kubeconfig; no value is repeated.
    pub fn read(path: &Path) -> Result<Self, FilesError> {
        let mut read: Self = files::first(path, "kubeconfig")?;
        let directory = path.parent().unwrap_or(Path::new(""));
        let beside = |path: &mut String| {
            if !path.is_empty() {
                *path = directory.join(&*path).to_string_lossy().into_owned();
            }
        };
        for Named { entry, .. } in &mut read.clusters {
            beside(&mut entry.certificate_authority);
        }
        for Named { entry, .. } in &mut read.users {
            beside(&mut entry.client_certificate);
            beside(&mut entry.client_key);
            beside(&mut entry.token_file);
            // A bare name is looked for in the PATH.
            if let Some(exec) =
                entry.exec.as_mut().filter(|exec| exec.command.contains(['/', MAIN_SEPARATOR]))
            {
                beside(&mut exec.command);
            }
        }
        Ok(read)
    }

    /// Adds another file: whatever stands in both, the first one's counts.
    #[must_use]
    pub fn merge(mut self, next: Self) -> Self {
        if self.current_context.is_empty() {
            self.current_context = next.current_context;
        }
        add(&mut self.contexts, next.contexts);
        add(&mut self.clusters, next.clusters);
        add(&mut self.users, next.users);
        self
    }
}

fn add<T>(all: &mut Vec<Named<T>>, more: Vec<Named<T>>) {
    for one in more {
        if find(all, &one.name).is_none() {
            all.push(one);
        }
    }
}

/// The entry of a name.
pub fn find<'k, T>(all: &'k [Named<T>], name: &str) -> Option<&'k T> {
    all.iter().find(|one| one.name == name).map(|one| &one.entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Kubeconfig, String> {
        irsa::documents::first_of(text, "config", "kubeconfig").map_err(|error| error.to_string())
    }

    #[test]
    fn what_lies_beside_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        let absolute = if cfg!(windows) { r"C:\ca.pem" } else { "/ca.pem" };
        let text = format!(
            "clusters: [{{name: a, cluster: {{certificate-authority: ca.pem}}}}, {{name: b, cluster: {{certificate-authority: '{absolute}'}}}}]\n\
             users:\n- {{name: a, user: {{client-key: keys/a, exec: {{command: ./sign-in}}}}}}\n- {{name: b, user: {{exec: {{command: aws}}}}}}\n"
        );
        std::fs::write(&path, text).unwrap();
        let read = Kubeconfig::read(&path).unwrap();
        let beside = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
        assert_eq!(find(&read.clusters, "a").unwrap().certificate_authority, beside("ca.pem"));
        assert_eq!(find(&read.clusters, "b").unwrap().certificate_authority, absolute);
        let user = |name| find(&read.users, name).unwrap();
        assert_eq!(user("a").client_key, beside("keys/a"));
        assert_eq!(user("a").exec.as_ref().unwrap().command, beside("./sign-in"));
        assert_eq!(user("b").exec.as_ref().unwrap().command, "aws");
    }

    #[test]
    fn the_first_file_wins_entry_by_entry() {
        let first = read("current-context: a\nusers: [{name: u, user: {token: one}}]").unwrap();
        let second = read(
            "current-context: b\ncontexts: [{name: b, context: {cluster: k, user: u}}]\n\
             users: [{name: u, user: {token: two, username: not-merged}}, {name: v, user: {}}]",
        );
        let merged = first.merge(second.unwrap());
        assert_eq!(merged.current_context, "a");
        assert_eq!(find(&merged.contexts, "b").unwrap().cluster, "k");
        let user = find(&merged.users, "u").unwrap();
        assert_eq!((user.token.expose(), user.username.as_str()), ("one", ""));
        assert!(find(&merged.users, "v").is_some());
    }

    #[test]
    fn nothing_is_set_where_nothing_stands() {
        assert!(read("{apiVersion: v1, kind: Config, users: null, contexts: }").unwrap().users.is_empty());
        let exec = read("users: [{name: u, user: {exec: {command: aws, args: null}}}]").unwrap();
        let exec = exec.users[0].entry.exec.clone().unwrap();
        assert_eq!((exec.args.len(), exec.interactive_mode), (0, InteractiveMode::IfAvailable));
        let never = read("users: [{name: u, user: {exec: {interactiveMode: Never}}}]").unwrap();
        assert_eq!(never.users[0].entry.exec.as_ref().unwrap().interactive_mode, InteractiveMode::Never);
    }

    #[test]
    fn what_is_wrong_is_named_without_its_value() {
        assert_eq!(
            read("users:\n- name: u\n  user: {token: [hunter2]}").unwrap_err(),
            "config:3:17: kubeconfig: .users[0].user.token is a list; Kubernetes requires a string"
        );
        assert_eq!(
            read("users: [{user: {exec: {interactiveMode: hunter2}}}]").unwrap_err(),
            "config:1:41: kubeconfig: .users[0].user.exec.interactiveMode is none of Never, IfAvailable, Always"
        );
        let syntax = read("users: [{user: {token: hunter2, client-key-data: [unclosed}").unwrap_err();
        assert!(syntax.starts_with("config:1:") && !syntax.contains("hunter2"), "{syntax}");
    }
}

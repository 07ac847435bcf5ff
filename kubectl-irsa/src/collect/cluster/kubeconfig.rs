//! The kubeconfig: kube's model of it, read file by file, corrected where kube reads it differently from kubectl
//! (<https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>).

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{MAIN_SEPARATOR, Path};

use irsa::documents;
use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, KubeconfigError as Cause};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::collect::bounded::{self, FileError, Limit};

/// A larger file is not a kubeconfig.
const LARGEST: Limit = Limit::mib(16);

/// A kubeconfig cannot be read. Its content is never repeated: it may be a token.
#[derive(Debug, Error)]
#[error("{path}{what}")]
pub struct KubeconfigError {
    path: String,
    what: String,
}

/// Reads a file. What it names by a relative path lies beside it; an empty text stands for a field that is not set, as in Go.
pub fn read(path: &Path) -> Result<Kubeconfig, KubeconfigError> {
    let wrong = |what| KubeconfigError { path: path.display().to_string(), what };
    let mut bytes = bounded::file(path, LARGEST).map_err(|error| wrong(unreadable(&error)))?;
    let text = documents::text(std::mem::take(&mut *bytes), "").map(Zeroizing::new);
    let text = text.map_err(|_| wrong(String::from(": not a kubeconfig: not text")))?;
    let mut read = Kubeconfig::from_yaml(&text).map_err(|error| wrong(without_values(&error)))?;
    blank(&mut read.current_context);
    read.contexts.iter_mut().filter_map(|named| named.context.as_mut()).for_each(tidy_context);
    read.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()).for_each(tidy_cluster);
    read.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()).for_each(tidy_user);
    if let Some(directory) = path.parent() {
        settle(&mut read, directory);
    }
    Ok(read)
}

/// Lays the paths in it into its directory, as client-go does; of a command only one that is a path.
fn settle(read: &mut Kubeconfig, directory: &Path) {
    let settle = |file: &mut Option<String>| {
        if let Some(file) = file {
            *file = directory.join(&*file).to_string_lossy().into_owned();
        }
    };
    for cluster in read.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        settle(&mut cluster.certificate_authority);
    }
    for user in read.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        [&mut user.client_certificate, &mut user.client_key, &mut user.token_file]
            .into_iter()
            .for_each(settle);
        if let Some(exec) = &mut user.exec
            && exec.command.as_ref().is_some_and(|command| command.contains(MAIN_SEPARATOR))
        {
            settle(&mut exec.command);
        }
    }
}

fn unreadable(error: &FileError) -> String {
    match error {
        FileError::Io(error) if error.kind() == ErrorKind::NotFound => String::from(" does not exist"),
        FileError::Io(error) => format!(" cannot be read: {error}"),
        FileError::TooLarge(limit) => format!(" is larger than {limit}: it is not a kubeconfig"),
    }
}

/// Several files as one: of an entry that is in two, the first counts.
#[derive(Default)]
pub struct Merged {
    all: Kubeconfig,
    clusters: HashSet<String>,
    users: HashSet<String>,
    contexts: HashSet<String>,
}

impl Merged {
    /// Adds the next file. kube's own `merge` looks through all entries so far for each file; it is left with the rest.
    pub fn add(mut self, mut next: Kubeconfig, path: &Path) -> Result<Self, KubeconfigError> {
        let wrong =
            |error| KubeconfigError { path: path.display().to_string(), what: without_values(&error) };
        let (clusters, users, contexts) = (
            std::mem::take(&mut next.clusters),
            std::mem::take(&mut next.auth_infos),
            std::mem::take(&mut next.contexts),
        );
        let own = (self.all.clusters, self.all.auth_infos, self.all.contexts);
        (self.all.clusters, self.all.auth_infos, self.all.contexts) = Default::default();
        self.all = self.all.merge(next).map_err(wrong)?;
        (self.all.clusters, self.all.auth_infos, self.all.contexts) = own;
        let new = |names: &mut HashSet<String>, name: &String| names.insert(name.clone());
        self.all.clusters.extend(clusters.into_iter().filter(|one| new(&mut self.clusters, &one.name)));
        self.all.auth_infos.extend(users.into_iter().filter(|one| new(&mut self.users, &one.name)));
        self.all.contexts.extend(contexts.into_iter().filter(|one| new(&mut self.contexts, &one.name)));
        Ok(self)
    }

    /// All of them.
    pub fn kubeconfig(self) -> Kubeconfig {
        self.all
    }
}

/// kube's own words repeat what stands at the place.
fn without_values(error: &Cause) -> String {
    match error {
        Cause::Parse(error) => {
            let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column()));
            let place = place.unwrap_or_default();
            format!("{place}: not a kubeconfig: not YAML, or a field is missing or has the wrong type")
        }
        _ => String::from(" has another kind or apiVersion than the kubeconfigs before it"),
    }
}

/// The context of a name.
pub fn context<'k>(kubeconfig: &'k Kubeconfig, name: &str) -> Option<&'k Context> {
    kubeconfig.contexts.iter().find(|one| one.name == name)?.context.as_ref()
}

/// The cluster of a name.
pub fn cluster<'k>(kubeconfig: &'k Kubeconfig, name: &str) -> Option<&'k Cluster> {
    kubeconfig.clusters.iter().find(|one| one.name == name)?.cluster.as_ref()
}

/// The user of a name.
pub fn user<'k>(kubeconfig: &'k Kubeconfig, name: &str) -> Option<&'k AuthInfo> {
    kubeconfig.auth_infos.iter().find(|one| one.name == name)?.auth_info.as_ref()
}

fn tidy_context(context: &mut Context) {
    blank(&mut context.user);
    blank(&mut context.namespace);
}

fn tidy_cluster(cluster: &mut Cluster) {
    let Cluster { server, tls_server_name, proxy_url, .. } = cluster;
    let Cluster { certificate_authority, certificate_authority_data, .. } = cluster;
    [server, tls_server_name, proxy_url, certificate_authority, certificate_authority_data]
        .into_iter()
        .for_each(blank);
}

fn tidy_user(user: &mut AuthInfo) {
    let AuthInfo { username, client_certificate_data, impersonate, impersonate_uid, .. } = user;
    [username, client_certificate_data, impersonate, impersonate_uid].into_iter().for_each(blank);
    let AuthInfo { token, password, client_key_data, .. } = user;
    [token, password, client_key_data].into_iter().for_each(blank_secret);
    let AuthInfo { token_file, client_certificate, client_key, .. } = user;
    [token_file, client_certificate, client_key].into_iter().for_each(blank);
    user.impersonate_groups.iter_mut().for_each(|groups| groups.retain(|group| !group.is_empty()));
}

fn blank(text: &mut Option<String>) {
    text.take_if(|text| text.is_empty());
}

fn blank_secret(text: &mut Option<SecretString>) {
    text.take_if(|text| text.expose_secret().is_empty());
}

#[cfg(test)]
mod tests {
    use kube::config::NamedContext;

    use super::*;

    fn read_text(text: &str) -> Result<Kubeconfig, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        std::fs::write(&path, text).unwrap();
        let directory = format!("{}/", directory.path().display());
        read(&path).map_err(|error| error.to_string().replace(&directory, ""))
    }

    fn merged(files: impl IntoIterator<Item = Kubeconfig>) -> Kubeconfig {
        let add = |merged: Merged, file| merged.add(file, Path::new("file"));
        files.into_iter().try_fold(Merged::default(), add).unwrap().kubeconfig()
    }

    #[test]
    fn files_are_merged_as_kube_merges_them() {
        // Each has entries of its own, and one that the others have.
        let file = |index: usize| {
            let text = format!(
                "kind: Config\ncurrent-context: c{index}\nextra: {index}\n\
                 clusters: [{{name: shared, cluster: {{server: 'https://{index}'}}}}, {{name: k{index}, cluster: {{server: a}}}}, \
                 {{name: k{index}, cluster: {{server: b}}}}]\n\
                 contexts: [{{name: c{index}, context: {{cluster: k{index}}}}}, {{name: shared, context: {{cluster: k{index}}}}}]\n\
                 users: [{{name: u{index}, user: {{username: a}}}}, {{name: shared, user: {{username: u{index}}}}}]"
            );
            read_text(&text).unwrap()
        };
        let json = |kubeconfig: &Kubeconfig| serde_json::to_value(kubeconfig).unwrap();
        let merge = |merged: Kubeconfig, next| merged.merge(next).unwrap();
        let by_kube = (0..4).map(file).fold(Kubeconfig::default(), merge);
        let mut by_us = merged((0..4).map(file));
        assert_eq!(by_us.clusters.len(), 5, "the first of a name counts, also within one file");
        let server = |all| cluster(all, "k3").unwrap().server.clone();
        assert_eq!(server(&by_us), server(&by_kube));
        by_us.clusters.clear();
        assert_eq!(json(&by_us), json(&Kubeconfig { clusters: Vec::new(), ..by_kube }));
        let other_kind = Merged::default().add(file(0), Path::new("a")).unwrap();
        let error = other_kind.add(read_text("kind: Pod").unwrap(), Path::new("b")).err().unwrap();
        assert_eq!(error.to_string(), "b has another kind or apiVersion than the kubeconfigs before it");
    }

    #[test]
    fn thousands_of_files_and_contexts_are_one() {
        let files = (0..5000).map(|index| Kubeconfig {
            contexts: vec![NamedContext { name: format!("c{index}"), ..NamedContext::default() }],
            ..Kubeconfig::default()
        });
        let all = merged(files);
        assert_eq!(all.contexts.len(), 5000);
        assert!(all.contexts.iter().any(|context| context.name == "c4999"));
    }

    #[test]
    fn what_lies_beside_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        let absolute = if cfg!(windows) { r"C:\ca.pem" } else { "/ca.pem" };
        let command = format!(".{MAIN_SEPARATOR}sign-in");
        let text = format!(
            "clusters: [{{name: a, cluster: {{certificate-authority: ca.pem}}}}, {{name: b, cluster: {{certificate-authority: '{absolute}'}}}}]\n\
             users:\n- {{name: a, user: {{client-key: keys/a, exec: {{command: '{command}'}}}}}}\n- {{name: b, user: {{exec: {{command: aws}}}}}}\n"
        );
        std::fs::write(&path, text).unwrap();
        let read = read(&path).unwrap();
        let beside = |name: &str| Some(directory.path().join(name).to_string_lossy().into_owned());
        assert_eq!(cluster(&read, "a").unwrap().certificate_authority, beside("ca.pem"));
        assert_eq!(cluster(&read, "b").unwrap().certificate_authority.as_deref(), Some(absolute));
        assert_eq!(user(&read, "a").unwrap().client_key, beside("keys/a"));
        assert_eq!(user(&read, "a").unwrap().exec.as_ref().unwrap().command, beside(&command));
        assert_eq!(user(&read, "b").unwrap().exec.as_ref().unwrap().command.as_deref(), Some("aws"));
    }

    #[test]
    fn the_first_file_wins_entry_by_entry() {
        let first = read_text("current-context: a\nusers: [{name: u, user: {token: one}}]").unwrap();
        let second = read_text(
            "current-context: b\ncontexts: [{name: b, context: {cluster: k, user: u}}]\n\
             users: [{name: u, user: {token: two, username: not-merged}}, {name: v, user: {}}]",
        );
        let merged = merged([first, second.unwrap()]);
        assert_eq!(merged.current_context.as_deref(), Some("a"));
        assert_eq!(context(&merged, "b").unwrap().cluster, "k");
        let kept = user(&merged, "u").unwrap();
        assert_eq!((kept.token.as_ref().unwrap().expose_secret(), &kept.username), ("one", &None));
        assert!(user(&merged, "v").is_some());
    }

    #[test]
    fn a_blank_field_is_one_that_is_not_set() {
        let blank = read_text(
            "current-context: ''\npreferences: {}\ncontexts: [{name: c, context: {cluster: '', user: '', namespace: ''}}]\n\
             clusters: [{name: k, cluster: {server: '', certificate-authority: '', certificate-authority-data: '', \
             tls-server-name: '', proxy-url: ''}}]\n\
             users: [{name: u, user: {token: '', tokenFile: '', username: '', password: '', client-certificate: '', \
             client-certificate-data: '', client-key: '', client-key-data: '', as: '', as-uid: '', as-groups: ['']}}]\n",
        )
        .unwrap();
        let other = read_text("current-context: c\n").unwrap();
        let unset = read_text(
            "contexts: [{name: c, context: {cluster: ''}}]\nclusters: [{name: k, cluster: {}}]\n\
             users: [{name: u, user: {as-groups: []}}]\npreferences: {}\n",
        );
        let json = |kubeconfig: &Kubeconfig| serde_json::to_value(kubeconfig).unwrap();
        assert_eq!(json(&blank), json(&unset.unwrap()));
        // A first file whose current context is blank, as `kubectl config unset` leaves it, has none.
        let merged = merged([blank, other]);
        assert_eq!(merged.current_context.as_deref(), Some("c"));
    }

    #[test]
    fn nothing_is_set_where_nothing_stands() {
        assert!(read_text("").unwrap().clusters.is_empty());
        let empty = read_text("{apiVersion: v1, kind: Config, users: null, contexts: }").unwrap();
        assert!(empty.auth_infos.is_empty() && empty.contexts.is_empty());
        let exec =
            read_text("users: [{name: u, user: {exec: {command: aws, args: null, env: null}}}]").unwrap();
        assert_eq!(user(&exec, "u").unwrap().exec.as_ref().unwrap().args, None);
    }

    #[test]
    fn what_is_wrong_is_placed_without_its_value() {
        for (text, place) in [
            ("users:\n- name: u\n  user: {token: [hunter2]}", "config:3:17: "),
            ("users: [{name: u, user: {exec: {interactiveMode: hunter2}}}]", "config:1:"),
            ("users: [{name: u, user: {token: hunter2, client-key-data: [unclosed}", "config:1:"),
            ("users: [{name: u, user: {token: hunter2}}]\ncontexts: hunter2", "config:2:"),
        ] {
            let error = read_text(text).unwrap_err();
            assert!(error.starts_with(place) && !error.contains("hunter2"), "{error}");
        }
    }
}

//! What of the target container decides which identity an SDK finds: its environment, and the files which that names.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::pod::items;
use irsa::derive::container::{PI_TOKEN_FILE, PI_VOLUME, TOKEN_FILE, TOKEN_VOLUME, is_parent};
use irsa::rounds::PROBED_CONTAINER;

/// Stands for the value of a variable of which only matters that it is set.
const WITHHELD: &str = "withheld";
/// The variables that name a file, or a directory with files, to be read.
const FILES: [&str; 7] = [
    TOKEN_FILE,
    PI_TOKEN_FILE,
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
/// Where the shared files are by default, under `HOME`.
const SHARED_FILES: &str = ".aws";

/// The container's variables that matter to AWS, and those that they refer to, in the order of the spec; at the end which
/// container they are of.
pub fn environment(container: &Value) -> Vec<Value> {
    let all: Vec<&Value> = items(&container["env"]).filter(|variable| variable["name"].is_string()).collect();
    let mut referred = BTreeSet::new();
    // A reference reaches back only, so that one pass from the end finds those of those referred to, too.
    for variable in all.iter().rev() {
        let shown = irsa_probe::is_public(name(variable));
        if shown || referred.contains(name(variable)) {
            referred.extend(references(text(variable)));
        }
    }
    let mut kept: Vec<Value> = Vec::new();
    for variable in all {
        let name = name(variable);
        let value = text(variable);
        if name == PROBED_CONTAINER {
            continue;
        } else if irsa_probe::is_public(name) || referred.contains(name) {
            kept.push(variable.clone());
        } else if irsa_probe::matters_to_aws(name) {
            let literal = variable["valueFrom"].is_null() && !value.is_empty();
            kept.push(if literal { json!({"name": name, "value": WITHHELD}) } else { variable.clone() });
        }
    }
    let target = container["name"].as_str().unwrap_or_default();
    kept.push(json!({"name": PROBED_CONTAINER, "value": target}));
    kept
}

/// The container's mounts that hold what its settings name, for reading only. A mount of a path within a volume cannot be
/// had in an ephemeral container.
pub fn mounts(container: &Value) -> Vec<Value> {
    let mounts: Vec<&Value> = items(&container["volumeMounts"]).collect();
    let mut wanted = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        // The usual places, should the variables come from elsewhere.
        let (volume, path) = (mount["name"].as_str().unwrap_or_default(), path(mount));
        if volume == TOKEN_VOLUME || volume == PI_VOLUME || path.split('/').any(|part| part == SHARED_FILES) {
            wanted.insert(index);
        }
    }
    for file in files(container) {
        let holds = mounts.iter().enumerate().filter(|(_, mount)| is_parent(path(mount), &file));
        // The longest path is the one that the file is seen through.
        wanted.extend(holds.max_by_key(|(_, mount)| path(mount).len()).map(|(index, _)| index));
    }
    // One on the root would hide the probe itself.
    let whole = |mount: &&&Value| {
        mount["subPath"].is_null() && mount["subPathExpr"].is_null() && !path(mount).is_empty()
    };
    let wanted = wanted.iter().filter_map(|&index| mounts.get(index)).filter(whole);
    wanted
        .map(|mount| json!({"name": mount["name"], "mountPath": mount["mountPath"], "readOnly": true}))
        .collect()
}

/// Text without the secret values that [`environment`] copied: the server may repeat what it was sent.
pub fn without_secrets(text: &str, environment: &[Value]) -> String {
    let secret = |variable: &&Value| {
        let value = self::text(variable);
        // A proxy's URL may hold a password.
        let public = irsa_probe::is_public(name(variable)) && !value.contains('@');
        !public && !matches!(value, "" | WITHHELD) && name(variable) != PROBED_CONTAINER
    };
    let secrets = environment.iter().filter(secret).map(self::text);
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "[withheld]"))
}

/// The files that the literal settings name.
fn files(container: &Value) -> Vec<String> {
    let mut values: Vec<(&str, String)> = Vec::new();
    for variable in items(&container["env"]) {
        let value = expanded(text(variable), &values);
        values.push((name(variable), value));
    }
    let named = values.iter().filter(|(name, value)| FILES.contains(name) && !value.is_empty());
    let mut files: Vec<String> = named.map(|(_, value)| value.clone()).collect();
    if let Some((_, home)) = values.iter().rev().find(|(name, value)| *name == "HOME" && !value.is_empty()) {
        files.push(format!("{}/{SHARED_FILES}/config", home.trim_end_matches('/')));
    }
    files
}

fn name(variable: &Value) -> &str {
    variable["name"].as_str().unwrap_or_default()
}

fn text(variable: &Value) -> &str {
    variable["value"].as_str().unwrap_or_default()
}

fn path(mount: &Value) -> &str {
    mount["mountPath"].as_str().unwrap_or_default().trim_end_matches('/')
}

/// The names in `$(NAME)`; `$$` is a dollar sign.
fn references(value: &str) -> Vec<String> {
    let mut names = Vec::new();
    for_each_piece(value, |piece| {
        if let Piece::Reference(name) = piece {
            names.push(name.to_owned());
        }
    });
    names
}

/// The value with its references resolved as the kubelet does it: one to nothing stays as it is.
fn expanded(value: &str, earlier: &[(&str, String)]) -> String {
    let mut expanded = String::new();
    for_each_piece(value, |piece| match piece {
        Piece::Text(text) => expanded.push_str(text),
        Piece::Reference(name) => match earlier.iter().rev().find(|(other, _)| *other == name) {
            Some((_, value)) => expanded.push_str(value),
            None => expanded.push_str(&format!("$({name})")),
        },
    });
    expanded
}

enum Piece<'v> {
    Text(&'v str),
    Reference(&'v str),
}

fn for_each_piece<'v>(mut rest: &'v str, mut visit: impl FnMut(Piece<'v>)) {
    while let Some(dollar) = rest.find('$') {
        let (before, after) = rest.split_at(dollar);
        visit(Piece::Text(before));
        let reference = after.strip_prefix("$(").and_then(|inner| inner.split_once(')'));
        rest = if let Some(rest) = after.strip_prefix("$$") {
            visit(Piece::Text("$"));
            rest
        } else if let Some((name, rest)) = reference {
            visit(Piece::Reference(name));
            rest
        } else {
            visit(Piece::Text("$"));
            &after[1..]
        };
    }
    visit(Piece::Text(rest));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_named_and_not_copied() {
        let container = json!({"name": "app", "env": [
            {"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::111122223333:role/r"},
            {"name": "AWS_SECRET_ACCESS_KEY", "value": "verysecret"},
            {"name": "AWS_SESSION_TOKEN", "value": ""},
            {"name": "AWS_ACCESS_KEY_ID", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "id"}}},
            {"name": "DATABASE_PASSWORD", "value": "another"},
            {"name": "no_proxy", "value": "169.254.170.23"},
        ]});
        assert_eq!(
            environment(&container),
            [
                json!({"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::111122223333:role/r"}),
                json!({"name": "AWS_SECRET_ACCESS_KEY", "value": "withheld"}),
                json!({"name": "AWS_SESSION_TOKEN", "value": ""}),
                json!({"name": "AWS_ACCESS_KEY_ID", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "id"}}}),
                json!({"name": "no_proxy", "value": "169.254.170.23"}),
                json!({"name": "KUBECTL_IRSA_CONTAINER", "value": "app"}),
            ]
        );
    }

    #[test]
    fn what_is_referred_to_comes_along() {
        let container = json!({"name": "app", "env": [
            {"name": "WORD", "value": "pass"},
            {"name": "LOGIN", "value": "me:$(WORD)"},
            {"name": "OTHER", "value": "x"},
            {"name": "HTTPS_PROXY", "value": "http://$(LOGIN)@proxy:3128/$$(OTHER)"},
            {"name": "KUBECTL_IRSA_CONTAINER", "value": "forged"},
        ]});
        let names: Vec<String> = environment(&container).iter().map(|v| name(v).to_owned()).collect();
        assert_eq!(names, ["WORD", "LOGIN", "HTTPS_PROXY", "KUBECTL_IRSA_CONTAINER"]);
        assert_eq!(environment(&container)[3]["value"], "app");
    }

    #[test]
    fn what_was_copied_is_not_repeated() {
        let container = json!({"name": "app", "env": [
            {"name": "LOGIN", "value": "me:pass"},
            {"name": "HTTP_PROXY", "value": "http://$(LOGIN)@proxy"},
            {"name": "https_proxy", "value": "http://a:b@proxy"},
            {"name": "AWS_REGION", "value": "eu-west-1"},
        ]});
        let said = "policy refuses http://a:b@proxy and me:pass in eu-west-1 of app";
        assert_eq!(
            without_secrets(said, &environment(&container)),
            "policy refuses [withheld] and [withheld] in eu-west-1 of app"
        );
    }

    #[test]
    fn only_mounts_of_named_files_are_shared() {
        let container = json!({"name": "app",
        "env": [
            {"name": "ROOT", "value": "/etc/tokens"},
            {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "$(ROOT)/deep/token"},
            {"name": "AWS_CA_BUNDLE", "value": "/etc/ssl/ca.pem"},
            {"name": "HOME", "value": "/home/app/"},
        ],
        "volumeMounts": [
            {"name": "etc", "mountPath": "/etc"},
            {"name": "deep", "mountPath": "/etc/tokens/deep/"},
            {"name": "ca", "mountPath": "/etc/ssl/ca.pem", "subPath": "ca.pem"},
            {"name": "home", "mountPath": "/home/app", "mountPropagation": "HostToContainer"},
            {"name": "data", "mountPath": "/data"},
            {"name": "kube-api-access-x", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
            {"name": "eks-pod-identity-token", "mountPath": "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"},
        ]});
        let found = mounts(&container);
        let names: Vec<_> = found.iter().map(|mount| mount["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["deep", "home", "eks-pod-identity-token"]);
        assert_eq!(found[1], json!({"name": "home", "mountPath": "/home/app", "readOnly": true}));
    }
}

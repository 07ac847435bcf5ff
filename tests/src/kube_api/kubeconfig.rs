//! Kubeconfigs for the three ways of authentication that the plugin must support. Written as JSON, which is YAML.

use super::TOKEN;
use super::tls::Authority;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A kubeconfig with a bearer token.
pub fn with_token(dir: &Path, url: &str) -> PathBuf {
    write(dir, "kubeconfig-token.yaml", url, &json!({ "token": TOKEN }))
}

/// A kubeconfig with a client certificate.
pub fn with_client_cert(dir: &Path, url: &str) -> PathBuf {
    let authority = Authority::of_process();
    let user = json!({
        "client-certificate-data": STANDARD.encode(&authority.client_pem),
        "client-key-data": STANDARD.encode(&authority.client_key_pem),
    });
    write(dir, "kubeconfig-client-cert.yaml", url, &user)
}

/// A kubeconfig with a credential plugin, as EKS users have. The script is run through `sh` and not on its own: a
/// file that another thread still holds open for writing when it forks cannot be executed ("text file busy").
pub fn with_exec(dir: &Path, url: &str) -> PathBuf {
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": { "token": TOKEN },
    });
    let script = dir.join("credential-plugin.sh");
    save(&script, &format!("cat <<'END'\n{credential}\nEND\n"));
    let user = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": [script],
        "interactiveMode": "Never",
    }});
    write(dir, "kubeconfig-exec.yaml", url, &user)
}

fn write(dir: &Path, name: &str, url: &str, user: &Value) -> PathBuf {
    let ca = STANDARD.encode(&Authority::of_process().ca_pem);
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "world", "preferences": {},
        "clusters": [{"name": "world", "cluster": {"server": url, "certificate-authority-data": ca}}],
        "users": [{"name": "oncall", "user": user}],
        "contexts": [{"name": "world", "context": {"cluster": "world", "user": "oncall", "namespace": "default"}}],
    });
    let path = dir.join(name);
    save(&path, &format!("{config:#}\n"));
    path
}

fn save(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the test's own directory can be written");
}

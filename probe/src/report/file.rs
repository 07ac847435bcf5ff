//! Files, and the token in one of them.

use super::fault::Fault;
use serde::{Deserialize, Serialize};

/// A token file, and what the token in it claims.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenFile {
    /// The file in the probe's own mounts.
    pub own: FileSeen,
    /// The same path in the target's file system, where that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<FileSeen>,
    /// What is in it; absent when neither could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<Jwt>,
}

/// What was seen of a path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FileSeen {
    /// The path that was asked for.
    pub path: String,
    /// The symbolic links on the way, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// What stands at its end, or at the place where the way ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stat: Option<FileStat>,
    /// Where the way ended before the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<String>,
    /// The first directory on the way that its mode closes to the target; to the probe, where no target is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Directory>,
    /// If it could be opened and read.
    pub readable: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// If the probe's credentials fit the modes on the way; refused all the same, something else than the mode refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode_permits: Option<bool>,
    /// If the target's credentials fit them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode_permits_target: Option<bool>,
}

/// A directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Directory {
    /// Its path.
    pub path: String,
    /// What it is.
    pub stat: FileStat,
}

/// A symbolic link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Link {
    /// Where it stands.
    pub path: String,
    /// Where it points.
    pub to: String,
}

/// What `stat` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FileStat {
    /// `file`, `directory` or `other`.
    pub kind: String,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// The permission bits, in octal.
    pub mode: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written, in seconds since 1970.
    pub modified: i64,
}

/// A token, without the token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Jwt {
    /// How many parts the dots make; a JWT has three.
    pub parts: usize,
    /// If white space stands before or after it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub padded: bool,
    /// If it begins with `Bearer `.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bearer: bool,
    /// The signature algorithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// The id of the signing key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// What it claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
    /// Why it could not be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// The claims of a service account token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Claims {
    /// The issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The audiences.
    pub aud: Vec<String>,
    /// When it expires, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// From when on it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// The claim `kubernetes.io`.
    #[serde(rename = "kubernetes.io", skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Kubernetes>,
}

/// To what a token is bound.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", default)]
pub struct Kubernetes {
    /// The namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serviceaccount: Option<Object>,
    /// The pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<Object>,
    /// The node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<Object>,
}

/// An object that a token names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Object {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its uid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

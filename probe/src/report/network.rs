//! The way to an endpoint.

use super::fault::Fault;
use serde::{Deserialize, Serialize};

/// The way to the STS endpoint that the application's SDK would call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Network {
    /// The endpoint's URL, without a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Why it is this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// How names are resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolver: Option<Resolver>,
    /// The connection.
    pub connection: Connection,
}

/// Why STS is asked at this endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// `AWS_ENDPOINT_URL_STS` or `AWS_ENDPOINT_URL`.
    Override,
    /// The Region's own.
    Regional,
    /// `AWS_STS_REGIONAL_ENDPOINTS=legacy`.
    Legacy,
    /// No Region is set.
    NoRegion,
    /// Of a newer probe.
    #[serde(other)]
    Other,
}

/// What `/etc/resolv.conf` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resolver {
    /// The servers.
    pub servers: Vec<String>,
    /// The domains that are tried.
    pub search: Vec<String>,
    /// The options.
    pub options: Vec<String>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// A connection, step by step: the last step that was taken tells how far it came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Connection {
    /// The proxy through which it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// The name's resolution; that of the proxy's name, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookup: Option<Lookup>,
    /// The addresses that were tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tcp: Vec<TcpAttempt>,
    /// The TLS handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Why there is no connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// A proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Proxy {
    /// The variable that names it.
    pub variable: String,
    /// Its URL, without a password.
    pub url: String,
    /// What it answered to CONNECT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// The resolution of a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Lookup {
    /// The name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// How long it took.
    pub millis: u64,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// An attempt to connect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpAttempt {
    /// The address and port.
    pub address: String,
    /// How long it took.
    pub millis: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// A TLS handshake.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tls {
    /// The protocol's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who issued the server's certificate, as far as the server says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// To whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The file with the authorities that were trusted, and its variable; absent for the probe's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// Why that file could not be used; the probe's own authorities were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_fault: Option<Fault>,
    /// How long it took.
    pub millis: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

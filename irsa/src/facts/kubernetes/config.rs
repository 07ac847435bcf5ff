//! ConfigMaps and Secrets; of a Secret, only the keys.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{EnvValue, Meta, null_default};

/// The ConfigMap and the key of the CA that signed the API server's certificate.
const CA: (&str, &str) = ("kube-root-ca.crt", "ca.crt");
/// The same of the webhook's own.
const WEBHOOK: (&str, &str) = ("pod-identity-webhook", "config");

/// A ConfigMap: the keys, and the values of AWS settings among them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "RawConfigMap", into = "RawConfigMap")]
pub struct ConfigMap {
    /// Metadata.
    pub metadata: Meta,
    /// Key to value, the value dropped under the same rule as that of an environment variable.
    pub data: BTreeMap<String, EnvValue>,
    /// `ca.crt` of `kube-root-ca.crt`, public by nature.
    pub ca_crt: Option<String>,
    /// `config` of the webhook's own ConfigMap `pod-identity-webhook`: role ARNs by service account.
    pub webhook_config: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct RawConfigMap {
    metadata: Meta,
    #[serde(deserialize_with = "null_default")]
    data: BTreeMap<String, String>,
}

impl From<RawConfigMap> for ConfigMap {
    fn from(mut raw: RawConfigMap) -> Self {
        let mut take = |(name, key)| (raw.metadata.name == name).then(|| raw.data.remove(key)).flatten();
        let (ca_crt, webhook_config) = (take(CA), take(WEBHOOK));
        let data = raw.data.into_iter().map(|(key, value)| {
            let value = EnvValue::literal(&key, value);
            (key, value)
        });
        Self { data: data.collect(), metadata: raw.metadata, ca_crt, webhook_config }
    }
}

impl From<ConfigMap> for RawConfigMap {
    fn from(map: ConfigMap) -> Self {
        let ConfigMap { metadata, data, ca_crt, webhook_config } = map;
        let own = [(CA, ca_crt), (WEBHOOK, webhook_config)];
        let own = own.into_iter().filter_map(|((_, key), text)| Some((key.to_owned(), text?)));
        let data = data.into_iter().map(|(key, value)| (key, value.written()));
        Self { metadata, data: data.chain(own).collect() }
    }
}

/// A Secret: its keys, never its values.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "RawSecret", into = "WrittenSecret")]
pub struct Secret {
    /// Metadata.
    pub metadata: Meta,
    /// Keys: from the file that holds the Secret, or from `managedFields` where only metadata was fetched.
    pub keys: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawSecret {
    metadata: Meta,
    #[serde(deserialize_with = "null_default")]
    data: BTreeMap<String, serde::de::IgnoredAny>,
    #[serde(deserialize_with = "null_default")]
    string_data: BTreeMap<String, serde::de::IgnoredAny>,
}

/// What is written of a Secret.
#[derive(Serialize)]
struct WrittenSecret {
    metadata: Meta,
    data: BTreeMap<String, String>,
}

impl From<Secret> for WrittenSecret {
    fn from(secret: Secret) -> Self {
        let data = secret.keys.into_iter().map(|key| (key, String::new()));
        Self { metadata: secret.metadata, data: data.collect() }
    }
}

impl From<RawSecret> for Secret {
    fn from(raw: RawSecret) -> Self {
        let managed = raw.metadata.managed_fields.iter().flat_map(|entry| entry.data_keys.iter().cloned());
        let keys = raw.data.into_keys().chain(raw.string_data.into_keys()).chain(managed).collect();
        // Annotations of a Secret may repeat its values: kubectl, kapp and others keep what they applied there.
        let metadata = Meta { annotations: BTreeMap::new(), ..raw.metadata };
        Self { keys, metadata }
    }
}

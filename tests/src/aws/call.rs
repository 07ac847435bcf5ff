//! From an HTTP request to an operation with its parameters, in each protocol.

use super::endpoint::{Endpoint, Service};
use super::failure::{Failure, Protocol};
use crate::query::{parse_query, percent_decode};
use http::request::Parts;
use serde_json::Value;

/// Where a call comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The user's machine.
    Laptop,
    /// A pod.
    Pod,
}

/// What is asked.
#[derive(Debug)]
pub struct Call {
    /// Who asks.
    pub origin: Origin,
    /// Where.
    pub endpoint: Endpoint,
    /// `GetRole`; empty if the request names none.
    pub operation: String,
    /// Form fields, or the parameters of path and query.
    pub params: Vec<(String, String)>,
    /// The body of JSON protocols.
    pub json: Value,
    /// The client.
    pub user_agent: String,
}

/// A part of a list.
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page starts, if there is one.
    pub next: Option<String>,
}

impl Call {
    /// Reads a request.
    pub fn read(origin: Origin, endpoint: Endpoint, head: &Parts, body: &[u8]) -> Call {
        let text = |name: &str| {
            head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (operation, params) = match endpoint.service {
            Service::Sts | Service::Iam => {
                let params = parse_query(&String::from_utf8_lossy(body));
                (find(&params, "Action").unwrap_or_default().to_owned(), params)
            }
            Service::Eks => eks(head),
            Service::CloudTrail => {
                // botocore writes the Java package before the service's name, the Rust SDK does not.
                let target = text("x-amz-target");
                let operation = target.split_once("CloudTrail_20131101.").map(|(_, name)| name.to_owned());
                (operation.unwrap_or_default(), Vec::new())
            }
        };
        let json = serde_json::from_slice(body).unwrap_or_default();
        Call { origin, endpoint, operation, params, json, user_agent: text("user-agent") }
    }

    /// The protocol of the service.
    pub fn protocol(&self) -> Protocol {
        match self.endpoint.service {
            Service::Sts | Service::Iam => Protocol::Query,
            Service::Eks => Protocol::RestJson,
            Service::CloudTrail => Protocol::Json11,
        }
    }

    /// As policies name it: `iam:GetRole`.
    pub fn action(&self) -> String {
        format!("{}:{}", self.endpoint.service.name(), self.operation)
    }

    /// A parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        find(&self.params, name)
    }

    /// A parameter, or no text.
    pub fn text(&self, name: &str) -> &str {
        self.param(name).unwrap_or_default()
    }

    /// The page of a list that the parameters named `marker` and `limit` ask for.
    pub fn page<T>(
        &self,
        marker: &str,
        limit: &str,
        default: usize,
        items: Vec<T>,
    ) -> Result<Page<T>, Failure> {
        let number = |name: &str, default: usize| match self.param(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| Failure::NotModelled(format!("{name}={text}"))),
        };
        let (start, length) = (number(marker, 0)?, number(limit, default)?);
        let end = start + length;
        let next = (end < items.len()).then(|| end.to_string());
        Ok(Page { items: items.into_iter().skip(start).take(length).collect(), next })
    }

    /// The members of a list parameter of the query protocol.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let number = |key: &str| key.strip_prefix(name)?.strip_prefix(".member.")?.parse::<u32>().ok();
        let mut members: Vec<(u32, &str)> =
            self.params.iter().filter_map(|(key, value)| Some((number(key)?, value.as_str()))).collect();
        members.sort_unstable();
        members.into_iter().map(|(_, value)| value).collect()
    }
}

fn find<'p>(params: &'p [(String, String)], name: &str) -> Option<&'p str> {
    params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The operations of EKS are paths.
fn eks(head: &Parts) -> (String, Vec<(String, String)>) {
    let path = head.uri.path();
    let parts: Vec<String> = path.split('/').skip(1).map(|part| percent_decode(part, false)).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (operation, named) = match (head.method.as_str(), parts.as_slice()) {
        ("GET", ["clusters"]) => ("ListClusters", vec![]),
        ("GET", ["clusters", name]) => ("DescribeCluster", vec![("name", *name)]),
        ("GET", ["clusters", name, "pod-identity-associations"]) => {
            ("ListPodIdentityAssociations", vec![("name", *name)])
        }
        ("POST", ["clusters", name, "addons"]) => ("CreateAddon", vec![("name", *name)]),
        ("DELETE", ["clusters", name, "addons", addon]) => {
            ("DeleteAddon", vec![("name", *name), ("addonName", *addon)])
        }
        ("POST", ["clusters", name, "pod-identity-associations"]) => {
            ("CreatePodIdentityAssociation", vec![("name", *name)])
        }
        (method @ ("GET" | "POST" | "DELETE"), ["clusters", name, "pod-identity-associations", id]) => {
            let operation = match method {
                "GET" => "DescribePodIdentityAssociation",
                "POST" => "UpdatePodIdentityAssociation",
                _ => "DeletePodIdentityAssociation",
            };
            (operation, vec![("name", *name), ("associationId", *id)])
        }
        _ => ("", vec![]),
    };
    let named = named.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
    let query = parse_query(head.uri.query().unwrap_or_default());
    (operation.to_owned(), named.chain(query).collect())
}

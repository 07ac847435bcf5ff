//! The proxy of the environment.

use super::endpoint::Endpoint;
use super::exchange::{self, Request};
use crate::environment::{Env, showable};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use irsa_probe::{Fault, FaultKind};
use std::io::{Read, Write};
use std::net::IpAddr;
use zeroize::Zeroizing;

/// A proxy for HTTPS.
pub struct Proxy {
    /// For the report.
    pub seen: irsa_probe::Proxy,
    endpoint: Result<Endpoint, Fault>,
    /// The header `Proxy-Authorization`.
    authorization: Option<Zeroizing<String>>,
}

impl Proxy {
    /// The proxy for this endpoint, if the environment names one and does not except it.
    pub fn of(env: &Env, endpoint: &Endpoint) -> Option<Proxy> {
        if !endpoint.tls {
            return None;
        }
        let first = |names: &[&'static str]| names.iter().find_map(|&name| Some((name, env.get(name)?)));
        let (variable, url) = first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?;
        let (_, except) = first(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
        if is_excepted(endpoint, except) {
            return None;
        }
        // Without a scheme it is http, as for curl, Go and Python.
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let url = Zeroizing::new(url);
        let seen =
            irsa_probe::Proxy { variable: variable.to_owned(), url: showable(&url), ..Default::default() };
        let endpoint = match Endpoint::parse(&url) {
            Ok(endpoint) if !endpoint.tls => Ok(endpoint),
            _ => Err(Fault::new(FaultKind::Proxy, "only proxies with an http URL are spoken to")),
        };
        Some(Proxy { seen, endpoint, authorization: authorization(&url) })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> Result<&Endpoint, Fault> {
        self.endpoint.as_ref().map_err(Clone::clone)
    }

    /// Asks for a tunnel; the status of the answer.
    pub fn tunnel(&self, stream: &mut (impl Read + Write), to: &Endpoint) -> Result<u16, Fault> {
        let authority = to.authority();
        let headers: Vec<_> =
            self.authorization.iter().map(|value| ("Proxy-Authorization", value.as_str())).collect();
        let request =
            Request { method: "CONNECT", target: &authority, host: &authority, headers: &headers, body: b"" };
        exchange::send(stream, &request)?;
        // Not a byte more than the head: what follows is the tunnel's.
        Ok(exchange::read_head(stream, 1)?.0.status)
    }
}

fn authorization(url: &str) -> Option<Zeroizing<String>> {
    let (_, rest) = url.split_once("://")?;
    let (user, _) = rest.rsplit_once('@')?;
    let user = percent_decoded(user);
    Some(Zeroizing::new(format!("Basic {}", *Zeroizing::new(BASE64_STANDARD.encode(&*user)))))
}

fn percent_decoded(text: &str) -> Zeroizing<Vec<u8>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match after {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                rest = &after[2..];
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    decoded
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// `NO_PROXY` as curl, Go and Python agree on it, with Go's networks.
fn is_excepted(endpoint: &Endpoint, except: &str) -> bool {
    let host = endpoint.host.to_ascii_lowercase();
    let ip: Option<IpAddr> = host.parse().ok();
    except.split([',', ' ']).map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| {
        let entry = match entry.rsplit_once(':') {
            // An address of IPv6 has colons of its own.
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
                if port.parse() != Ok(endpoint.port) {
                    return false;
                }
                name.to_owned()
            }
            _ => entry,
        };
        let entry = entry.trim_start_matches('[').trim_end_matches(']');
        if let (Some(ip), Some((network, length))) = (ip, entry.split_once('/')) {
            return is_within(ip, network, length);
        }
        let domain = entry.trim_start_matches('*').trim_start_matches('.');
        match (entry, domain) {
            ("*", _) => true,
            (_, "") => false,
            _ => host == domain || host.strip_suffix(domain).is_some_and(|front| front.ends_with('.')),
        }
    })
}

fn is_within(ip: IpAddr, network: &str, length: &str) -> bool {
    let bits = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()) << 96, 32),
        IpAddr::V6(ip) => (ip.to_bits(), 128),
    };
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let ((ip, size), (network, other)) = (bits(ip), bits(network));
    // A shift by the whole width is none.
    size == other && length <= size && (ip ^ network).checked_shr(128 - length).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_names_domains_addresses_and_networks() {
        for (url, except, expected) in [
            ("https://sts.eu-west-1.amazonaws.com", "", false),
            ("https://sts.eu-west-1.amazonaws.com", "*", true),
            ("https://sts.eu-west-1.amazonaws.com", "localhost, .amazonaws.com", true),
            ("https://sts.eu-west-1.amazonaws.com", "amazonaws.com", true),
            ("https://sts.eu-west-1.amazonaws.com", "*.amazonaws.com", true),
            ("https://sts.eu-west-1.amazonaws.com", "STS.eu-west-1.amazonaws.com", true),
            ("https://sts.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com:443", true),
            ("https://sts.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com:8443", false),
            ("https://notamazonaws.com", "amazonaws.com", false),
            ("https://10.1.2.3", "10.0.0.0/8", true),
            ("https://11.1.2.3", "10.0.0.0/8", false),
            ("https://11.1.2.3", "0.0.0.0/0", true),
            ("https://10.1.2.3", "10.1.2.3", true),
            ("https://[fd00:ec2::23]", "fd00:ec2::23", true),
            ("https://[fd00:ec2::23]", "[fd00:ec2::23]", true),
            ("https://[fd00:ec2::23]", "fd00::/8", true),
            ("https://[fd00:ec2::23]", "0.0.0.0/0", false),
            ("https://10.1.2.3", "10.0.0.0/99", false),
        ] {
            assert_eq!(is_excepted(&Endpoint::parse(url).unwrap(), except), expected, "{url} {except}");
        }
    }

    #[test]
    fn credentials_of_the_url_are_decoded() {
        let header = |url| authorization(url).map(|value| value.to_string());
        assert_eq!(header("http://proxy:3128"), None);
        assert_eq!(header("http://me:p%40ss@proxy:3128").as_deref(), Some("Basic bWU6cEBzcw=="));
        assert_eq!(*percent_decoded("100%"), b"100%");
        assert_eq!(*percent_decoded("%zz%41"), b"%zzA");
    }
}

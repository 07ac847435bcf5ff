//! Where a service listens.

use http::Uri;
use irsa_probe::{Fault, FaultKind};
use std::net::{IpAddr, SocketAddr};

/// Where a service listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// If over TLS.
    pub tls: bool,
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path and query of a request.
    pub path: String,
}

impl Endpoint {
    /// The endpoint of a service of AWS.
    pub fn of_service(host: String) -> Endpoint {
        Endpoint { tls: true, host, port: 443, path: "/".into() }
    }

    /// Reads a URL. The fault does not quote it, which may hold a password.
    pub fn parse(url: &str) -> Result<Endpoint, Fault> {
        let invalid = || Fault::new(FaultKind::Invalid, "not a URL with http or https and a host");
        let uri: Uri = url.trim().parse().map_err(|_| invalid())?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(invalid()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(invalid)?;
        // What follows the host is a port, or a number too large for one.
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if uri.port().is_none() && !authority.ends_with(host) {
            return Err(invalid());
        }
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Ok(Endpoint {
            tls,
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }

    /// Its address, when it needs no resolver.
    pub fn address(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.ip()?, self.port))
    }

    /// If a secret can be sent there: it does not leave the pod in the clear.
    pub fn keeps_secrets(&self) -> bool {
        self.tls || self.is_loopback()
    }

    /// If it is in this pod.
    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// The host and port of a URL, always with the port.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    /// What the header `Host` says: the port only when it is not the scheme's own.
    pub fn host_header(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.bracketed(),
            _ => self.authority(),
        }
    }

    /// The URL, without a password.
    pub fn url(&self) -> String {
        format!("{}://{}{}", if self.tls { "https" } else { "http" }, self.host_header(), self.path)
    }

    fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        for (url, tls, host, port, path, again) in [
            ("https://sts.example.com", true, "sts.example.com", 443, "/", "https://sts.example.com/"),
            ("http://169.254.170.23/v1/credentials", false, "169.254.170.23", 80, "/v1/credentials", ""),
            ("http://[fd00:ec2::23]/v1/x?y=z", false, "fd00:ec2::23", 80, "/v1/x?y=z", ""),
            ("https://me:secret@h:8443/", true, "h", 8443, "/", "https://h:8443/"),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!((endpoint.tls, endpoint.host.as_str(), endpoint.port), (tls, host, port));
            assert_eq!(endpoint.path, path);
            assert_eq!(endpoint.url(), if again.is_empty() { url } else { again });
        }
    }

    #[test]
    fn others_are_not_and_not_quoted() {
        for url in [
            "",
            "sts.example.com",
            "ftp://secret@h",
            "https://",
            "https:///x",
            "http://a b",
            "http://h:99999",
        ] {
            let fault = Endpoint::parse(url).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Invalid, "{url}");
            assert!(!fault.text.contains("secret"));
        }
    }

    #[test]
    fn loopback_is_this_pod() {
        let loopback = |url| Endpoint::parse(url).unwrap().is_loopback();
        assert!(
            loopback("http://127.0.0.1:4566") && loopback("http://[::1]/") && loopback("http://localhost")
        );
        assert!(!loopback("http://127.0.0.1.example.com") && !loopback("http://10.0.0.1"));
    }
}

//! The connection to AWS: connections fail everywhere, so an error counts only if AWS was at the other end.

use super::kind::Kind;
use super::phrases::Mark;
use super::pieces;
use crate::aws::endpoint::is_aws;
use core::net::IpAddr;

/// The addresses of the agent of EKS Pod Identity.
const AGENT: [&str; 2] = ["169.254.170.23", "fd00:ec2::23"];
/// The addresses of the instance metadata service.
const INSTANCE_METADATA: [&str; 2] = ["169.254.169.254", "fd00:ec2::254"];
/// Hosts under AWS's names that are not AWS APIs: databases, caches, brokers, registries, load balancers, machines.
const NOT_APIS: [&str; 15] = [
    "rds",
    "docdb",
    "neptune",
    "cache",
    "memorydb",
    "dax",
    "redshift",
    "redshift-serverless",
    "es",
    "aoss",
    "kafka",
    "mq",
    "elb",
    "compute",
    "dkr",
];

/// The kind of a failed connection and the host, if it was one to AWS: by the host's name, or by what the record is about.
pub(super) fn judge(kind: Kind, around: &str, marks: &[Mark]) -> Option<(Kind, Option<String>)> {
    let of_tls = matches!(kind, Kind::TlsUnknownAuthority | Kind::TlsWrongName);
    let host = host(around, of_tls);
    let is = |hosts: &[&str]| host.is_some_and(|host| hosts.contains(&host));
    let about_aws = marks.contains(&Mark::Aws);
    let kind = match host {
        Some(host) if is_eks_auth(host) => {
            if of_tls {
                Kind::AgentTls
            } else {
                Kind::EksAuthUnreachable
            }
        }
        // The agent is called in plain HTTP: only its own call to EKS Auth can fail like this.
        _ if of_tls && is(&AGENT) => Kind::AgentTls,
        None if of_tls && marks.contains(&Mark::PodIdentity) => Kind::AgentTls,
        _ if is(&AGENT) => Kind::AgentUnreachable,
        _ if is(&INSTANCE_METADATA) => Kind::NoInstanceMetadata,
        Some(host) if is_aws(host) && host.split('.').any(|label| NOT_APIS.contains(&label)) => return None,
        Some(host) if is_aws(host) => here(kind, around),
        None if marks.contains(&Mark::InstanceMetadata) => Kind::NoInstanceMetadata,
        _ if about_aws => here(kind, around),
        _ => return None,
    };
    Some((kind, host.map(str::to_owned)))
}

/// The kind, or that the refusal came from an address within the pod: `dial tcp 127.0.0.1:15001: connect: connection refused`.
fn here(kind: Kind, around: &str) -> Kind {
    let is_loopback = |word: &str| {
        let word = word.trim_end_matches(['.', ':', '-', '_']);
        let (address, port) = word.rsplit_once(':').unwrap_or((word, ""));
        // A name server of one's own is another matter.
        [word, address].iter().any(|text| text.parse::<IpAddr>().is_ok_and(|it| it.is_loopback()))
            && port != "53"
    };
    let mut words = around.split(|c: char| !c.is_ascii_alphanumeric() && !".:-_".contains(c));
    if kind == Kind::ConnectionRefused && words.any(is_loopback) { Kind::RefusedInPod } else { kind }
}

fn is_eks_auth(host: &str) -> bool {
    host.to_ascii_lowercase().starts_with("eks-auth.")
}

/// The host that was called: EKS Auth, which the agent repeats, a local endpoint of AWS, a name of AWS, or the host of a URL,
/// in this order; where a certificate was seen, a name before an address. A bare address may be that of a name server.
fn host(around: &str, with_tls: bool) -> Option<&str> {
    let words = || {
        let words = around.split(|c: char| !c.is_ascii_alphanumeric() && !".:-_".contains(c));
        words.filter_map(|word| {
            let word = word.trim_matches(['.', ':', '-', '_']);
            // A port.
            let name = match word.split_once(':') {
                Some((name, port)) if !port.is_empty() && pieces::is_digits(port) => name,
                _ => word,
            };
            pieces::is_host(name).then_some(name)
        })
    };
    let local = |word: &&str| AGENT.contains(word) || INSTANCE_METADATA.contains(word);
    let named = |word: &&str| is_aws(word) && word.split('.').count() > 2 && !word.contains("webhook");
    let of_aws = || {
        if with_tls {
            words().find(named).or_else(|| words().find(local))
        } else {
            words().find(local).or_else(|| words().find(named))
        }
    };
    words().find(|word| is_eks_auth(word)).or_else(of_aws).or_else(|| url_host(around))
}

fn url_host(around: &str) -> Option<&str> {
    let (_, rest) = around.split_once("://")?;
    let name = pieces::run(rest, |c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    (pieces::is_host(name) || pieces::is_label(name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_the_one_that_was_called() {
        for (text, expected) in [
            (
                "lookup sts.eu-west-1.amazonaws.com on 10.100.0.10:53: no such host",
                Some("sts.eu-west-1.amazonaws.com"),
            ),
            (
                "Post \"https://sts.amazonaws.com/\": dial tcp 54.239.29.25:443: i/o timeout",
                Some("sts.amazonaws.com"),
            ),
            ("connect ETIMEDOUT 169.254.169.254:80", Some("169.254.169.254")),
            ("Get \"http://[fd00:ec2::23]/v1/credentials\": dial", Some("fd00:ec2::23")),
            ("Get \"http://169.254.170.23:80\": refused", Some("169.254.170.23")),
            (
                "Connect to sts.amazonaws.com:443 [sts.amazonaws.com/54.239.29.25] failed",
                Some("sts.amazonaws.com"),
            ),
            ("Post \"http://localstack:4566/\": refused", Some("localstack")),
            ("dial tcp 10.0.0.1:5432: refused", None),
            ("", None),
        ] {
            assert_eq!(host(text, false), expected, "{text}");
        }
    }

    #[test]
    fn only_connections_to_aws_count() {
        let judge = |text, marks: &[Mark]| judge(Kind::ConnectTimeout, text, marks).map(|(kind, _)| kind);
        assert_eq!(judge("https://sts.amazonaws.com/", &[]), Some(Kind::ConnectTimeout));
        assert_eq!(judge("http://169.254.170.23/v1/credentials", &[]), Some(Kind::AgentUnreachable));
        assert_eq!(judge("http://169.254.169.254/latest", &[]), Some(Kind::NoInstanceMetadata));
        assert_eq!(
            judge("ec2imds: GetMetadata", &[Mark::Aws, Mark::InstanceMetadata]),
            Some(Kind::NoInstanceMetadata)
        );
        assert_eq!(judge("https://eks-auth.eu-west-1.api.aws/", &[]), Some(Kind::EksAuthUnreachable));
        let untrusted = |text, marks: &[Mark]| super::judge(Kind::TlsUnknownAuthority, text, marks);
        for (text, marks) in [
            ("https://eks-auth.eu-west-1.api.aws/clusters/shop", &[][..]),
            ("http://169.254.170.23/v1/credentials: 500: x509", &[]),
            ("AssumeRoleForPodIdentity: x509", &[Mark::PodIdentity]),
        ] {
            assert_eq!(untrusted(text, marks).map(|(kind, _)| kind), Some(Kind::AgentTls), "{text}");
        }
        for text in
            ["https://sts.amazonaws.com/", "asked 169.254.170.23, then https://sts.amazonaws.com/: x509"]
        {
            let found = untrusted(text, &[Mark::PodIdentity]).map(|(kind, _)| kind);
            assert_eq!(found, Some(Kind::TlsUnknownAuthority), "{text}");
        }
        assert_eq!(judge("db.abc.eu-west-1.rds.amazonaws.com:5432", &[Mark::Aws]), None);
        assert_eq!(judge("postgres.shop.svc:5432", &[]), None);
        assert_eq!(judge("dial tcp 54.239.29.25:443", &[Mark::Aws]), Some(Kind::ConnectTimeout));
    }

    #[test]
    fn a_refusal_from_within_the_pod_is_told_apart() {
        let judge = |text: &str| judge(Kind::ConnectionRefused, text, &[Mark::Aws]).map(|(kind, _)| kind);
        let call = "Post \"https://sts.eu-west-1.amazonaws.com/\": dial tcp";
        for address in ["127.0.0.1:15001", "127.0.0.6:443", "127.0.0.1:443:", "[::1]:443"] {
            let text = format!("{call} {address}: connect: connection refused");
            assert_eq!(judge(&text), Some(Kind::RefusedInPod), "{address}");
        }
        assert_eq!(judge("dial tcp 127.0.0.1:15001: connect: connection refused"), Some(Kind::RefusedInPod));
        for address in ["54.239.29.25:443", "10.0.3.41:443", "udp 127.0.0.1:53"] {
            let text = format!("{call} {address}: connect: connection refused");
            assert_eq!(judge(&text), Some(Kind::ConnectionRefused), "{address}");
        }
    }
}

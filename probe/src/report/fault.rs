//! Why something could not be seen.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why something could not be seen: a kind to decide by, and the words of the system or library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// What sort of failure.
    pub kind: FaultKind,
    /// In the words of the system or library.
    pub text: String,
}

/// What sort of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// ENOENT.
    NotFound,
    /// EACCES or EPERM.
    PermissionDenied,
    /// ENOTDIR, EISDIR, or neither a file nor a directory.
    WrongFileType,
    /// Too many symbolic links.
    Loop,
    /// More bytes than are read.
    TooLarge,
    /// A value that makes no sense: not a URL, not a host name, not text.
    Invalid,
    /// The name does not exist, or has no address.
    NoSuchName,
    /// The resolver did not answer, or said that it failed.
    ResolverFailed,
    /// Nothing happened in time.
    Timeout,
    /// ECONNREFUSED.
    Refused,
    /// No route to the host or network.
    Unreachable,
    /// The peer closed or reset the connection.
    Reset,
    /// The peer's certificate was not accepted.
    Certificate,
    /// TLS failed otherwise.
    Tls,
    /// The proxy refused, or is of a kind that the probe does not speak.
    Proxy,
    /// The answer was not understood.
    Protocol,
    /// Anything else, or a kind of a newer probe.
    #[serde(other)]
    Other,
}

impl Fault {
    /// A failure of this kind.
    pub fn new(kind: FaultKind, text: impl fmt::Display) -> Fault {
        Fault { kind, text: text.to_string() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Fault {}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Fault {
        use std::io::ErrorKind as Io;
        // A socket's own deadline, which the system calls a resource that is temporarily unavailable.
        if error.kind() == Io::WouldBlock {
            return Fault::new(FaultKind::Timeout, "timed out");
        }
        let kind = match error.kind() {
            Io::NotFound => FaultKind::NotFound,
            Io::PermissionDenied => FaultKind::PermissionDenied,
            Io::NotADirectory | Io::IsADirectory => FaultKind::WrongFileType,
            Io::TimedOut => FaultKind::Timeout,
            Io::ConnectionRefused => FaultKind::Refused,
            Io::HostUnreachable | Io::NetworkUnreachable | Io::NetworkDown => FaultKind::Unreachable,
            Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe | Io::UnexpectedEof => {
                FaultKind::Reset
            }
            Io::InvalidData | Io::InvalidInput => FaultKind::Invalid,
            _ => FaultKind::Other,
        };
        Fault::new(kind, error)
    }
}

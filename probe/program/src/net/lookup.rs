//! Name resolution, as the C library does it for the application.

use crate::deadline::Deadline;
use irsa_probe::{Fault, FaultKind};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;

/// The addresses of a name. `getaddrinfo` knows no deadline: it is left behind in its thread when the time is up.
pub fn addresses(host: &str, port: u16, deadline: Deadline) -> Result<Vec<SocketAddr>, Fault> {
    let (tell, told) = mpsc::channel();
    let name = host.to_owned();
    thread::Builder::new().name("lookup".into()).spawn(move || {
        let addresses = (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Nobody listens any more when the time is up.
        let _ = tell.send(addresses);
    })?;
    match told.recv_timeout(deadline.remaining()?) {
        Ok(result) => result.map_err(|error| classify(&error)),
        Err(_) => Err(Fault::new(FaultKind::Timeout, "the resolver did not answer in time")),
    }
}

/// The standard library keeps of `getaddrinfo`'s code only the text: that of glibc, or that of musl.
fn classify(error: &io::Error) -> Fault {
    const NONE: [&str; 4] = [
        "Name or service not known",
        "No address associated with hostname",
        "Name does not resolve",
        "Name has no usable address",
    ];
    const FAILED: [&str; 4] = [
        "Temporary failure in name resolution",
        "Non-recoverable failure in name resolution",
        "Try again",
        "Unrecoverable error",
    ];
    let text = error.to_string();
    let kind = match () {
        () if NONE.iter().any(|words| text.contains(words)) => FaultKind::NoSuchName,
        () if FAILED.iter().any(|words| text.contains(words)) => FaultKind::ResolverFailed,
        () if error.kind() == io::ErrorKind::InvalidInput => FaultKind::Invalid,
        () => FaultKind::Other,
    };
    Fault::new(kind, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn both_libraries_are_understood() {
        let kind = |text: &str| {
            classify(&io::Error::other(format!("failed to lookup address information: {text}"))).kind
        };
        assert_eq!(kind("Name or service not known"), FaultKind::NoSuchName);
        assert_eq!(kind("Name does not resolve"), FaultKind::NoSuchName);
        assert_eq!(kind("Temporary failure in name resolution"), FaultKind::ResolverFailed);
        assert_eq!(kind("Try again"), FaultKind::ResolverFailed);
        assert_eq!(kind("System error"), FaultKind::Other);
    }

    #[test]
    fn a_deadline_that_is_over_is_a_timeout() {
        let over = Deadline::after(Duration::ZERO);
        assert_eq!(addresses("localhost", 1, over).unwrap_err().kind, FaultKind::Timeout);
    }
}

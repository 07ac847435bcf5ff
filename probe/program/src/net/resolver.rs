//! What `/etc/resolv.conf` says.

use irsa_probe::Resolver;
use std::path::Path;

/// Reads it.
pub fn read(path: &Path) -> Resolver {
    match std::fs::read(path) {
        Ok(content) => parse(&String::from_utf8_lossy(&content)),
        Err(error) => Resolver { fault: Some(error.into()), ..Resolver::default() },
    }
}

/// See resolv.conf(5): the last `search` or `domain` counts.
fn parse(content: &str) -> Resolver {
    let mut resolver = Resolver::default();
    for line in content.lines() {
        let mut words = line.split_whitespace();
        let Some(key) = words.next() else { continue };
        let values = words.map(str::to_owned);
        match key {
            "nameserver" => resolver.servers.extend(values.take(1)),
            "search" | "domain" => resolver.search = values.collect(),
            "options" => resolver.options.extend(values),
            _ => {}
        }
    }
    resolver
}

#[cfg(test)]
mod tests {
    use super::*;
    use irsa_probe::FaultKind;

    #[test]
    fn what_kubernetes_writes_is_read() {
        let resolver = parse(
            "# a comment\nsearch shop.svc.cluster.local svc.cluster.local\nnameserver 10.100.0.10\nnameserver fd00::a\n\
             options ndots:5\n",
        );
        assert_eq!(resolver.servers, ["10.100.0.10", "fd00::a"]);
        assert_eq!(resolver.search, ["shop.svc.cluster.local", "svc.cluster.local"]);
        assert_eq!(resolver.options, ["ndots:5"]);
    }

    #[test]
    fn a_missing_file_is_a_fault() {
        assert_eq!(read(Path::new("/nowhere/resolv.conf")).fault.unwrap().kind, FaultKind::NotFound);
    }
}

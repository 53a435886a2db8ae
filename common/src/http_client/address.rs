//! Where a server listens, as it stands in a configuration.

use std::fmt;

/// A host and a TCP port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// A host name, an IPv4 or an IPv6 address; the latter without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl Address {
    /// The value of the `Host` header: IPv6 addresses in brackets and without the
    /// zone, which means nothing to the other side (RFC 6874).
    pub fn host_header(&self) -> String {
        match self.host.split_once('%') {
            Some((address, _)) => format!("[{address}]:{}", self.port),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_stands_in_brackets() {
        let of = |host: &str| Address { host: host.to_owned(), port: 5000 };
        assert_eq!(of("web1").to_string(), "web1:5000");
        assert_eq!(of("::1").to_string(), "[::1]:5000");
        assert_eq!(of("fe80::1%eth0").to_string(), "[fe80::1%eth0]:5000");
        assert_eq!(of("fe80::1%eth0").host_header(), "[fe80::1]:5000");
        assert_eq!(of("10.0.0.1").host_header(), "10.0.0.1:5000");
    }
}

//! Who may come in at all: a list of networks.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// Bits of an IPv6 address before the IPv4 address that is mapped into it.
const MAPPED_BITS: u8 = 96;

/// A network in CIDR notation, such as `192.0.2.0/24`; an address alone is one of
/// itself. IPv4, also the IPv4-mapped kind of IPv6, is kept as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Whether an address is in it. An IPv4-mapped one counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix_bits)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix_bits)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            _ => false,
        }
    }

    /// The address with all bits behind the prefix cleared.
    fn base(address: IpAddr, prefix_bits: u8) -> IpAddr {
        match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix_bits)).unwrap_or(0);
                IpAddr::V4((address.to_bits() & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix_bits)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let written: IpAddr = bare.unwrap_or(address).parse().map_err(|_| {
            format!("{text:?} is no network; wanted one such as 192.0.2.0/24 or \"2001:db8::/32\"")
        })?;
        let most = if written.is_ipv4() { 32 } else { 128 };
        let digits = |prefix: &str| prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix_bits = match prefix {
            None => most,
            Some(prefix) => prefix
                .parse()
                .ok()
                .filter(|bits| *bits <= most && digits(prefix))
                .ok_or_else(|| format!("{text:?}: wanted /0 to /{most} behind the address"))?,
        };
        let network = Self::base(written, prefix_bits);
        if network != written {
            return Err(format!(
                "{text:?} has bits behind its prefix; {network}/{prefix_bits} is the network, \
                 {written} the address alone"
            ));
        }
        Ok(match network.to_canonical() {
            address @ IpAddr::V4(_) if written.is_ipv6() && prefix_bits >= MAPPED_BITS => {
                Self { address, prefix_bits: prefix_bits - MAPPED_BITS }
            }
            _ => Self { address: network, prefix_bits },
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

/// The networks from which clients may come in; without any, from everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowFrom(Vec<Network>);

impl AllowFrom {
    /// From these only, or, if there are none, from everywhere.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether a client of this address may come in.
    pub fn admits(&self, client: IpAddr) -> bool {
        self.0.is_empty() || self.0.iter().any(|network| network.contains(client))
    }
}

impl fmt::Display for AllowFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("everywhere");
        }
        for (index, network) in self.0.iter().enumerate() {
            write!(f, "{}{network}", if index > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn has(text: &str, address: &str) -> bool {
        network(text).contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        assert!(has("192.0.2.0/24", "192.0.2.255") && !has("192.0.2.0/24", "192.0.3.0"));
        assert!(has("192.0.2.128/25", "192.0.2.128") && !has("192.0.2.128/25", "192.0.2.127"));
        assert!(has("192.0.2.7", "192.0.2.7") && !has("192.0.2.7", "192.0.2.6"));
        assert!(has("0.0.0.0/0", "203.0.113.9") && !has("0.0.0.0/0", "2001:db8::1"));
        assert!(has("2001:db8::/32", "2001:db8:ffff::1") && !has("2001:db8::/32", "2001:db9::"));
        assert!(has("[::1]", "::1") && !has("::1", "::2"));
        assert!(has("::/0", "2001:db8::1") && !has("::/0", "127.0.0.1"));
    }

    #[test]
    fn ipv4_is_the_same_through_a_socket_for_both_families() {
        assert!(has("192.0.2.0/24", "::ffff:192.0.2.1"));
        assert!(has("::ffff:192.0.2.0/120", "192.0.2.1"));
        assert!(!has("::ffff:192.0.2.0/120", "192.0.3.1"));
        assert_eq!(network("::ffff:192.0.2.0/120").to_string(), "192.0.2.0/24");
        assert!(has("::ffff:0.0.0.0/96", "203.0.113.9"));
    }

    #[test]
    fn what_is_no_network_is_told_with_what_was_meant() {
        for (text, reason) in [
            ("", "no network"),
            ("web1", "no network"),
            ("192.0.2.0/", "/0 to /32"),
            ("192.0.2.0/33", "/0 to /32"),
            ("192.0.2.0/+8", "/0 to /32"),
            ("192.0.2.0/255.255.255.0", "/0 to /32"),
            ("2001:db8::/129", "/0 to /128"),
            ("192.0.2.1/24", "192.0.2.0/24 is the network"),
            ("2001:db8::1/64", "2001:db8::/64 is the network"),
            ("192.0.2.0 /24", "no network"),
        ] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }

    #[test]
    fn without_networks_everybody_may_come() {
        let anyone = AllowFrom::default();
        assert!(anyone.admits("203.0.113.9".parse().unwrap()));
        assert_eq!(anyone.to_string(), "everywhere");
        let some = AllowFrom::new(vec![network("127.0.0.1"), network("2001:db8::/32")]);
        assert!(some.admits("127.0.0.1".parse().unwrap()));
        assert!(!some.admits("127.0.0.2".parse().unwrap()));
        assert_eq!(some.to_string(), "127.0.0.1/32, 2001:db8::/32");
    }
}

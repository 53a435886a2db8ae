//! Who counts as one where many want the same.

use std::net::IpAddr;

/// Of an IPv6 address, what tells networks apart: within it one client may have as
/// many addresses as it likes.
const IPV6_NETWORK: u128 = u128::MAX << 64;

/// An IPv4 address, or an IPv6 network of /64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Peer(u128);

impl From<IpAddr> for Peer {
    /// An IPv4 client has its IPv4 address here, whichever socket it came by.
    fn from(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits() & IPV6_NETWORK,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_ipv6_network_are_one_peer() {
        let peer = |text: &str| Peer::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:1"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_ne!(peer("192.0.2.1"), peer("192.0.2.2"));
    }
}

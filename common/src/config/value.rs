//! A value of a file to a value of the program. `None`: it is not what was wanted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::yaml::Node;
use crate::rights;

/// What [`host`] takes, for messages.
pub(super) const HOST_WANTED: &str = "a host name, an IPv4 or an IPv6 address";

/// Units of a number of bytes.
pub(super) const SIZE_UNITS: &[(&str, u64)] =
    &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// Units of a time, in seconds.
pub(super) const TIME_UNITS: &[(&str, u64)] = &[("s", 1), ("min", 60), ("h", 3_600), ("d", 86_400)];

/// DNS: 253 characters, RFC 1035.
const LONGEST_HOST_NAME: usize = 253;

/// Text without the white space around it.
pub(super) fn text(node: &Node) -> Option<String> {
    match node {
        Node::Text(text) => Some(text.trim().to_owned()),
        _ => None,
    }
}

/// `true` or `false`; `yes` and `no` too, as the YAML of the original had them.
pub(super) fn flag(node: &Node) -> Option<bool> {
    match node {
        Node::Flag(flag) => Some(*flag),
        Node::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number, also as text (the original took `"20201"`), also with one of
/// the units. Leading zeros are refused: the YAML of the original took `010` for 8.
pub(super) fn integer(node: &Node, units: &[(&str, u64)]) -> Option<u64> {
    match node {
        Node::Integer(number) => u64::try_from(*number).ok(),
        Node::Text(text) => {
            let text = text.trim();
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, unit) = text.split_at(digits);
            if digits.len() > 1 && digits.starts_with('0') {
                return None;
            }
            let unit = match unit.trim_start() {
                "" => 1,
                unit => units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1,
            };
            digits.parse::<u64>().ok()?.checked_mul(unit)
        }
        _ => None,
    }
}

/// Bytes as a person reads them, without rounding.
pub(super) fn size(bytes: u64) -> String {
    let fits = |(_, unit): &&(&str, u64)| bytes >= *unit && bytes.is_multiple_of(*unit);
    match SIZE_UNITS.iter().rev().find(fits) {
        Some((name, unit)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

/// An absolute path; `~` alone or before `/` is the home of the user.
pub(super) fn path(node: &Node) -> Option<PathBuf> {
    let path = expand_home(&text(node)?)?;
    path.is_absolute().then_some(path)
}

/// Puts the home of the user for a leading `~`. `~name` is nobody we know.
pub(super) fn expand_home(text: &str) -> Option<PathBuf> {
    match text.strip_prefix('~') {
        None => Some(PathBuf::from(text)),
        Some("") => rights::home(),
        Some(rest) => Some(rights::home()?.join(rest.strip_prefix('/')?)),
    }
}

/// A host name as [`host`] takes it, but no address.
pub(super) fn host_name(node: &Node) -> Option<String> {
    text(node).filter(|name| is_host_name(name))
}

/// A host name, an IPv4 or an IPv6 address, the latter without its brackets.
pub(super) fn host(node: &Node) -> Option<String> {
    let text = text(node)?;
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = bare {
        return is_ipv6(address).then(|| address.to_owned());
    }
    (is_ipv6(&text) || is_host_name(&text)).then_some(text)
}

/// IPv6, with a zone behind it for link-local addresses (`fe80::1%eth0`, RFC 4007).
fn is_ipv6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    let zone_is_name = zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    address.parse::<Ipv6Addr>().is_ok() && zone_is_name && !zone.is_empty()
}

/// Letters, digits, dots, hyphens, and the underscores that are out there.
fn is_host_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !text.is_empty() && text.len() <= LONGEST_HOST_NAME && text.bytes().all(allowed)
}

/// An address to listen at.
pub(super) fn listen_address(node: &Node) -> Option<IpAddr> {
    let text = host(node)?;
    match text.as_str() {
        "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
        // The manual of the original says to write it so.
        "0::" => Some(Ipv6Addr::UNSPECIFIED.into()),
        address => address.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Node {
        Node::Text(text.to_owned())
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(integer(&Node::Integer(5000), &[]), Some(5000));
        assert_eq!(integer(&of("20201"), &[]), Some(20201));
        assert_eq!(integer(&of(" 0 "), &[]), Some(0));
        for text in ["010", "", "-5", "+5", "1.0", "5 x", "5000 MiB", "99999999999999999999"] {
            assert_eq!(integer(&of(text), &[]), None, "{text:?}");
        }
        assert_eq!(integer(&Node::Integer(-1), &[]), None);
        assert_eq!(integer(&Node::Integer(1 << 70), &[]), None);
        assert_eq!(integer(&Node::Float(1.5), &[]), None);
    }

    #[test]
    fn numbers_with_units() {
        assert_eq!(integer(&of("8 MiB"), SIZE_UNITS), Some(8 << 20));
        assert_eq!(integer(&of("8mib"), SIZE_UNITS), Some(8 << 20));
        assert_eq!(integer(&of("7 d"), TIME_UNITS), Some(604_800));
        assert_eq!(integer(&of("5 parsecs"), TIME_UNITS), None);
        assert_eq!(integer(&of("99999999999999 GiB"), SIZE_UNITS), None);
        assert_eq!(size(8 << 20), "8 MiB");
        assert_eq!(size(1_000_000), "1000000 B");
        assert_eq!(size(0), "0 B");
    }

    #[test]
    fn hosts() {
        for text in ["web1", "web1.example.org", "10.0.0.1", "::1", "fe80::1%eth0", "a_b-c", "0::"]
        {
            assert_eq!(host(&of(text)).as_deref(), Some(text), "{text:?}");
        }
        assert_eq!(host(&of("[::1]")).as_deref(), Some("::1"));
        // The second is what the original's installer wrote.
        for text in ["", "127:0.0.1", "a b", "a\r\nb", "http://a", "a:5000", "[10.0.0.1]", "::1%"] {
            assert_eq!(host(&of(text)), None, "{text:?}");
        }
        assert_eq!(host(&of(&"x".repeat(254))), None);
        assert_eq!(host(&Node::Float(10.1)), None);
    }

    #[test]
    fn listen_addresses() {
        assert_eq!(listen_address(&of("0.0.0.0")), Some(Ipv4Addr::UNSPECIFIED.into()));
        assert_eq!(listen_address(&of("0::")), Some(Ipv6Addr::UNSPECIFIED.into()));
        assert_eq!(listen_address(&of("[::1]")), Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(listen_address(&of("localhost")), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(listen_address(&of("web1")), None);
    }

    #[test]
    fn paths() {
        assert_eq!(path(&of("/var/log")), Some(PathBuf::from("/var/log")));
        assert_eq!(path(&of("var/log")), None);
        assert_eq!(path(&of("~nobody/log")), None);
        let home = std::env::home_dir().expect("tests run with a home");
        assert_eq!(path(&of("~/pattoo/log")), Some(home.join("pattoo/log")));
        assert_eq!(path(&of("~")), Some(home));
    }

    #[test]
    fn flags() {
        assert_eq!(flag(&Node::Flag(true)), Some(true));
        assert_eq!(flag(&of("No")), Some(false));
        assert_eq!(flag(&of("maybe")), None);
    }
}

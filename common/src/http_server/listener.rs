//! The public socket: how it is bound.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs as _};

use super::sys;

/// Listens on the first address of `host` that can be bound.
pub(super) fn bind(host: &str, port: u16) -> io::Result<TcpListener> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let explain = |error: &io::Error| {
        let shown = match bare.parse::<IpAddr>() {
            Ok(literal) => SocketAddr::new(literal, port).to_string(),
            Err(_) => format!("{host}:{port}"),
        };
        io::Error::new(error.kind(), format!("cannot listen on {shown}: {error}"))
    };
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (bare, port).to_socket_addrs().map_err(|error| explain(&error))? {
        match sys::listen(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = error,
        }
    }
    Err(explain(&failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_with_and_without_brackets_are_bound() {
        for host in ["127.0.0.1", "::1", "[::1]", "localhost"] {
            let listener = bind(host, 0).unwrap();
            assert!(listener.local_addr().unwrap().ip().is_loopback(), "{host}");
        }
    }

    #[test]
    fn an_error_names_address_and_port() {
        let taken = bind("::1", 0).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = bind("::1", port).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(error.to_string().starts_with(&format!("cannot listen on [::1]:{port}: ")));
        let error = bind("192.0.2.1", 5000).unwrap_err();
        assert!(error.to_string().starts_with("cannot listen on 192.0.2.1:5000: "), "{error}");
    }
}

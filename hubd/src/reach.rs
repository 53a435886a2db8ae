//! From a host and port to an answer: the name is looked up, and its addresses
//! are tried one after another, all before one deadline.

use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use pattoo_common::http_client::{Address, ClientError, Reply, Step};
use pattoo_common::resolver::{ResolveError, Resolver};

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;

/// Reaches devices and the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach<'h> {
    pub(crate) resolver: &'h Resolver,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum ReachError {
    /// The name was not resolved.
    Resolve(ResolveError),
    /// The last address that was tried.
    Request(ClientError),
}

impl fmt::Display for ReachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve(error) => error.fmt(f),
            Self::Request(error) => error.fmt(f),
        }
    }
}

impl Reach<'_> {
    /// Sends a request to the first address of `to` that can be connected to. A
    /// request that was once under way is not sent to another one.
    pub(crate) fn each_address(
        self,
        to: &Address,
        deadline: Instant,
        send: impl FnMut(&SocketAddr, Instant) -> Result<Reply, ClientError>,
    ) -> Result<Reply, ReachError> {
        let addresses =
            self.resolver.resolve(&to.host, to.port, deadline).map_err(ReachError::Resolve)?;
        first_connected(&addresses, deadline, send).map_err(ReachError::Request)
    }
}

fn first_connected(
    addresses: &[SocketAddr],
    deadline: Instant,
    mut send: impl FnMut(&SocketAddr, Instant) -> Result<Reply, ClientError>,
) -> Result<Reply, ClientError> {
    let addresses = &addresses[..addresses.len().min(MAX_ADDRESSES)];
    let mut result = Err(ClientError::Deadline(Step::Connect));
    for (index, address) in addresses.iter().enumerate() {
        // One that swallows everything must leave time for the others.
        let now = Instant::now();
        let left = deadline.saturating_duration_since(now);
        let shares = u32::try_from(addresses.len() - index).unwrap_or(1);
        result = send(address, now + left / shares);
        let connected =
            !matches!(result, Err(ClientError::Connect(_) | ClientError::Deadline(Step::Connect)));
        if connected {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::time::Duration;

    fn addresses(count: u16) -> Vec<SocketAddr> {
        (0..count).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect()
    }

    fn reply() -> Reply {
        Reply { status: 200, headers: Vec::new(), body: Vec::new() }
    }

    #[test]
    fn the_next_address_is_tried_only_where_there_was_no_connection() {
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut tried = Vec::new();
        let result = first_connected(&addresses(3), deadline, |address, before| {
            assert!(before <= deadline);
            tried.push(address.port());
            match address.port() {
                0 => Err(ClientError::Connect(io::Error::from_raw_os_error(libc::ECONNREFUSED))),
                1 => Err(ClientError::Closed),
                _ => Ok(reply()),
            }
        });
        assert!(matches!(result, Err(ClientError::Closed)), "{result:?}");
        assert_eq!(tried, [0, 1]);
    }

    #[test]
    fn the_last_address_has_all_that_is_left_and_many_are_not_tried() {
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut ends = Vec::new();
        let result = first_connected(&addresses(20), deadline, |_, before| {
            ends.push(before);
            Err(ClientError::Deadline(Step::Connect))
        });
        assert!(result.is_err());
        assert_eq!(ends.len(), MAX_ADDRESSES);
        assert!(ends.is_sorted() && deadline - ends[3] < Duration::from_secs(1));
        assert!(first_connected(&[], deadline, |_, _| Ok(reply())).is_err());
    }
}

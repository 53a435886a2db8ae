//! The system calls of the gate that std does not reach.
#![allow(unsafe_code)]
#![expect(clippy::cast_possible_truncation, reason = "families and sizes of addresses are small")]

use std::io;
use std::mem;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::time::Duration;

use super::limits::LISTEN_BACKLOG;

/// poll(2). Without a timeout it waits for ever. A signal ends the wait early, as
/// if nothing had happened; so may a timeout beyond 24 days.
pub(super) fn poll(set: &mut [libc::pollfd], timeout: Option<Duration>) -> io::Result<()> {
    // Rounded up: a wait that ends before its deadline would be made again at once.
    let milliseconds = timeout
        .map_or(-1, |wait| i32::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
    let count = libc::nfds_t::try_from(set.len()).unwrap_or(libc::nfds_t::MAX);
    // SAFETY: the pointer and the count are those of one live, exclusive slice.
    let result = unsafe { libc::poll(set.as_mut_ptr(), count, milliseconds) };
    if result >= 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if error.kind() == io::ErrorKind::Interrupted {
        for entry in set {
            entry.revents = 0;
        }
        return Ok(());
    }
    Err(error)
}

/// eventfd(2): a counter that is readable while it is not 0. Not blocking.
pub(super) fn event() -> io::Result<OwnedFd> {
    // SAFETY: the call takes no pointers.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    own(descriptor)
}

/// The soft `RLIMIT_NOFILE`: how many descriptors this process may have.
pub(super) fn descriptor_limit() -> io::Result<usize> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live rlimit, which the call fills.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    Ok(usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX))
}

/// A listening socket, not blocking, with `SO_REUSEADDR` so that a restart need not
/// wait for `TIME_WAIT` to pass, and, for IPv6, with IPv4 clients taken too, whatever
/// `net.ipv6.bindv6only` says. std sets neither that nor the backlog.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: the call takes no pointers.
    let socket = own(unsafe { libc::socket(family, kind, 0) })?;
    set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    if address.is_ipv6() {
        set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0)?;
    }
    bind(&socket, address)?;
    // SAFETY: the call takes no pointers.
    check(unsafe { libc::listen(socket.as_raw_fd(), LISTEN_BACKLOG) })?;
    Ok(TcpListener::from(socket))
}

fn bind(socket: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    // SAFETY: all bits 0 is a valid value of these plain C structures.
    let (mut v4, mut v6): (libc::sockaddr_in, libc::sockaddr_in6) = unsafe { mem::zeroed() };
    let (pointer, size): (*const libc::sockaddr, usize) = match address {
        SocketAddr::V4(address) => {
            v4.sin_family = libc::AF_INET as libc::sa_family_t;
            v4.sin_port = address.port().to_be();
            v4.sin_addr.s_addr = u32::from_ne_bytes(address.ip().octets());
            ((&raw const v4).cast(), size_of_val(&v4))
        }
        SocketAddr::V6(address) => {
            v6.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            v6.sin6_port = address.port().to_be();
            v6.sin6_addr.s6_addr = address.ip().octets();
            v6.sin6_scope_id = address.scope_id();
            ((&raw const v6).cast(), size_of_val(&v6))
        }
    };
    // SAFETY: the pointer is to a live address structure of that family and size.
    check(unsafe { libc::bind(socket.as_raw_fd(), pointer, size as libc::socklen_t) })
}

fn set_option(socket: &OwnedFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    let size = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the pointer is to a live i32, and the size is an i32's.
    check(unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), size)
    })
}

fn own(descriptor: i32) -> io::Result<OwnedFd> {
    check(descriptor)?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

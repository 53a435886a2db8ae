//! Connections from chosen addresses of loopback, and what else a socket needs to
//! misbehave.
#![allow(unsafe_code)]

use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::time::Duration;

/// Connects to a port of 127.0.0.1 from an address of 127.0.0.0/8. Connecting,
/// reading and writing each fail after `patience`.
pub fn connect_from(source: Ipv4Addr, port: u16, patience: Duration) -> io::Result<TcpStream> {
    // SAFETY: the call takes no pointers.
    let raw = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    check(raw)?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    let stream = TcpStream::from(unsafe { OwnedFd::from_raw_fd(raw) });
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?; // for connect(2) too
    let (own, other) = (address(source, 0), address(Ipv4Addr::LOCALHOST, port));
    let size = libc::socklen_t::try_from(size_of_val(&own)).expect("a small structure");
    // SAFETY: the pointer and the size are those of a live sockaddr_in.
    check(unsafe { libc::bind(raw, (&raw const own).cast(), size) })?;
    // SAFETY: likewise.
    check(unsafe { libc::connect(raw, (&raw const other).cast(), size) })?;
    Ok(stream)
}

/// Ends a connection with RST instead of FIN.
pub fn reset(client: TcpStream) {
    let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
    set(&client, libc::SO_LINGER, &at_once);
    drop(client);
}

/// Takes in as little as the kernel allows.
pub fn read_little(client: &TcpStream) {
    set(client, libc::SO_RCVBUF, &1_i32);
}

/// Takes all descriptors that this process may have, and says how many.
pub fn raise_descriptor_limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live rlimit, which the call fills.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the pointer is to a live rlimit, which the call only reads.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
    usize::try_from(limit.rlim_cur).expect("a number of descriptors")
}

/// Lowers or raises the soft limit of descriptors of a process that runs, and gives
/// what it was.
pub fn limit_descriptors_of(process: crate::Process, count: u64) -> u64 {
    let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live rlimit, which the call fills.
    let got =
        unsafe { libc::prlimit(process, libc::RLIMIT_NOFILE, std::ptr::null(), &raw mut before) };
    assert_eq!(got, 0, "prlimit: {}", io::Error::last_os_error());
    let wanted = libc::rlimit { rlim_cur: count, rlim_max: before.rlim_max };
    // SAFETY: the pointer is to a live rlimit, which the call only reads.
    let set = unsafe {
        libc::prlimit(process, libc::RLIMIT_NOFILE, &raw const wanted, std::ptr::null_mut())
    };
    assert_eq!(set, 0, "prlimit: {}", io::Error::last_os_error());
    before.rlim_cur
}

fn set<T>(socket: &TcpStream, name: i32, value: &T) {
    let size = libc::socklen_t::try_from(size_of::<T>()).expect("a small structure");
    let value: *const T = value;
    // SAFETY: the pointer and the size are those of a live value of the option's type.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, value.cast(), size) };
    assert_eq!(result, 0, "setsockopt: {}", io::Error::last_os_error());
}

fn address(address: Ipv4Addr, port: u16) -> libc::sockaddr_in {
    // SAFETY: all bits 0 is a valid value of this plain C structure.
    let mut raw: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    raw.sin_family = libc::sa_family_t::try_from(libc::AF_INET).expect("a small number");
    raw.sin_port = port.to_be();
    raw.sin_addr.s_addr = u32::from_ne_bytes(address.octets());
    raw
}

fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

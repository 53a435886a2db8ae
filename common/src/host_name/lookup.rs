//! What Python's `socket.getfqdn()` does: the address of the node name, then the
//! names of that address, and of these the first with a dot.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::net::{IpAddr, ToSocketAddrs};
use std::ptr;

/// Room for the names of one address; the usual ones need some hundred bytes.
const BUFFER_BYTES: usize = 16 << 10;
/// Other names that are looked at.
const MAX_ALIASES: usize = 64;

unsafe extern "C" {
    /// gethostbyaddr(3), the reentrant form that glibc and musl have. The crate
    /// libc does not declare it, and getnameinfo(3) gives no aliases.
    fn gethostbyaddr_r(
        address: *const c_void,
        length: libc::socklen_t,
        family: c_int,
        result: *mut libc::hostent,
        buffer: *mut c_char,
        buffer_length: usize,
        found: *mut *mut libc::hostent,
        error: *mut c_int,
    ) -> c_int;
}

/// The full name of a node, or `None` where the network does not know it. It may
/// wait for name servers as long as the system is configured to.
pub(super) fn full_name(node_name: &str) -> Option<String> {
    let mut addresses = (node_name, 0).to_socket_addrs().ok()?;
    let names = names_of(addresses.next()?.ip());
    let with_domain = names.iter().find(|name| name.contains('.'));
    with_domain.or(names.first()).cloned()
}

/// The name of an address and its aliases.
fn names_of(address: IpAddr) -> Vec<String> {
    match address {
        IpAddr::V4(address) => names_of_bytes(&address.octets(), libc::AF_INET),
        IpAddr::V6(address) => names_of_bytes(&address.octets(), libc::AF_INET6),
    }
}

fn names_of_bytes<const N: usize>(address: &[u8; N], family: c_int) -> Vec<String> {
    let mut entry = MaybeUninit::<libc::hostent>::uninit();
    let mut buffer: Vec<c_char> = vec![0; BUFFER_BYTES];
    let mut found: *mut libc::hostent = ptr::null_mut();
    let mut error: c_int = 0;
    let Ok(length) = libc::socklen_t::try_from(N) else { return Vec::new() };
    // SAFETY: all pointers are to live values of the types and lengths that
    // gethostbyaddr(3) wants, and nothing else uses them during the call.
    let status = unsafe {
        gethostbyaddr_r(
            address.as_ptr().cast(),
            length,
            family,
            entry.as_mut_ptr(),
            buffer.as_mut_ptr(),
            buffer.len(),
            &raw mut found,
            &raw mut error,
        )
    };
    if status != 0 || found.is_null() {
        return Vec::new();
    }
    // SAFETY: `found` is not null, so it points to `entry`, which the call has
    // filled; its strings are in `buffer`, which is still there.
    let entry = unsafe { &*found };
    let mut names = Vec::new();
    names.extend(text(entry.h_name));
    let mut alias = entry.h_aliases;
    for _ in 0..MAX_ALIASES {
        // SAFETY: `h_aliases` is null or an array that a null pointer ends; no
        // element behind that one is looked at.
        let Some(name) = (unsafe { alias.as_ref() }).and_then(|name| text(*name)) else { break };
        names.push(name);
        // SAFETY: the element before was not the last, so this stays in the array.
        alias = unsafe { alias.add(1) };
    }
    names
}

/// A string of the C library, if it is text.
fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the pointer is one of a filled `hostent`: a string that a NUL ends,
    // alive as long as the buffer of the call.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_names() {
        let names = names_of(IpAddr::from([127, 0, 0, 1]));
        assert!(names.iter().any(|name| name.starts_with("localhost")), "{names:?}");
        assert!(full_name("localhost").is_some());
    }
}

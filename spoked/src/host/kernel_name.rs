//! uname(2), for what `/proc/sys` may lack.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;

/// What the kernel calls itself.
pub(super) struct KernelName {
    pub(super) release: String,
    pub(super) version: String,
    pub(super) machine: String,
    pub(super) node: String,
}

/// Asks the kernel. It cannot refuse.
pub(super) fn read() -> KernelName {
    let mut name = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: `name` has room for the answer.
    unsafe { libc::uname(name.as_mut_ptr()) };
    // SAFETY: zero is valid for every field, written or not.
    let name = unsafe { name.assume_init() };
    KernelName {
        release: text(&name.release),
        version: text(&name.version),
        machine: text(&name.machine),
        node: text(&name.nodename),
    }
}

fn text(field: &[c_char]) -> String {
    // The sign of a c_char is not the same on every machine.
    let bytes: Vec<u8> = field.iter().flat_map(|byte| byte.to_ne_bytes()).collect();
    CStr::from_bytes_until_nul(&bytes)
        .map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned())
}

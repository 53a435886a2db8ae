//! How glibc is to keep memory: so that what a cycle or an answer took is given back, and
//! a peak stays a peak. musl does so by itself.

#![allow(unsafe_code)]

/// Heaps that glibc may have. It gives threads heaps of their own, up to eight a
/// core; ours live for milliseconds and hand over what they read, so that all but
/// the first would be holes.
#[cfg(target_env = "gnu")]
const HEAPS: libc::c_int = 1;

/// Bytes from which on memory is mapped, and unmapped when it is freed. glibc
/// starts with this and raises it to what it has seen freed, up to 32 MiB, so
/// that batches would end in the heap and tear holes in it.
#[cfg(target_env = "gnu")]
const MAPPED_FROM_BYTES: libc::c_int = 128 << 10;

/// Call it before the first thread is started. See mallopt(3).
pub fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: each takes two numbers; nothing else runs yet.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, HEAPS);
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM_BYTES);
    }
}

/// Gives back what is free now, which glibc by itself does at the ends of its heaps
/// only. It looks at all of them, up to some milliseconds, so it is for rare moments.
/// See `malloc_trim(3)`.
pub(crate) fn give_holes_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call takes a number, and locks each heap against other threads itself.
    unsafe {
        libc::malloc_trim(0);
    }
}

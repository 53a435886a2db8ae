//! The open ports of the real programs under attack. In each test a fresh client
//! asks once a second and is answered while the attack goes on, and afterwards the
//! program has the threads, descriptors and about the memory that it began with.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod allow_from;
mod attacks;
mod crowd;
mod descriptors;
mod door;
mod options;

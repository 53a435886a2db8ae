//! The reins of the daemons: whose rights they have, what the kernel forbids them,
//! what SIGHUP changes, how large their logs grow, and how one that hangs is told
//! from one that lives.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bounds;
mod clones;
mod installed;
mod logs;
mod reload;
mod rights;
mod watchdog;

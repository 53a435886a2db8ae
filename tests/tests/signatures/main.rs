//! Real spokes, hubs and servers with a shared secret, and strangers between them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod asked;
mod files;
mod middle;
mod site;
mod stand_ins;
mod whole;

//! The real hub between spokes and a server, real ones and stand-ins: what it
//! delivers, and what it survives.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod addresses;
mod configuration;
mod delivery;
mod descriptors;
mod devices;
mod hub;
mod once;
mod original_mistakes;
mod outages;
mod post_mode;
mod refusals;
mod shutdown;
mod spool_files;
mod spool_trouble;
mod week_apart;

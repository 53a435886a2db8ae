//! What the parts of Pattoo share, one file a concept.
//!
//! A figure of the kernel becomes a [`datapoint::DataPoint`], travels in a
//! [`document::Document`], and is never converted back. `docs/principles.md`
//! tells why the parts are cut as they are.

pub mod agent_id;
pub mod allocator;
pub mod allow_from;
pub mod checksum;
pub mod cli;
pub mod complaints;
pub mod config;
mod confine;
pub mod daemon;
pub mod datapoint;
mod descriptor;
pub mod disk_space;
pub mod document;
mod durable_file;
pub mod host_name;
pub mod http_client;
pub mod http_server;
pub mod identity;
mod last_words;
pub mod logging;
pub mod manual;
mod nearest;
mod off_thread;
pub mod priority;
pub mod program;
pub mod quoted;
pub mod resolver;
mod rights;
pub mod signature;
pub mod spool;
pub mod version;
pub mod wall_clock;

#[cfg(test)]
mod test_folder;

//! What the parts of Pattoo share, one file a concept.
//!
//! A figure of the kernel becomes a [`datapoint::DataPoint`], travels in a
//! [`document::Document`], and is never converted back. `docs/principles.md`
//! tells why the parts are cut as they are.

pub mod checksum;
pub mod datapoint;
pub mod document;
pub mod config;
pub mod datapoint;
pub mod http_client;

#[cfg(test)]
mod test_folder;
pub mod cli;
pub mod daemon;
pub mod datapoint;
mod descriptor;
pub mod logging;
pub mod nearest;
pub mod program;
pub mod http_server;

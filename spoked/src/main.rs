//! The spoke: answers with the figures of the machine that it runs on.

mod collector;
mod descriptors;
mod host;
mod mounts;
mod root_device;
mod source;
mod sources;
mod statvfs;

fn main() {}

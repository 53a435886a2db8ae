//! The list of sources, in the order of the wire.

pub(crate) mod filesystem;

//! The spoke: answers with the figures of the machine that it runs on.

mod collector;
mod descriptors;
mod explain;
#[cfg(fuzzing)]
pub mod fuzzing;
mod host;
mod journal;
mod kernel_file;
mod kernel_text;
mod left_out;
mod machine;
mod mounts;
mod percent;
mod root_device;
mod routes;
mod source;
mod sources;
mod spoke;
mod status_page;
mod statvfs;
mod system_constants;

pub use spoke::Spoke;

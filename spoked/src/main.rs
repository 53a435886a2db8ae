//! The spoke: answers with the figures of the machine that it runs on.

#![allow(
    dead_code,
    unused_imports,
    reason = "nothing asks the sources until the server is joined to them"
)]

mod kernel_file;
mod kernel_text;
mod percent;
mod source;
mod sources;
mod status_page;
mod system_constants;

fn main() {}

//! The spoke: answers with the figures of the machine that it runs on.

mod source;
mod sources;
mod status_page;

fn main() {}

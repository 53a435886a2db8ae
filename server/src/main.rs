//! The server: takes what hubs and agents post, keeps it, and answers questions
//! about it.

use std::process::ExitCode;

fn main() -> ExitCode {
    pattoo_common::program::run::<pattoo_server::program::ServerProgram>()
}

//! Languages, translations and agents of Pattoo from the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    let code = pattoo_server::admin::run(arguments, &mut std::io::stdout(), &mut std::io::stderr());
    ExitCode::from(code)
}

//! Writes the manual pages and the completion of bash into a folder:
//! `cargo run -p pattoo-server --example manual -- FOLDER`

use std::path::Path;
use std::{env, fs, io};

use pattoo_common::cli::Kind;
use pattoo_common::config::{HUB_PROGRAM, SERVER_PROGRAM, SPOKE_PROGRAM};
use pattoo_common::manual::{completion, of_daemon, words_of_daemon};
use pattoo_server::admin;

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).ok_or_else(|| io::Error::other("FOLDER is missing"))?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let daemons =
        [(SPOKE_PROGRAM, Kind::Spoke), (HUB_PROGRAM, Kind::Hub), (SERVER_PROGRAM, Kind::Server)];
    for (name, kind) in daemons {
        fs::write(folder.join(format!("{name}.8")), of_daemon(kind, name))?;
    }
    fs::write(folder.join("pattoo_cli.1"), admin::manual_page())?;
    let mut commands = Vec::from(daemons.map(|(name, kind)| (name, words_of_daemon(kind))));
    commands.push(("pattoo_cli", admin::words()));
    fs::write(folder.join("pattoo.bash"), completion(&commands))
}

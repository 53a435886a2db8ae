//! What the end-to-end tests share: they start real binaries in folders of
//! their own, on loopback ports, and use them as a person would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on panics"
)]

pub mod attack;
mod configuration;
mod daemon;
mod dice;
pub mod faults;
mod folder;
pub mod fresh_client;
pub mod hanging_mount;
mod http;
mod lateness;
pub mod loopback;
mod mount_namespace;
mod port;
mod process;
mod read_in_whole;
mod receiver;
mod run;
mod series_of_host;
mod server;
mod silent_name_server;
mod small_disk;
mod stall;
mod stand_in_spoke;
mod turned_clock;
mod wait;
mod web;

pub use configuration::{
    HubOptions, ServerOptions, SpokeOptions, add_to_pattoo_section, write_hub_config,
    write_server_config, write_spoke_config,
};
pub use daemon::Daemon;
pub use dice::Dice;
pub use folder::Folder;
pub use http::{HttpAnswer, http_ask, http_get, http_get_with, http_post};
pub use lateness::{is_late, tells_of_lateness, without_lateness};
pub use port::free_port;
pub use process::{
    Process, block_sigterm, find_by_environment, is_alive, is_stopped, send_signal, stat_field,
};
pub use receiver::{Mood, Post, Receiver, Taken};
pub use run::{Finished, binary, binary_of_system, command, finish, run};
pub use series_of_host::series_of_host;
pub use server::Server;
pub use silent_name_server::SilentNameServer;
pub use small_disk::SmallDisk;
pub use stall::again_after_stalls;
pub use stand_in_spoke::{Manner, StandInSpoke};
pub use turned_clock::TurnedClock;
pub use wait::{PATIENCE, wait_until};
pub use web::{Web, points};

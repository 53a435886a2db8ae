//! The hub, as a daemon, between stand-in spokes and a stand-in server that
//! checks every datapoint.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]

mod devices;
mod server;
mod spool;
mod stop;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use pattoo_tests::{
    Daemon, Folder, HubOptions, PATIENCE, Receiver, StandInSpoke, binary, wait_until,
    write_hub_config,
};

const HUB: &str = "pattoo_agent_linux_hubd";

/// A hub that was configured in a folder of its own.
struct Installation {
    daemon: Daemon,
    // Goes last, when the daemon has ended.
    folder: Folder,
}

/// A hub that polls these devices every second, unless `more` says otherwise.
fn install(test: &str, devices: Vec<(String, u16)>, server: &Receiver, more: &str) -> Installation {
    let folder = Folder::new(test);
    let options = HubOptions {
        devices,
        interval_seconds: 1,
        server_port: server.port(),
        more: more.to_owned(),
    };
    let configuration = write_hub_config(&folder, &options);
    let pid_file = folder.join(format!("run/pid/{HUB}.pid"));
    Installation { daemon: Daemon::new(binary(HUB), &configuration, pid_file), folder }
}

impl Installation {
    fn log(&self) -> String {
        fs::read_to_string(self.folder.join(format!("log/{HUB}.log"))).unwrap_or_default()
    }

    /// Lines of the log with all of these words.
    fn log_lines(&self, words: &[&str]) -> usize {
        let log = self.log();
        log.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
    }

    /// The folder of the spool.
    fn spool(&self) -> PathBuf {
        let cache = self.folder.join("cache");
        let folders: Vec<PathBuf> =
            fs::read_dir(&cache).unwrap().map(|item| item.unwrap().path()).collect();
        assert_eq!(folders.len(), 1, "the spool of one hub in {}", cache.display());
        folders[0].clone()
    }

    /// The batches in a folder.
    fn batches(folder: &std::path::Path) -> usize {
        let Ok(items) = fs::read_dir(folder) else { return 0 };
        items
            .filter(|item| {
                item.as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "json")
            })
            .count()
    }
}

/// Waits until the spoke has answered `count` times more.
fn polls(spoke: &StandInSpoke, count: usize) {
    let before = spoke.answered().len();
    wait_until("the spoke is polled", PATIENCE, || spoke.answered().len() >= before + count);
}

/// Waits until the server has all that the spoke has answered by now, and checks
/// that nothing is missing, doubled or out of order.
fn expect_everything(server: &Receiver, spoke: &StandInSpoke) {
    let answered = spoke.answered().len();
    let values = || server.values(spoke.name(), "sequence");
    // The longest pause between two attempts of a hub is half a minute.
    wait_until("the server has everything", Duration::from_mins(2), || values().len() >= answered);
    let values = values();
    let wanted: Vec<String> = (1..=values.len()).map(|number| number.to_string()).collect();
    assert_eq!(values, wanted);
}

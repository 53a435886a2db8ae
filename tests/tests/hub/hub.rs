//! A hub in a folder of its own, and what can be seen of it from outside.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use pattoo_common::document::{Document, SampleValue};
use pattoo_common::spool::crc32;
use pattoo_tests::{
    Daemon, Folder, HubOptions, PATIENCE, Post, Receiver, StandInSpoke, binary, is_alive,
    send_signal, wait_until, write_hub_config,
};

/// The program.
pub(crate) const PROGRAM: &str = "pattoo_agent_linux_hubd";

/// The name of its host.
pub(crate) const HOST: &str = "hub.example.net";

/// Its agent id.
pub(crate) const ID: &str = "490335606c967ea8779a1826bdde145b12ac82a8827f90aae0c9ff97c88c3afd";

/// The `Server` header of our own server.
pub(crate) const OURS: &str = "pattood/1";

/// An installed hub.
pub(crate) struct Hub {
    pub(crate) daemon: Daemon,
    // Goes last, when the daemon has ended.
    pub(crate) folder: Folder,
}

/// A hub that polls these every second, when it is installed. It need not learn what
/// the server is, so its first cycle is posted like every other, however busy the
/// machine is.
pub(crate) fn every_second(devices: &[&StandInSpoke], server: &Receiver) -> HubOptions {
    HubOptions {
        devices: devices.iter().map(|spoke| spoke.device()).collect(),
        interval_seconds: 1,
        server_port: server.port(),
        more: "post_mode: batch\n".to_owned(),
    }
}

impl Hub {
    /// Installs one, with [`HOST`] and [`ID`]; it does not run yet.
    pub(crate) fn install(test: &str, mut options: HubOptions) -> Self {
        let folder = Folder::new(test);
        // A test must not depend on how full the disk is.
        let _ = write!(options.more, "hostname: {HOST}\nspool_min_free_bytes: 0\n");
        let configuration = write_hub_config(&folder, &options);
        folder.write(format!("state/agent_id/{HOST}.{PROGRAM}.agent_id"), ID);
        let pid_file = folder.join(format!("run/pid/{PROGRAM}.pid"));
        Self { daemon: Daemon::new(binary(PROGRAM), &configuration, pid_file), folder }
    }

    /// Names a server that is not at 127.0.0.1.
    pub(crate) fn post_to(&self, host: &str, port: u16) {
        self.folder.write(
            "etc/pattoo_agent.yaml",
            &format!("pattoo_agent_api:\n  ip_address: \"{host}\"\n  ip_bind_port: {port}\n"),
        );
    }

    /// Kills it, as no program can prevent.
    pub(crate) fn kill(&self) {
        let process = self.daemon.pid();
        send_signal(process, libc::SIGKILL);
        wait_until("the hub is dead", PATIENCE, || !is_alive(process));
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join(format!("log/{PROGRAM}.log"))).unwrap_or_default()
    }

    /// The folder of its spool.
    pub(crate) fn spool_folder(&self) -> PathBuf {
        self.folder.join("cache").join(ID)
    }

    /// The batches on disk, by name.
    pub(crate) fn spool(&self) -> Vec<PathBuf> {
        files(&self.spool_folder())
            .into_iter()
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect()
    }

    /// The batches that were set aside, by name.
    pub(crate) fn bad(&self) -> Vec<PathBuf> {
        files(&self.spool_folder().join("bad"))
    }

    /// Fails if a batch on disk is not what its name says.
    pub(crate) fn expect_whole_batches(&self) {
        for path in self.spool() {
            let body = fs::read(&path).unwrap();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            assert!(stem.ends_with(&format!("_{:08x}", crc32(&body))), "{}", path.display());
            Document::parse(&body).unwrap();
        }
    }

    /// The numbers of stand-in spokes in each batch of its spool, oldest first. A batch
    /// that is posted while this looks is gone, and not counted.
    pub(crate) fn spooled_batches(&self) -> Vec<Vec<u64>> {
        let batches = self.spool().into_iter().filter_map(|path| match fs::read(&path) {
            Ok(batch) => Some(batch),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => panic!("{}: {error}", path.display()),
        });
        batches.map(|batch| numbers_of(&batch)).collect()
    }

    /// The same, one after another.
    pub(crate) fn spooled_numbers(&self) -> Vec<u64> {
        self.spooled_batches().concat()
    }
}

/// The files of a folder, by name; none if it is not there.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

/// The values of `sequence` in a document.
pub(crate) fn numbers_of(document: &[u8]) -> Vec<u64> {
    let document = Document::parse(document).unwrap();
    let samples = document.samples().map(Result::unwrap);
    samples
        .filter(|sample| sample.key == "sequence")
        .map(|sample| match sample.value {
            SampleValue::Integer(number) => number,
            other => panic!("no number: {other:?}"),
        })
        .collect()
}

/// The numbers that the server has of a stand-in spoke, as they came.
pub(crate) fn numbers(server: &Receiver, spoke: &StandInSpoke) -> Vec<u64> {
    let values = server.values(spoke.name(), "sequence");
    values.iter().map(|value| value.parse().unwrap()).collect()
}

/// Waits until the server has a number of a stand-in spoke that is no less. After many
/// failures a hub may pause for as long as [`PATIENCE`] before it posts again.
pub(crate) fn wait_for_number(server: &Receiver, spoke: &StandInSpoke, least: u64) {
    wait_until(&format!("number {least} of {} is posted", spoke.name()), 3 * PATIENCE, || {
        numbers(server, spoke).iter().any(|number| *number >= least)
    });
}

/// Waits until the server has taken so many posts, and gives them.
pub(crate) fn wait_for_posts(server: &Receiver, count: usize) -> Vec<Post> {
    wait_until(&format!("{count} posts are taken"), PATIENCE, || server.posts().len() >= count);
    server.posts()
}

/// Waits until the server has taken so many posts with a poll of this device that was
/// not late, and gives them: a hub that is always late gets no further.
pub(crate) fn wait_for_prompt_posts(
    server: &Receiver,
    device: (&str, u16),
    count: usize,
) -> Vec<Post> {
    let mut prompt = Vec::new();
    wait_until(&format!("{count} posts with a prompt poll are taken"), 3 * PATIENCE, || {
        prompt = server.posts();
        prompt.retain(|post| {
            !post.of_device(device, "hub_poll_up").is_empty() && !post.was_late(device)
        });
        prompt.len() >= count
    });
    prompt
}

/// Fails unless the numbers are 1, 2, 3 and so on: none missing, none twice, none
/// out of its order.
pub(crate) fn expect_all(numbers: &[u64]) {
    let wanted: Vec<u64> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, wanted);
}

/// What the hub says of itself in a post.
pub(crate) fn of_hub<'p>(post: &'p Post, key: &str) -> Vec<&'p str> {
    let own = post.samples.iter().filter(|sample| sample.target == HOST && sample.key == key);
    own.map(|sample| sample.value.as_str()).collect()
}

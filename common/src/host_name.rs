//! The name of this host in all its figures, as Python's `socket.getfqdn()` gave
//! it to the original: the name of the network, with its domain.
//!
//! It is looked up once and kept beside the agent id, so that a name server that
//! is away never renames a host and splits its history.

mod lookup;

use std::fmt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::durable_file;
use crate::off_thread::off_thread;

/// How long a look-up may take; pass `Instant::now() + LOOKUP_TIME` as deadline.
pub const LOOKUP_TIME: Duration = Duration::from_secs(2);
/// The file in the folder of agent ids.
const FILE: &str = "hostname";
/// It has two short lines.
const MAX_FILE_BYTES: u64 = 4 << 10;
/// `getaddrinfo` of glibc needs some 50 KiB, plug-ins of the name service more.
const STACK_BYTES: usize = 256 << 10;

/// A host's name and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName {
    /// The name; never empty.
    pub name: String,
    /// For `--check` and the log.
    pub origin: Origin,
}

/// Where a host's name comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The configuration names it.
    Configured,
    /// It was looked up once and kept in this file.
    Kept(PathBuf),
    /// It was looked up now.
    LookedUp,
    /// The kernel's node name, since the look-up has failed or took too long.
    NodeName,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configured => f.write_str("from the configuration"),
            Self::Kept(path) => {
                write!(f, "kept in {}; remove it to have it looked up again", path.display())
            }
            Self::LookedUp => f.write_str("as the network knows it"),
            Self::NodeName => f.write_str("as the kernel knows it, since no name server answered"),
        }
    }
}

/// The name of this host, and keeps it in the folder `keep_in` for the next time.
/// `node_name` is the kernel's (`/proc/sys/kernel/hostname`): when that has
/// changed, the machine was renamed and is looked up again.
///
/// It may start a thread: call it after a daemon has forked.
pub fn host_name(
    configured: Option<&str>,
    node_name: &str,
    keep_in: &Path,
    deadline: Instant,
) -> HostName {
    let found = find(configured, node_name, keep_in, deadline);
    if matches!(found.origin, Origin::LookedUp | Origin::NodeName) {
        let contents = format!("{}\n{node_name}\n", found.name);
        let path = keep_in.join(FILE);
        if let Err(error) = durable_file::replace(&path, FILE, contents.as_bytes()) {
            log::warn!(
                "{}: the name of this host cannot be kept: {error}; it may change with the name \
                 server's answers",
                path.display()
            );
        }
    }
    found
}

/// Like [`host_name`], without writing anything.
pub fn find(
    configured: Option<&str>,
    node_name: &str,
    keep_in: &Path,
    deadline: Instant,
) -> HostName {
    find_with(configured, node_name, keep_in, deadline, lookup::full_name)
}

fn find_with(
    configured: Option<&str>,
    node_name: &str,
    keep_in: &Path,
    deadline: Instant,
    look_up: impl FnOnce(&str) -> Option<String> + Send + 'static,
) -> HostName {
    if let Some(name) = configured {
        return HostName { name: name.to_owned(), origin: Origin::Configured };
    }
    let path = keep_in.join(FILE);
    if let Some(name) = kept(&path, node_name) {
        return HostName { name, origin: Origin::Kept(path) };
    }
    match looked_up(node_name, deadline, look_up).filter(|name| is_sane(name)) {
        Some(name) => HostName { name, origin: Origin::LookedUp },
        None if is_sane(node_name) => {
            HostName { name: node_name.to_owned(), origin: Origin::NodeName }
        }
        None => HostName { name: "localhost".to_owned(), origin: Origin::NodeName },
    }
}

/// The kept name, if it was looked up for the same node name.
fn kept(path: &Path, node_name: &str) -> Option<String> {
    let text = durable_file::read_text(path, MAX_FILE_BYTES).ok()?;
    let mut lines = text.lines();
    let name = lines.next().filter(|name| is_sane(name))?;
    (lines.next()? == node_name).then(|| name.to_owned())
}

/// Whether a name may stand in documents and in the name of a file.
fn is_sane(name: &str) -> bool {
    !name.is_empty() && name.len() <= 253 && name.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
}

/// What a look-up finds until the deadline.
fn looked_up(
    node_name: &str,
    deadline: Instant,
    look_up: impl FnOnce(&str) -> Option<String> + Send + 'static,
) -> Option<String> {
    let node_name = node_name.to_owned();
    let thread = thread::Builder::new().name("host name".to_owned()).stack_size(STACK_BYTES);
    off_thread(thread, deadline, move || look_up(&node_name)).ok()??
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc;

    use super::*;
    use crate::test_folder::TestFolder;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    fn answer(name: &'static str) -> impl FnOnce(&str) -> Option<String> + Send + 'static {
        move |_| Some(name.to_owned())
    }

    fn nobody(_: &str) -> Option<String> {
        None
    }

    fn is(name: &str, origin: Origin) -> HostName {
        HostName { name: name.to_owned(), origin }
    }

    #[test]
    fn the_configuration_wins() {
        let folder = TestFolder::new();
        fs::write(folder.path().join(FILE), "kept\nweb1\n").expect("written");
        let found = host_name(Some("mine"), "web1", folder.path(), soon());
        assert_eq!(found, is("mine", Origin::Configured));
        assert_eq!(fs::read_to_string(folder.path().join(FILE)).expect("kept"), "kept\nweb1\n");
    }

    #[test]
    fn what_was_found_is_kept_even_if_the_name_server_goes() {
        let folder = TestFolder::new();
        let keep_in = folder.path().join("daemon/agent_id");
        let first = host_name(None, "pattoo-test-node.invalid", &keep_in, soon());
        let path = keep_in.join(FILE);
        let second = find_with(None, "pattoo-test-node.invalid", &keep_in, soon(), nobody);
        assert_eq!(second, is(&first.name, Origin::Kept(path)));
    }

    #[test]
    fn a_failed_first_look_up_is_kept_too() {
        let folder = TestFolder::new();
        let found = find_with(None, "web1", folder.path(), soon(), nobody);
        assert_eq!(found, is("web1", Origin::NodeName));
        fs::write(folder.path().join(FILE), "web1\nweb1\n").expect("written");
        let later = find_with(None, "web1", folder.path(), soon(), answer("web1.example.org"));
        assert_eq!(later, is("web1", Origin::Kept(folder.path().join(FILE))));
    }

    #[test]
    fn a_renamed_machine_is_looked_up_again() {
        let folder = TestFolder::new();
        fs::write(folder.path().join(FILE), "web1.example.org\nweb1\n").expect("written");
        let found = find_with(None, "web2", folder.path(), soon(), answer("web2.example.org"));
        assert_eq!(found, is("web2.example.org", Origin::LookedUp));
    }

    #[test]
    fn a_name_server_that_hangs_costs_the_deadline() {
        let folder = TestFolder::new();
        let (release, wait) = mpsc::channel::<()>();
        let hang = move |_: &str| wait.recv().ok().map(|()| String::new());
        let deadline = Instant::now() + Duration::from_millis(50);
        let found = find_with(None, "web1", folder.path(), deadline, hang);
        assert_eq!(found, is("web1", Origin::NodeName));
        drop(release);
    }

    #[test]
    fn garbage_is_not_taken_for_a_name() {
        let folder = TestFolder::new();
        for garbage in ["", "\n", "a b\nweb1\n", "a\n", "../x\nweb1\n", "\0\nweb1\n"] {
            fs::write(folder.path().join(FILE), garbage).expect("written");
            let found = find_with(None, "web1", folder.path(), soon(), nobody);
            assert_eq!(found, is("web1", Origin::NodeName), "{garbage:?}");
        }
        let found = find_with(None, "web1", folder.path(), soon(), answer("a\nb"));
        assert_eq!(found, is("web1", Origin::NodeName));
        assert_eq!(find_with(None, "", folder.path(), soon(), nobody).name, "localhost");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_no_reason_to_stop() {
        let folder = TestFolder::new();
        let file = folder.path().join("file");
        fs::write(&file, "").expect("written");
        let found = host_name(None, "localhost", &file, soon());
        assert!(!found.name.is_empty());
    }
}

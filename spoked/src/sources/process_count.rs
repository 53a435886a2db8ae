//! How many processes there are: the numbered folders of `/proc` (`proc(5)`).
//!
//! To list `/proc` costs 30 to 640 microseconds, depending on the processes. The
//! link count of `/proc` costs one: the kernel reckons it as the links of its
//! fixed folders and the number of processes on the whole machine
//! (`proc_root_getattr` in fs/proc/root.c). It is used where that is known to be
//! the same as listing: in the first process namespace, on a real `/proc`
//! without `hidepid`. Even there the two are compared once, and again now and
//! then; a difference that moved, whatever the cause, ends it for good.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use pattoo_common::datapoint::{DataPoint, DataType};

use crate::kernel_file::unreadable;
use crate::source::{Poll, Roots, Source, SourceError};

/// After so many counts from links one is made by listing, to compare.
const COUNTS_BETWEEN_LISTINGS: u32 = 63;

/// How often one listing is tried, if processes come and go meanwhile.
const ATTEMPTS: u32 = 3;

/// `PROC_PID_INIT_INO` of the kernel, as `/proc/self/ns/pid` shows it.
const FIRST_PROCESS_NAMESPACE: &str = "pid:[4026531836]";

/// The number of processes.
pub(crate) struct ProcessCount {
    proc: Proc,
    way: Way,
}

impl ProcessCount {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { proc: Proc { roots: roots.clone() }, way: Way::Unknown }
    }
}

impl Source for ProcessCount {
    fn name(&self) -> &'static str {
        "process_count"
    }

    fn reads(&self) -> &'static str {
        "the numbered folders of proc"
    }

    fn read(&mut self, _: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        let count = self.way.count(&self.proc);
        let count = count.map_err(|error| unreadable(&self.proc.roots.proc, &error))?;
        out.push(DataPoint::new("process_count", DataType::Gauge, count));
        Ok(())
    }
}

/// What is asked of `/proc`.
trait Processes {
    /// Whether links are known to follow the processes that can be listed.
    fn links_tell(&self) -> bool;
    /// The link count.
    fn links(&self) -> io::Result<u64>;
    /// The number of numbered folders.
    fn listed(&self) -> io::Result<u64>;
}

/// How processes are counted.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// Nothing was compared yet.
    Unknown,
    /// Links less `others`, the folders that are no processes.
    Links { others: u64, left: u32 },
    /// By listing, for good.
    Listing,
}

impl Way {
    fn count(&mut self, processes: &impl Processes) -> io::Result<u64> {
        match *self {
            Self::Listing => return processes.listed(),
            Self::Links { others, left } if left > 0 => {
                let links = processes.links()?;
                if links > others {
                    *self = Self::Links { others, left: left - 1 };
                    return Ok(links - others);
                }
            }
            Self::Unknown if !processes.links_tell() => {
                *self = Self::Listing;
                return processes.listed();
            }
            Self::Unknown | Self::Links { .. } => {}
        }
        self.compare(processes)
    }

    /// Counts by listing, and holds the links against it. Only links that are
    /// the same before and after say something; and as one process may end and
    /// another begin in between, a difference has to be seen more than once.
    fn compare(&mut self, processes: &impl Processes) -> io::Result<u64> {
        let mut moved = false;
        let mut listed = 0;
        for _ in 0..ATTEMPTS {
            let before = processes.links()?;
            listed = processes.listed()?;
            if before != processes.links()? {
                continue;
            }
            let Some(found) = before.checked_sub(listed) else {
                moved = true;
                break;
            };
            match *self {
                Self::Links { others, .. } if others != found => moved = true,
                _ => {
                    *self = Self::Links { others: found, left: COUNTS_BETWEEN_LISTINGS };
                    return Ok(listed);
                }
            }
        }
        if moved {
            *self = Self::Listing;
        }
        Ok(listed)
    }
}

/// The kernel's `/proc`, or a tree in its place.
struct Proc {
    roots: Roots,
}

impl Processes for Proc {
    fn links_tell(&self) -> bool {
        let namespace = fs::read_link(self.roots.proc("self/ns/pid"));
        let first = namespace.is_ok_and(|link| link.as_os_str() == FIRST_PROCESS_NAMESPACE);
        // Process 1 belongs to root: who sees it sees the processes of others.
        self.roots.proc_is_of_kernel() && first && self.roots.proc("1").exists()
    }

    fn links(&self) -> io::Result<u64> {
        Ok(fs::metadata(&self.roots.proc)?.nlink())
    }

    fn listed(&self) -> io::Result<u64> {
        let mut count = 0;
        for entry in fs::read_dir(&self.roots.proc)? {
            count += u64::from(entry?.file_name().as_bytes().iter().all(u8::is_ascii_digit));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::sources::fixture;

    /// A `/proc` in which processes and links move as the test says.
    struct Fake {
        trusted: bool,
        processes: Cell<u64>,
        others: Cell<u64>,
        /// Processes that begin during each listing.
        forks: u64,
        listings: Cell<u32>,
    }

    fn fake(processes: u64, others: u64) -> Fake {
        Fake {
            trusted: true,
            processes: Cell::new(processes),
            others: Cell::new(others),
            forks: 0,
            listings: Cell::new(0),
        }
    }

    impl Processes for Fake {
        fn links_tell(&self) -> bool {
            self.trusted
        }

        fn links(&self) -> io::Result<u64> {
            Ok(self.processes.get() + self.others.get())
        }

        fn listed(&self) -> io::Result<u64> {
            self.listings.set(self.listings.get() + 1);
            let listed = self.processes.get();
            self.processes.set(listed + self.forks);
            Ok(listed)
        }
    }

    #[test]
    fn links_are_followed_and_listed_again_now_and_then() {
        let (proc, mut way) = (fake(80, 11), Way::Unknown);
        for read in 0..640 {
            proc.processes.set(80 + read % 7);
            assert_eq!(way.count(&proc).unwrap(), 80 + read % 7);
        }
        assert_eq!(proc.listings.get(), 10, "one in 64");
    }

    #[test]
    fn where_links_cannot_tell_each_count_is_a_listing() {
        let (mut proc, mut way) = (fake(80, 11), Way::Unknown);
        proc.trusted = false;
        assert_eq!(way.count(&proc).unwrap(), 80);
        assert_eq!(way.count(&proc).unwrap(), 80);
        assert_eq!((proc.listings.get(), way), (2, Way::Listing));
    }

    #[test]
    fn a_difference_that_moved_ends_it_for_good() {
        let (proc, mut way) = (fake(80, 11), Way::Unknown);
        way.count(&proc).unwrap();
        proc.others.set(12);
        for _ in 0..COUNTS_BETWEEN_LISTINGS {
            way.count(&proc).unwrap();
        }
        assert_eq!(way.count(&proc).unwrap(), 80, "the comparison itself is right");
        assert_eq!(way, Way::Listing);
        proc.others.set(11);
        assert_eq!(way.count(&proc).unwrap(), 80);
        assert_eq!(way, Way::Listing, "and it stays so");
    }

    #[test]
    fn links_that_cannot_be_right_are_compared_at_once() {
        let (proc, mut way) = (fake(80, 11), Way::Unknown);
        way.count(&proc).unwrap();
        proc.processes.set(3);
        proc.others.set(2);
        assert_eq!(way.count(&proc).unwrap(), 3);
        assert_eq!(way, Way::Listing);
    }

    #[test]
    fn fewer_links_than_processes_tell_nothing() {
        struct OneLink;
        impl Processes for OneLink {
            fn links_tell(&self) -> bool {
                true
            }
            fn links(&self) -> io::Result<u64> {
                Ok(1)
            }
            fn listed(&self) -> io::Result<u64> {
                Ok(5)
            }
        }
        let mut way = Way::Unknown;
        assert_eq!(way.count(&OneLink).unwrap(), 5);
        assert_eq!(way, Way::Listing);
    }

    #[test]
    fn a_machine_on_which_processes_never_stand_still_is_listed_and_compared_later() {
        let (mut proc, mut way) = (fake(80, 11), Way::Unknown);
        proc.forks = 1;
        assert_eq!(way.count(&proc).unwrap(), 82, "the last of three listings");
        assert_eq!(way, Way::Unknown);
        proc.forks = 0;
        assert_eq!(way.count(&proc).unwrap(), 83);
        assert_eq!(way, Way::Links { others: 11, left: COUNTS_BETWEEN_LISTINGS });
    }

    #[test]
    fn the_trees_are_listed() {
        for tree in fixture::TREES {
            let mut source = ProcessCount::new(&fixture::roots(tree));
            let found = fixture::values(&mut source);
            assert_eq!(source.way, Way::Listing, "{tree}");
            let folders = fs::read_dir(fixture::roots(tree).proc).unwrap();
            let named = |name: &str| name.parse::<u32>().is_ok();
            let count =
                folders.filter(|f| named(f.as_ref().unwrap().file_name().to_str().unwrap()));
            let count = count.count() as u64;
            assert!(count > 1, "{tree}");
            assert_eq!(found, [("process_count".to_string(), count.into())], "{tree}");
        }
    }

    #[test]
    fn on_the_real_kernel_both_ways_agree_while_processes_come_and_go() {
        let roots = Roots { proc: "/proc".into(), sys: "/sys".into(), root: "/".into() };
        let proc = Proc { roots: roots.clone() };
        if !proc.links_tell() {
            assert!(Way::Unknown.count(&proc).unwrap() > 0);
            return;
        }
        let mut way = Way::Unknown;
        way.count(&proc).unwrap();
        // Others start processes too while this runs, so a count that lies
        // between two listings is as right as one that equals both.
        let agree = (0..1000).any(|_| {
            let before = proc.listed().unwrap();
            let counted = way.count(&proc).unwrap();
            before == counted && counted == proc.listed().unwrap()
        });
        assert!(agree, "{way:?}");
    }

    #[test]
    fn no_proc_is_absent() {
        let folder = fixture::Folder::new("process_count_absent");
        let mut roots = folder.as_roots();
        roots.proc.push("nowhere");
        let read = ProcessCount::new(&roots).read(&fixture::POLL, &mut Vec::new());
        assert!(matches!(read, Err(SourceError::Absent(_))), "{read:?}");
    }
}

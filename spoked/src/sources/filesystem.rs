//! How full the file systems are: `/proc/self/mounts`, `/proc/filesystems` and
//! statvfs(3).

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pattoo_common::datapoint::{DataPoint, DataType, Metadata, Value};

use crate::kernel_file::KernelFile;
use crate::mounts::{Mount, MountWatch, Selector, types_with_device};
use crate::percent::percent;
use crate::root_device;
use crate::source::{Poll, Roots, Source, SourceError};
use crate::statvfs::{Outcome, Question, Size, StatvfsThreads};

#[cfg(test)]
mod tests;

/// The table is read anew after so long even where the kernel has told of no
/// change: a file system may have changed its options by itself.
const REREAD_AFTER: Duration = Duration::from_mins(1);

/// So many mounts of one kind of trouble are named; the rest is counted.
const MAX_NAMED: usize = 16;

/// The size and use of each mount.
pub(crate) struct Filesystem {
    roots: Roots,
    threads: StatvfsThreads,
    table: Option<Table>,
}

/// What is known of the mounts until they change.
struct Table {
    watch: MountWatch,
    read_at: Instant,
    questions: Vec<Question>,
    /// One for each question.
    metadata: Vec<Arc<Metadata>>,
    /// Whether each was read-only, once it has answered.
    read_only: Vec<Option<bool>>,
    /// What was wrong with the table.
    faults: Vec<String>,
}

impl Filesystem {
    /// Opens nothing and starts no thread before the first reading.
    pub(crate) fn new(roots: Roots) -> Self {
        Self { roots, threads: StatvfsThreads::new(), table: None }
    }

    /// The table as it is now, read only if it may have changed.
    fn table(&mut self) -> Result<&mut Table, SourceError> {
        let table = match self.table.take() {
            Some(table) if !table.is_stale() => table,
            Some(table) => Table::read(&self.roots, table.watch)?,
            None => Table::read(&self.roots, open_table(&self.roots)?)?,
        };
        Ok(self.table.insert(table))
    }
}

impl Source for Filesystem {
    fn name(&self) -> &'static str {
        "filesystem"
    }

    fn reads(&self) -> &'static str {
        "proc/self/mounts, proc/filesystems, statvfs(3)"
    }

    fn read(&mut self, _: &Poll, out: &mut Vec<DataPoint>) -> Result<(), SourceError> {
        self.table()?;
        let Self { threads, table: Some(table), .. } = self else { return Ok(()) };
        if table.questions.is_empty() && table.faults.is_empty() {
            return Err(SourceError::Absent(format!(
                "{}: no mount has a device",
                table.watch.path().display()
            )));
        }
        let outcomes = threads.ask(&table.questions);
        for ((outcome, metadata), read_only) in
            outcomes.iter().zip(&table.metadata).zip(&mut table.read_only)
        {
            if let Outcome::Size(size) = outcome {
                push(size, metadata, out);
                if read_only.replace(size.read_only).is_some_and(|before| before != size.read_only)
                {
                    // An error has made it read-only, say: so have its options.
                    table.read_at =
                        Instant::now().checked_sub(REREAD_AFTER).unwrap_or(table.read_at);
                }
            }
        }
        judge(&table.faults, &table.questions, &outcomes)
    }
}

impl Table {
    fn read(roots: &Roots, watch: MountWatch) -> Result<Self, SourceError> {
        // Asked before the table is read: what changes meanwhile is seen next time.
        watch.has_changed();
        let mut filesystems = KernelFile::new(roots.proc("filesystems"));
        let types = types_with_device(&String::from_utf8_lossy(filesystems.read()?));
        let mut selector = Selector::new(types);
        // A machine that is watched from a container has mounts of its containers,
        // most of them parts of what is mounted elsewhere. Of this one's own mounts
        // all are sent, as ever: to leave one out would end its history.
        if watch.path().starts_with(roots.proc("1")) {
            selector = selector.once_each();
        }
        watch.read(|line| selector.line(line)).map_err(|error| failed(watch.path(), &error))?;
        let selection = selector.finish();

        let path = watch.path().display();
        let mut faults: Vec<String> =
            selection.bad_lines.iter().map(|bad| format!("{path}, {bad}")).collect();
        if selection.left_out > 0 {
            faults.push(format!("{path}: {} mounts too many are left out", selection.left_out));
        }
        let mut questions = Vec::with_capacity(selection.mounts.len());
        let mut metadata = Vec::with_capacity(selection.mounts.len());
        for mut mount in selection.mounts {
            // The kernel's names hold no NUL.
            let Ok(path) = CString::new(below(&roots.root, &mount).into_os_string().into_vec())
            else {
                continue;
            };
            if root_device::is_placeholder(&mount.device)
                && let Some(device) = root_device::find(roots)
            {
                mount.device = device;
            }
            let (device, remote) = (Arc::from(mount.device.as_str()), mount.remote);
            // Below another root the way leads through mounts that are not in this table.
            let at_hand = mount.at_hand && !roots.is_of_another();
            questions.push(Question { path: Arc::from(path), device, remote, at_hand });
            metadata.push(describe(mount));
        }
        let read_only = vec![None; questions.len()];
        Ok(Self { watch, read_at: Instant::now(), questions, metadata, read_only, faults })
    }

    fn is_stale(&self) -> bool {
        self.watch.has_changed() || self.read_at.elapsed() >= REREAD_AFTER
    }
}

/// Opens the table of mounts. Where the root of the machine is not that of this
/// process, as in a container that watches its host, the first process of `/proc`
/// sees the mounts of the machine.
fn open_table(roots: &Roots) -> Result<MountWatch, SourceError> {
    if roots.is_of_another()
        && let Ok(watch) = MountWatch::open(roots.proc("1/mounts"))
    {
        return Ok(watch);
    }
    let path = roots.proc("self/mounts");
    MountWatch::open(path.clone()).map_err(|error| failed(&path, &error))
}

/// Where a mount is found from here.
fn below(root: &Path, mount: &Mount) -> PathBuf {
    let mountpoint = Path::new(&mount.mountpoint);
    root.join(mountpoint.strip_prefix("/").unwrap_or(mountpoint))
}

fn describe(mount: Mount) -> Arc<Metadata> {
    Metadata::before_host(vec![
        ("disk_partition_device", mount.device),
        ("disk_partition_mountpoint", mount.mountpoint.to_string_lossy().into_owned()),
        ("disk_partition_fstype", mount.fstype),
        ("disk_partition_opts", mount.options),
    ])
}

/// The figures of one mount, in bytes and percent, as psutil's `disk_usage` has
/// them. A file system without blocks has no size that could be full, and gives
/// none: df(1) leaves it out likewise, and so looks a FUSE mount of another user.
fn push(size: &Size, metadata: &Arc<Metadata>, out: &mut Vec<DataPoint>) {
    if size.blocks == 0 {
        return;
    }
    let total = size.blocks.saturating_mul(size.block_bytes);
    let used = size.blocks.saturating_sub(size.free).saturating_mul(size.block_bytes);
    let free = size.available.saturating_mul(size.block_bytes);
    let mut point =
        |key, value: Value| out.push(DataPoint::of(metadata, key, DataType::Gauge, value));
    point("disk_partition_disk_usage_total", total.into());
    point("disk_partition_disk_usage_used", used.into());
    point("disk_partition_disk_usage_free", free.into());
    // What is kept back for root counts for neither side.
    let used_percent = percent(used as f64, used.saturating_add(free) as f64);
    point("disk_partition_disk_usage_percent", used_percent.into());
}

/// Whether the reading was whole. What a user may not see is no fault.
fn judge(
    faults: &[String],
    questions: &[Question],
    outcomes: &[Outcome],
) -> Result<(), SourceError> {
    let which = |wanted: &Outcome| {
        let mounts = questions.iter().zip(outcomes).filter(|(_, outcome)| *outcome == wanted);
        name_some(mounts.map(|(question, _)| question.path.to_string_lossy().into_owned()))
    };
    let mut reasons = faults.to_vec();
    let failures = questions.iter().zip(outcomes).filter_map(|(question, outcome)| match outcome {
        Outcome::Failed(reason) => Some(format!("{}: {reason}", question.path.to_string_lossy())),
        _ => None,
    });
    reasons.extend(name_some(failures).map(|failures| format!("statvfs failed for {failures}")));
    reasons
        .extend(which(&Outcome::Hangs).map(|names| format!("statvfs does not return for {names}")));
    reasons.extend(
        which(&Outcome::NotAsked).map(|names| format!("not asked, for others hang: {names}")),
    );
    let denied = which(&Outcome::Denied).map(|names| format!("no permission for {names}"));
    let faultless = reasons.is_empty();
    reasons.extend(denied);
    match (faultless, reasons.is_empty()) {
        (_, true) => Ok(()),
        (true, false) => Err(SourceError::Absent(reasons.join("; "))),
        (false, false) => Err(SourceError::Failed(reasons.join("; "))),
    }
}

/// The names with commas between them, if there are any.
fn name_some(names: impl Iterator<Item = String>) -> Option<String> {
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(MAX_NAMED);
    names.truncate(MAX_NAMED);
    let text = names.join(", ");
    match (names.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(text),
        (false, more) => Some(format!("{text} and {more} more")),
    }
}

fn failed(path: &Path, error: &io::Error) -> SourceError {
    SourceError::Failed(format!("{}: {error}", path.display()))
}

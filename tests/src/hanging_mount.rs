//! A mount that hangs: a FUSE file system that does not answer STATFS.
//!
//! Speaks the kernel's side of FUSE by itself, see fuse(4) and
//! `include/uapi/linux/fuse.h` of the kernel. Needs root and `/dev/fuse`. The
//! mount is seen by nobody else on the machine: the thread that makes it gets a
//! mount namespace of its own, and so do the processes that it starts.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// After so long the file system goes away by itself, and with it all that hang
/// in it, so that a test which fails leaves nothing behind.
const WATCHDOG: Duration = Duration::from_mins(2);

/// The kernel hands out no request to a smaller buffer.
const REQUEST_BYTES: usize = 64 * 1024;

/// A request begins with: length, operation, number, inode, user, group, process.
const HEAD_BYTES: usize = 40;

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const STATFS: u32 = 17;
const INIT: u32 = 26;
const ACCESS: u32 = 34;
const INTERRUPT: u32 = 36;
const BATCH_FORGET: u32 = 42;

/// The version of the protocol that is spoken here; the kernel adapts.
const VERSION: (u32, u32) = (7, 31);

/// A folder on which statvfs(3) does not return.
///
/// When it is dropped, the calls that hang in it return with an error. It stays
/// on the thread that made it, for there its mount namespace is.
pub struct HangingMount {
    folder: PathBuf,
    /// A byte has STATFS answered; its end ends the server.
    control: Option<UnixStream>,
    server: Option<JoinHandle<()>>,
    asked: Arc<Asked>,
    on_this_thread: PhantomData<*const ()>,
}

/// How often STATFS was asked for.
#[derive(Default)]
struct Asked {
    count: Mutex<usize>,
    changed: Condvar,
}

impl HangingMount {
    /// Mounts it on a new folder of this name. An error tells what this machine
    /// lacks for it.
    pub fn new(folder: &Path) -> Result<Self, String> {
        let lacks = |what: &str, error: io::Error| format!("{what}: {error}");
        let device = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/fuse")
            .map_err(|error| lacks("opening /dev/fuse", error))?;
        own_namespace().map_err(|error| lacks("a mount namespace of its own", error))?;
        fs::create_dir_all(folder).map_err(|error| lacks("making the folder", error))?;
        let options =
            format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd());
        mount(c"hanging:/export", folder, c"fuse.hanging", 0, &options)
            .map_err(|error| lacks("mounting FUSE", error))?;
        let (control, orders) = UnixStream::pair().map_err(|error| lacks("a socket", error))?;
        let asked = Arc::<Asked>::default();
        let server = Server { device, orders, held: Vec::new(), answers: false };
        let counted = Arc::clone(&asked);
        Ok(Self {
            folder: folder.to_owned(),
            control: Some(control),
            server: Some(thread::spawn(move || server.run(&counted))),
            asked,
            on_this_thread: PhantomData,
        })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Waits until STATFS was asked for so many times in all; false if it was not
    /// within the time.
    pub fn wait_until_asked(&self, times: usize, within: Duration) -> bool {
        let count = self.asked.count.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.asked.changed.wait_timeout_while(count, within, |n| *n < times);
        !outcome.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// From now on STATFS is answered, to those also who hang already. Fails if
    /// the watchdog has ended the file system.
    pub fn answer(&self) -> io::Result<()> {
        self.control.as_ref().map_or(Ok(()), |mut control| control.write_all(b"a"))
    }
}

impl Drop for HangingMount {
    fn drop(&mut self) {
        // The server closes the device, which ends the connection and all calls.
        self.control = None;
        if let Some(server) = self.server.take() {
            server.join().ok();
        }
        if let Ok(folder) = CString::new(self.folder.as_os_str().as_bytes()) {
            // SAFETY: `folder` ends with a NUL.
            unsafe { libc::umount2(folder.as_ptr(), libc::MNT_DETACH) };
        }
        fs::remove_dir(&self.folder).ok();
    }
}

/// The other side of the mount.
struct Server {
    device: File,
    orders: UnixStream,
    /// The numbers of the STATFS that are not answered.
    held: Vec<u64>,
    answers: bool,
}

impl Server {
    fn run(mut self, asked: &Asked) {
        let deadline = Instant::now() + WATCHDOG;
        let mut request = vec![0; REQUEST_BYTES];
        while self.wait(deadline) {
            match self.device.read(&mut request) {
                Ok(length) => self.serve(request.get(..length).unwrap_or_default(), asked),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // ENOENT: the asker has gone away meanwhile.
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
                Err(_) => return,
            }
        }
    }

    /// Waits for a request; obeys orders meanwhile. False at the end.
    fn wait(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut both = [entry(self.device.as_raw_fd()), entry(self.orders.as_raw_fd())];
        let milliseconds = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: two valid entries, whose descriptors are open.
        unsafe { libc::poll(both.as_mut_ptr(), 2, milliseconds) };
        if both[1].revents != 0 {
            let mut order = [0];
            if !matches!(self.orders.read(&mut order), Ok(1)) {
                return false;
            }
            self.answers = true;
            for number in std::mem::take(&mut self.held) {
                self.reply(number, 0, &statfs());
            }
        }
        !left.is_zero()
    }

    fn serve(&mut self, request: &[u8], asked: &Asked) {
        let Some(head) = request.get(..HEAD_BYTES) else { return };
        let operation = u32::from_ne_bytes([head[4], head[5], head[6], head[7]]);
        let mut number = [0; 8];
        number.copy_from_slice(&head[8..16]);
        let number = u64::from_ne_bytes(number);
        match operation {
            INIT => self.reply(number, 0, &init()),
            GETATTR => self.reply(number, 0, &attributes_of_root()),
            ACCESS => self.reply(number, 0, &[]),
            LOOKUP => self.reply(number, libc::ENOENT, &[]),
            STATFS => {
                *asked.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                asked.changed.notify_all();
                if self.answers {
                    self.reply(number, 0, &statfs());
                } else {
                    self.held.push(number);
                }
            }
            // These want no answer.
            FORGET | BATCH_FORGET | INTERRUPT => {}
            _ => self.reply(number, libc::ENOSYS, &[]),
        }
    }

    fn reply(&mut self, number: u64, error: i32, body: &[u8]) {
        let length = u32::try_from(16 + body.len()).unwrap_or(u32::MAX);
        let mut reply = Vec::with_capacity(16 + body.len());
        reply.extend(length.to_ne_bytes());
        reply.extend((-error).to_ne_bytes());
        reply.extend(number.to_ne_bytes());
        reply.extend(body);
        // Where the asker has gone there is nobody to tell.
        self.device.write_all(&reply).ok();
    }
}

/// `struct fuse_init_out`.
fn init() -> Vec<u8> {
    let mut body = words(&[VERSION.0, VERSION.1, 0, 0, 0, 4096, 1]);
    body.resize(64, 0);
    body
}

/// `struct fuse_attr_out` of a folder that anyone may enter.
fn attributes_of_root() -> Vec<u8> {
    let mut body = longs(&[1, 0, 1, 4096, 8, 0, 0, 0]);
    body.extend(words(&[0, 0, 0, libc::S_IFDIR | 0o755, 2, 0, 0, 0, 4096, 0]));
    body
}

/// `struct fuse_statfs_out`: 1,000 blocks, 600 free, 500 for users.
fn statfs() -> Vec<u8> {
    let mut body = longs(&[1000, 600, 500, 10, 10]);
    body.extend(words(&[4096, 255, 4096, 0, 0, 0, 0, 0, 0, 0]));
    body
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn longs(longs: &[u64]) -> Vec<u8> {
    longs.iter().flat_map(|long| long.to_ne_bytes()).collect()
}

/// Gives the calling thread, and what it starts from now on, its own table of
/// mounts, out of which nothing spreads.
fn own_namespace() -> io::Result<()> {
    // SAFETY: unshare takes no memory.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
        return Err(io::Error::last_os_error());
    }
    mount(c"none", Path::new("/"), c"none", libc::MS_REC | libc::MS_PRIVATE, "")
}

fn mount(
    source: &CStr,
    target: &Path,
    fstype: &CStr,
    flags: libc::c_ulong,
    options: &str,
) -> io::Result<()> {
    let target = CString::new(target.as_os_str().as_bytes())?;
    let options = CString::new(options)?;
    // SAFETY: all texts end with a NUL and outlive the call.
    let outcome = unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            fstype.as_ptr(),
            flags,
            options.as_ptr().cast(),
        )
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

//! A file of real blocks: `posix_fallocate(3)`, or zeros where the file system has
//! no such thing.

#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// For the owner to write, for the group to read.
const FILE_MODE: u32 = 0o640;

/// The file of the reserve, and how many bytes of it are real.
pub(super) fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut options = File::options();
    let file = options.create(true).truncate(false).write(true).mode(FILE_MODE).open(path)?;
    let metadata = file.metadata()?;
    // Blocks of stat(2) have 512 bytes. A copy may have holes, which reserve nothing.
    if metadata.blocks() * 512 < metadata.len() {
        file.set_len(0)?;
        return Ok((file, 0));
    }
    Ok((file, metadata.len()))
}

/// Takes real blocks for so many bytes past those that the file has.
pub(super) fn take(mut file: &File, have: u64, more: u64) -> io::Result<()> {
    let length = |bytes: u64| libc::off_t::try_from(bytes).map_err(io::Error::other);
    // SAFETY: a call on a descriptor that is open as long as `file` is borrowed.
    let failed = unsafe { libc::posix_fallocate(file.as_raw_fd(), length(have)?, length(more)?) };
    match failed {
        0 => Ok(()),
        libc::EOPNOTSUPP | libc::EINVAL | libc::ENOSYS => {
            io::Seek::seek(&mut file, io::SeekFrom::Start(have))?;
            io::copy(&mut io::repeat(0).take(more), &mut file)?;
            file.sync_data()
        }
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

//! A disk that turns read-only under its users, as ext4 does when it has found an
//! error. Needs root, loop devices and the tools of ext4.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::mount_namespace::unmount;
use crate::small_disk::{FILLING, fill_up};
use crate::{PATIENCE, binary_of_system, finish};

/// An ext4 file system in a file, mounted; unmounted when this value goes.
#[derive(Debug)]
pub struct WornDisk {
    image: PathBuf,
    path: PathBuf,
}

impl WornDisk {
    /// Makes it, and mounts it at a folder, which is made. An error tells what this
    /// machine lacks for it.
    pub fn mount(image: &Path, path: &Path, bytes: u64) -> Result<Self, String> {
        let wrong = |error: io::Error| format!("{}: {error}", image.display());
        fs::File::create(image).and_then(|file| file.set_len(bytes)).map_err(wrong)?;
        fs::create_dir_all(path).map_err(wrong)?;
        run("mkfs.ext4", &["-q", "-F", &image.display().to_string()])?;
        let disk = Self { image: image.to_owned(), path: path.to_owned() };
        disk.mount_it()?;
        let trigger = disk.trigger();
        if trigger.is_none() {
            return Err("no trigger_fs_error in /sys/fs/ext4".to_owned());
        }
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fills what is free with a file.
    pub fn fill(&self) {
        fill_up(&self.path);
    }

    /// Takes the filling away, for good: of a removal that is in no journal yet the next
    /// error of the file system would make nothing.
    pub fn empty(&self) {
        let _ = fs::remove_file(self.path.join(FILLING));
        let _ = fs::File::open(&self.path).and_then(|folder| folder.sync_all());
    }

    /// From now on it can only be read.
    pub fn turn_read_only(&self) {
        let trigger = self.trigger().expect("it is mounted");
        fs::write(trigger, "1").expect("an error of the file system");
    }

    /// Checks it and mounts it anew. Nobody may have a file of it open.
    pub fn mend(&self) -> Result<(), String> {
        // Who was killed may be letting go of it yet.
        let deadline = Instant::now() + PATIENCE;
        while let Err(refused) = run("umount", &[&self.path.display().to_string()]) {
            if Instant::now() >= deadline {
                return Err(refused);
            }
        }
        // 1 is for errors that were mended.
        let checked = tool("e2fsck", &["-f", "-y", &self.image.display().to_string()])?;
        if checked.code > 1 {
            return Err(format!("e2fsck: {checked:?}"));
        }
        self.mount_it()
    }

    fn mount_it(&self) -> Result<(), String> {
        let (image, path) = (self.image.display().to_string(), self.path.display().to_string());
        run("mount", &["-o", "loop,errors=remount-ro", &image, &path])
    }

    /// The file that causes an error.
    fn trigger(&self) -> Option<PathBuf> {
        let mounts = fs::read_to_string("/proc/thread-self/mounts").ok()?;
        let place = self.path.display().to_string();
        let line = mounts.lines().rfind(|line| line.split(' ').nth(1) == Some(&place))?;
        let device = Path::new(line.split(' ').next()?).file_name()?;
        let trigger = Path::new("/sys/fs/ext4").join(device).join("trigger_fs_error");
        trigger.exists().then_some(trigger)
    }
}

impl Drop for WornDisk {
    fn drop(&mut self) {
        unmount(&self.path);
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let done = tool(program, arguments)?;
    if done.code == 0 { Ok(()) } else { Err(format!("{program} {arguments:?}: {}", done.stderr)) }
}

#[expect(clippy::disallowed_methods, reason = "tests start what they need")]
fn tool(program: &str, arguments: &[&str]) -> Result<crate::Finished, String> {
    let path = std::panic::catch_unwind(|| binary_of_system(program));
    let path = path.map_err(|_| format!("{program} is not installed"))?;
    Ok(finish(Command::new(path).args(arguments)))
}

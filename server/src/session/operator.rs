//! Who may read the data folder may do anything with it: `pattoo_cli` shows that
//! it may with a key that the server writes there at each start.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::table::secret;

/// The file, within the data folder.
const FILE: &str = "operator.key";
/// For nobody but the user that the server runs as.
const MODE: u32 = 0o600;
/// Characters of a key.
const KEY_CHARS: u64 = 64;

/// The digest of the key.
pub struct OperatorKey([u8; 32]);

impl OperatorKey {
    /// Makes a new key, and writes it to the data folder.
    pub fn write(folder: &Path) -> io::Result<Self> {
        let key = secret()?;
        let temporary = folder.join(format!(".{FILE}.tmp"));
        // One that a server left behind may have other rights.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(MODE).open(&temporary)?;
        file.write_all(key.as_bytes())?;
        // Nothing is lost with it: the next start makes another.
        fs::rename(&temporary, folder.join(FILE))?;
        Ok(Self(digest(&key)))
    }

    /// Whether it is this one.
    pub fn is(&self, shown: &str) -> bool {
        // Digests differ in no way that a guess could follow.
        self.0 == digest(shown)
    }
}

/// The key in a data folder; none if there is none that may be read.
pub fn read(folder: &Path) -> Option<String> {
    let file = fs::File::open(folder.join(FILE)).ok()?;
    let mut key = String::new();
    file.take(KEY_CHARS + 1).read_to_string(&mut key).ok()?;
    (key.len() as u64 == KEY_CHARS).then_some(key)
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

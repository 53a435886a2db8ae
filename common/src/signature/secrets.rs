//! The file with the secrets: a line each, `<id> <secret>`. The first one signs,
//! each of them verifies, so that they can be exchanged without a gap.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The largest file, in bytes.
pub const MAX_FILE_BYTES: u64 = 16 << 10;
/// Secrets in one file.
pub const MAX_SECRETS: usize = 16;
/// The shortest secret, in bytes of its text.
pub const MIN_SECRET_BYTES: usize = 16;
/// The longest secret.
const MAX_SECRET_BYTES: usize = 256;
/// The longest id.
const MAX_ID_BYTES: usize = 64;
/// The bits of a file's mode for everybody who is neither its owner nor of its
/// group.
const WORLD: u32 = 0o007;

/// A secret and the name by which messages tell it from others.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    id: String,
    text: String,
}

/// All secrets of one file; never none.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    path: PathBuf,
    list: Vec<Secret>,
}

impl Secret {
    /// Its name: the `keyid` of signatures.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key of the signature: the text of the secret as it stands in the file.
    pub(super) fn key(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// What the file says is shown to nobody.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secrets").field(&self.path).field(&self.list).finish()
    }
}

/// For `--check`: the file, and what is in it, but for the secrets.
impl fmt::Display for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, list } = self;
        write!(f, "{} (signs with {:?}", path.display(), self.first().id)?;
        for (number, secret) in list[1..].iter().enumerate() {
            let before = if number == 0 { "; takes " } else { ", " };
            write!(f, "{before}{:?}", secret.id)?;
        }
        f.write_str(if list.len() > 1 { " too)" } else { ")" })
    }
}

impl Secrets {
    /// Reads a file. The error says what is wrong with it, and never what it holds.
    pub fn read(path: &Path) -> Result<Self, String> {
        let fault = |reason: String| format!("{}: {reason}", path.display());
        // A pipe without a writer would hold the open.
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)
            .map_err(|error| fault(format!("cannot be read: {error}")))?;
        // Of what was opened, not of what the name may stand for by now.
        let metadata = file.metadata().map_err(|error| fault(error.to_string()))?;
        if !metadata.is_file() {
            return Err(fault("is no regular file".to_owned()));
        }
        let mode = metadata.permissions().mode();
        if mode & WORLD != 0 {
            return Err(fault(format!(
                "its mode is {:04o}: everybody on this machine has a way to it; chmod 0640, or \
                 0600, keeps it secret",
                mode & 0o7777
            )));
        }
        let mut text = String::new();
        let limit = MAX_FILE_BYTES + 1;
        file.by_ref()
            .take(limit)
            .read_to_string(&mut text)
            .map_err(|error| fault(format!("cannot be read: {error}")))?;
        if text.len() as u64 == limit {
            return Err(fault(format!("is larger than {MAX_FILE_BYTES} bytes")));
        }
        let list = parse(&text).map_err(fault)?;
        Ok(Self { path: path.to_owned(), list })
    }

    /// Reads the same file anew.
    pub fn read_again(&self) -> Result<Self, String> {
        Self::read(&self.path)
    }

    /// Where they are from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The one that signs.
    pub fn first(&self) -> &Secret {
        &self.list[0] // `parse` gives no empty list
    }

    /// The one of this name.
    pub(super) fn of(&self, id: &str) -> Option<&Secret> {
        self.list.iter().find(|secret| secret.id == id)
    }
}

/// What stands in a file. Its text is in no error: it may be a secret in the wrong
/// place.
fn parse(text: &str) -> Result<Vec<Secret>, String> {
    let mut list: Vec<Secret> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |reason: &str| Err(format!("line {number}: {reason}"));
        let mut words = line.split_whitespace();
        let (Some(id), Some(secret), None) = (words.next(), words.next(), words.next()) else {
            return wrong("wanted an id and a secret, with a space between them");
        };
        let may_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if id.len() > MAX_ID_BYTES || !id.bytes().all(may_name) {
            return wrong(
                "the id, its first word, is of at most 64 letters, digits, '.', '_', '-'",
            );
        }
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("the secret, its second word, is of visible ASCII characters");
        }
        if !(MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&secret.len()) {
            return wrong(&format!(
                "the secret has {} characters, {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} are wanted; \
                 `openssl rand -hex 32` makes a good one",
                secret.len()
            ));
        }
        if list.iter().any(|known| known.id == id) {
            return wrong("another secret has this id already");
        }
        if list.len() == MAX_SECRETS {
            return wrong(&format!("more than {MAX_SECRETS} secrets"));
        }
        list.push(Secret { id: id.to_owned(), text: secret.to_owned() });
    }
    if list.is_empty() {
        return Err("no secret is in it; wanted a line such as `site1 <secret>`, with what \
                    `openssl rand -hex 32` prints for <secret>"
            .to_owned());
    }
    Ok(list)
}

#[cfg(any(test, fuzzing))]
#[allow(clippy::unwrap_used, reason = "only for tests and the fuzzer")]
pub(super) fn secrets(lines: &[(&str, &str)]) -> Secrets {
    let lines: Vec<_> = lines.iter().map(|(id, secret)| format!("{id} {secret}")).collect();
    Secrets { path: PathBuf::from("/secret"), list: parse(&lines.join("\n")).unwrap() }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::test_folder::TestFolder;

    const SECRET: &str = "0123456789abcdef";

    fn file(text: &str, mode: u32) -> (TestFolder, PathBuf) {
        let folder = TestFolder::new();
        let path = folder.path().join("secret");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn the_first_signs_and_comments_are_left_out() {
        let text = format!("# ours\n\n  new-1  {SECRET}x \n#old {SECRET}\nold.1\t{SECRET}\r\n");
        let (_folder, path) = file(&text, 0o640);
        let secrets = Secrets::read(&path).unwrap();
        assert_eq!(
            (secrets.first().id(), secrets.first().key()),
            ("new-1", &b"0123456789abcdefx"[..])
        );
        assert_eq!(secrets.of("old.1").unwrap().key(), SECRET.as_bytes());
        assert!(secrets.of("old").is_none() && secrets.of("").is_none());
        let shown = format!("{secrets} {secrets:?}");
        assert!(shown.contains("signs with \"new-1\"; takes \"old.1\" too)"), "{shown}");
        assert!(!shown.contains(SECRET), "{shown}");
        assert_eq!(secrets.read_again().unwrap(), secrets);
    }

    #[test]
    fn what_everybody_can_reach_is_no_secret() {
        for (mode, fits) in [
            (0o600, true),
            (0o440, true),
            (0o660, true),
            (0o644, false),
            (0o602, false),
            (0o601, false),
        ] {
            let (_folder, path) = file(&format!("a {SECRET}\n"), mode);
            let read = Secrets::read(&path);
            assert_eq!(read.is_ok(), fits, "{mode:o}: {read:?}");
            if let Err(reason) = read {
                assert!(reason.contains(&format!("its mode is {mode:04o}")), "{reason}");
            }
        }
    }

    #[test]
    fn only_a_file_of_some_size_is_read() {
        let folder = TestFolder::new();
        assert!(Secrets::read(folder.path()).unwrap_err().contains("regular file"));
        assert!(Secrets::read(&folder.path().join("none")).unwrap_err().contains("cannot be read"));
        let long = "#".repeat(usize::try_from(MAX_FILE_BYTES).unwrap());
        let (_folder, path) = file(&format!("{long}\na {SECRET}\n"), 0o600);
        assert!(Secrets::read(&path).unwrap_err().contains("is larger than"));
        let pipe = folder.path().join("pipe");
        let name = std::ffi::CString::new(pipe.to_str().unwrap()).unwrap();
        #[expect(unsafe_code, reason = "std makes no pipes with a name")]
        // SAFETY: the name is a C string that lives until the call returns.
        let made = unsafe { libc::mkfifo(name.as_ptr(), 0o600) };
        assert_eq!(made, 0);
        assert!(Secrets::read(&pipe).unwrap_err().contains("regular file"));
    }

    #[test]
    fn a_line_that_is_wrong_is_named_and_not_shown() {
        let long = "x".repeat(257);
        let many: Vec<_> = (0..17).map(|id| format!("{id} {SECRET}")).collect();
        for (text, wanted) in [
            (String::new(), "no secret is in it"),
            ("# nothing\n".to_owned(), "no secret is in it"),
            (SECRET.to_owned(), "line 1: wanted an id and a secret"),
            (format!("a {SECRET} b"), "line 1: wanted an id and a secret"),
            (format!("\na {SECRET}\na {SECRET}y"), "line 3: another secret has this id"),
            (format!("a\"b {SECRET}"), "line 1: the id"),
            (format!("{} {SECRET}", "i".repeat(65)), "line 1: the id"),
            ("a 0123456789abcde".to_owned(), "line 1: the secret has 15 characters"),
            (format!("a {long}"), "line 1: the secret has 257 characters"),
            ("a 0123456789äbcdef".to_owned(), "line 1: the secret, its second word"),
            (many.join("\n"), "line 17: more than 16"),
        ] {
            let reason = parse(&text).unwrap_err();
            assert!(reason.starts_with(wanted), "{text:?}: {reason}");
            assert!(!reason.contains(SECRET) && !reason.contains("0123456789"), "{reason}");
        }
    }
}

//! Passwords: kept as argon2id hashes with a salt each, never readable.

use std::fs::File;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};

/// Bytes of a password.
pub const MAX_PASSWORD_BYTES: usize = 1024;
const SALT_BYTES: usize = 16;

/// One hash takes 19 MiB of memory for some 30 ms: one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The hash of a password, as a text that names its parameters and its salt.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    if password.is_empty() || password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::Length(password.len()));
    }
    let salt = salt().map_err(PasswordError::Salt)?;
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let hash: Result<PasswordHash, _> =
        Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hash(error.to_string()))
}

/// Whether it is this password. Where there is no hash (no such user), it takes
/// as long as where there is one, so that the time tells nobody who is known.
pub fn is_right(password: &str, hash: Option<&str>) -> bool {
    if password.is_empty() || password.len() > MAX_PASSWORD_BYTES {
        return false;
    }
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let argon2 = Argon2::default();
    if let Some(hash) = hash.and_then(|hash| PasswordHash::new(hash).ok()) {
        argon2.verify_password(password.as_bytes(), &hash).is_ok()
    } else {
        let spent: Result<PasswordHash, _> =
            argon2.hash_password_with_salt(password.as_bytes(), &[0; SALT_BYTES]);
        drop(spent);
        false
    }
}

/// Why a password was not taken.
#[derive(Debug)]
pub enum PasswordError {
    /// It has so many bytes: none, or too many.
    Length(usize),
    /// The kernel gave no random bytes.
    Salt(io::Error),
    /// The hash failed.
    Hash(String),
}

impl std::fmt::Display for PasswordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length(found) => {
                write!(f, "the password has {found} bytes, 1 to {MAX_PASSWORD_BYTES} are wanted")
            }
            Self::Salt(error) => write!(f, "/dev/urandom: no salt for the password: {error}"),
            Self::Hash(reason) => write!(f, "the password could not be hashed: {reason}"),
        }
    }
}

impl std::error::Error for PasswordError {}

fn salt() -> io::Result<[u8; SALT_BYTES]> {
    let mut salt = [0; SALT_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut salt)?;
    Ok(salt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_is_right() {
        let first = hash("123456").unwrap();
        assert!(first.starts_with("$argon2id$"), "{first}");
        assert!(!first.contains("123456"));
        assert_ne!(hash("123456").unwrap(), first, "each has its own salt");
        assert!(is_right("123456", Some(&first)));
        assert!(!is_right("1234567", Some(&first)));
        assert!(!is_right("", Some(&first)));
        for no_hash in [None, Some(""), Some("123456"), Some("$argon2id$v=19$m=1")] {
            assert!(!is_right("123456", no_hash));
        }
    }

    #[test]
    fn length_is_bounded() {
        assert!(matches!(hash(""), Err(PasswordError::Length(0))));
        assert!(matches!(hash(&"x".repeat(1025)), Err(PasswordError::Length(1025))));
    }
}

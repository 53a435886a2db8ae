//! The sessions of those who are signed in, in memory: a restart ends them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// Sessions that are kept; past it the one that nobody used for longest ends.
const MAX_SESSIONS: usize = 1_000;
/// A session ends when nobody used it for so long ...
const IDLE: Duration = Duration::from_hours(12);
/// ... and when it is so old.
pub(super) const LONGEST: Duration = Duration::from_hours(7 * 24);
/// Bytes of a session's secret.
const SECRET_BYTES: usize = 32;

/// Who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignedIn {
    /// The number of the user.
    pub(super) user: i64,
    /// When the user was last changed: a new password ends what an old one began.
    pub(super) changed_ms: i64,
}

struct Session {
    who: SignedIn,
    began: Instant,
    used: Instant,
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        now >= self.used + IDLE || now >= self.began + LONGEST
    }
}

/// The sessions, by the digests of their secrets: how long a look-up takes tells
/// nothing of a secret.
#[derive(Default)]
pub(super) struct Table(Mutex<HashMap<[u8; 32], Session>>);

impl Table {
    /// Begins a session; its secret, in hex.
    pub(super) fn begin(&self, who: SignedIn, now: Instant) -> io::Result<String> {
        let secret = secret()?;
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MAX_SESSIONS {
            sessions.retain(|_, session| !session.is_over(now));
        }
        if sessions.len() >= MAX_SESSIONS
            && let Some(oldest) =
                sessions.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| *key)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(key(&secret), Session { who, began: now, used: now });
        Ok(secret)
    }

    /// Whose session it is, if it is one; and it was used.
    pub(super) fn find(&self, secret: &str, now: Instant) -> Option<SignedIn> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(secret);
        let session = sessions.get_mut(&key)?;
        if session.is_over(now) {
            sessions.remove(&key);
            return None;
        }
        session.used = now;
        Some(session.who)
    }

    /// Ends a session.
    pub(super) fn end(&self, secret: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(secret));
    }
}

fn key(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// A secret that nobody can guess: 256 bits of the kernel's, in hex.
pub(super) fn secret() -> io::Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: SignedIn = SignedIn { user: 1, changed_ms: 5 };

    #[test]
    fn sessions_end_when_they_are_idle_or_old_or_ended() {
        let (table, start) = (Table::default(), Instant::now());
        let secret = table.begin(WHO, start).unwrap();
        assert_eq!(secret.len(), 64);
        assert_eq!(table.find(&secret, start), Some(WHO));
        assert_eq!(table.find("", start), None);
        assert_eq!(table.find(&secret[1..], start), None);
        let mut now = start;
        while now + IDLE / 2 < start + LONGEST {
            now += IDLE / 2;
            assert_eq!(table.find(&secret, now), Some(WHO), "it is in use");
        }
        assert_eq!(table.find(&secret, start + LONGEST), None, "it is old");

        let idle = table.begin(WHO, start).unwrap();
        assert_eq!(table.find(&idle, start + IDLE), None);
        let ended = table.begin(WHO, start).unwrap();
        table.end(&ended);
        assert_eq!(table.find(&ended, start), None);
    }

    #[test]
    fn there_are_only_so_many() {
        let (table, start) = (Table::default(), Instant::now());
        let first = table.begin(WHO, start).unwrap();
        let second = table.begin(WHO, start).unwrap();
        let now = start + Duration::from_secs(1);
        assert!(table.find(&first, now).is_some());
        for _ in 2..=MAX_SESSIONS {
            table.begin(WHO, now).unwrap();
        }
        assert_eq!(table.find(&second, now), None, "nobody used it for longest");
        assert!(table.find(&first, now).is_some());
    }
}

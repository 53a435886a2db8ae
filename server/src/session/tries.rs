//! How often a password may be tried, for each user name and from each address.
//! The table has a fixed number of places: names that share one by chance share
//! its tries, and no number of strangers makes it grow.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Places of the table.
const PLACES: usize = 4_096;
/// Tries that are free after a quiet while.
const FREE: u32 = 10;
/// Then one so often for a user name ...
const NAME_PAUSE: Duration = Duration::from_secs(10);
/// ... and from an address.
const ADDRESS_PAUSE: Duration = Duration::from_secs(5);

/// What was tried of late.
pub struct Tries {
    hasher: RandomState,
    /// When a place would be as if nothing had been tried.
    quiet_at: Mutex<Vec<Option<Instant>>>,
}

impl Default for Tries {
    fn default() -> Self {
        Self { hasher: RandomState::new(), quiet_at: Mutex::new(vec![None; PLACES]) }
    }
}

impl Tries {
    /// Takes a try for a user name from an address; how long to wait, if there is
    /// none left.
    pub fn take(&self, username: &str, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let keys = self.keys(username, address);
        let mut quiet_at = self.quiet_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wait = Duration::ZERO;
        for (place, pause) in keys {
            let until = quiet_at.get(place).copied().flatten().unwrap_or(now);
            let owed = until.saturating_duration_since(now) + pause;
            wait = wait.max(owed.saturating_sub(pause * FREE));
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        for (place, pause) in keys {
            if let Some(until) = quiet_at.get_mut(place) {
                *until = Some(until.unwrap_or(now).max(now) + pause);
            }
        }
        Ok(())
    }

    /// Gives the try back: it was the right password.
    pub fn give_back(&self, username: &str, address: IpAddr) {
        let keys = self.keys(username, address);
        let mut quiet_at = self.quiet_at.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, pause) in keys {
            if let Some(Some(until)) = quiet_at.get_mut(place)
                && let Some(earlier) = until.checked_sub(pause)
            {
                *until = earlier;
            }
        }
    }

    fn keys(&self, username: &str, address: IpAddr) -> [(usize, Duration); 2] {
        [(self.place(&(0, username)), NAME_PAUSE), (self.place(&(1, site(address))), ADDRESS_PAUSE)]
    }

    fn place(&self, key: &impl Hash) -> usize {
        usize::try_from(self.hasher.hash_one(key) % PLACES as u64).unwrap_or(0)
    }
}

/// Who has one IPv6 address mostly has a /64 of them.
fn site(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) if six.to_ipv4_mapped().is_none() => {
            IpAddr::V6((six.to_bits() & (u128::MAX << 64)).into())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn address(number: u8) -> IpAddr {
        IpAddr::V4([10, 0, 1, number].into())
    }

    /// A user name whose place is not that of any of the addresses here.
    fn name(tries: &Tries, start: &str) -> String {
        let taken: Vec<usize> =
            (0..=255).map(address).chain([HOME]).map(|at| tries.place(&(1, site(at)))).collect();
        let mut names = (0..).map(|number| format!("{start}{number}"));
        names.find(|name| !taken.contains(&tries.place(&(0, name.as_str())))).unwrap()
    }

    #[test]
    fn past_the_free_ones_tries_come_one_by_one() {
        let (tries, start) = (Tries::default(), Instant::now());
        let user = name(&tries, "user");
        for _ in 0..FREE {
            assert_eq!(tries.take(&user, HOME, start), Ok(()));
        }
        let wait = tries.take(&user, HOME, start).unwrap_err();
        assert_eq!(wait, NAME_PAUSE);
        // Another address does not help, and waiting does.
        assert!(tries.take(&user, address(2), start).is_err());
        assert_eq!(tries.take(&user, HOME, start + wait), Ok(()));
        assert!(tries.take(&user, HOME, start + wait).is_err());
    }

    #[test]
    fn an_address_cannot_try_every_name() {
        let (tries, start) = (Tries::default(), Instant::now());
        let took = (0..100).filter(|n| tries.take(&format!("u{n}"), HOME, start).is_ok()).count();
        assert!(took <= FREE as usize, "{took}");
        // Names share places by chance, but not all with one another.
        let other = name(&tries, "other");
        assert_eq!(tries.take(&other, address(3), start + NAME_PAUSE * FREE), Ok(()));
    }

    #[test]
    fn the_right_password_costs_no_try() {
        let (tries, start) = (Tries::default(), Instant::now());
        let user = name(&tries, "user");
        for _ in 0..100 {
            assert_eq!(tries.take(&user, HOME, start), Ok(()));
            tries.give_back(&user, HOME);
        }
    }

    #[test]
    fn addresses_of_one_site_are_one() {
        let parse = |text: &str| site(text.parse().unwrap());
        assert_eq!(parse("2001:db8::1"), parse("2001:db8::ffff:1"));
        assert_ne!(parse("2001:db8::1"), parse("2001:db8:0:1::1"));
        assert_ne!(parse("10.0.0.1"), parse("10.0.0.2"));
        assert_ne!(parse("::ffff:10.0.0.1"), parse("::ffff:10.0.0.2"));
    }
}

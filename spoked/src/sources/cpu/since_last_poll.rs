//! How the processors' time was shared out since the same client's last poll.

use crate::percent::percent;
use crate::source::Poll;

use super::stat::{COLUMNS, CpuTimes};

/// So many pairs of client and interval are remembered; past that the one goes
/// that has not asked for longest, and its next answer covers the time since the
/// start of the machine.
const CLIENTS: usize = 64;

/// The first of the two guest columns. They are part of user and nice already,
/// so they do not count to the total.
const GUEST: usize = 8;

/// What each client was told last. The client that asked last stands last.
#[derive(Default)]
pub(super) struct SinceLastPoll {
    clients: Vec<Client>,
}

struct Client {
    poll: Poll,
    times: CpuTimes,
    shares: Option<[f64; COLUMNS]>,
}

impl SinceLastPoll {
    /// The share of each column in percent; at the first poll since the start of
    /// the machine. Where no tick has passed since the last poll its answer still
    /// holds, and is given again. `None` if no tick was ever counted.
    pub(super) fn percent(&mut self, poll: Poll, now: CpuTimes) -> Option<[f64; COLUMNS]> {
        let known = self.clients.iter().position(|client| client.poll == poll);
        let mut client = match known {
            Some(index) => self.clients.remove(index),
            None => Client { poll, times: CpuTimes::NONE, shares: None },
        };
        client.shares = shares(&client.times, &now).or(client.shares);
        client.times = now;
        let shares = client.shares;
        if self.clients.len() >= CLIENTS {
            self.clients.remove(0);
        }
        self.clients.push(client);
        shares
    }
}

/// A column that fell back (iowait does, and counters of a moved container)
/// counts as unchanged, as in top(1).
fn shares(before: &CpuTimes, now: &CpuTimes) -> Option<[f64; COLUMNS]> {
    let mut passed = [0.0; COLUMNS];
    for ((passed, before), now) in passed.iter_mut().zip(before.ticks()).zip(now.ticks()) {
        *passed = now.saturating_sub(*before) as f64;
    }
    let total: f64 = passed[..GUEST].iter().sum();
    (total > 0.0).then(|| passed.map(|passed| percent(passed, total)))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::stat::times;
    use super::*;

    fn poll(client: u8, interval_s: u32) -> Poll {
        Poll { client: IpAddr::V4(Ipv4Addr::new(127, 0, 0, client)), interval_s }
    }

    /// User and idle of what was answered.
    fn user_idle(shares: Option<[f64; COLUMNS]>) -> Option<(f64, f64)> {
        shares.map(|shares| (shares[0], shares[3]))
    }

    #[test]
    fn the_first_answer_covers_the_time_since_the_start() {
        let mut polls = SinceLastPoll::default();
        let shares = polls.percent(poll(1, 300), times([100, 0, 0, 300]));
        assert_eq!(user_idle(shares), Some((25.0, 75.0)));
    }

    #[test]
    fn the_next_one_covers_the_time_since_then() {
        let mut polls = SinceLastPoll::default();
        polls.percent(poll(1, 300), times([100, 0, 0, 300]));
        let shares = polls.percent(poll(1, 300), times([190, 0, 0, 310]));
        assert_eq!(user_idle(shares), Some((90.0, 10.0)));
    }

    #[test]
    fn another_client_or_interval_does_not_shorten_it() {
        let mut polls = SinceLastPoll::default();
        polls.percent(poll(1, 300), times([100, 0, 0, 300]));
        polls.percent(poll(2, 300), times([190, 0, 0, 300]));
        polls.percent(poll(1, 0), times([190, 0, 0, 300]));
        let shares = polls.percent(poll(1, 300), times([190, 0, 0, 310]));
        assert_eq!(user_idle(shares), Some((90.0, 10.0)));
    }

    #[test]
    fn where_no_tick_has_passed_the_last_answer_holds() {
        let mut polls = SinceLastPoll::default();
        polls.percent(poll(1, 300), times([100, 0, 0, 300]));
        polls.percent(poll(1, 300), times([190, 0, 0, 310]));
        let shares = polls.percent(poll(1, 300), times([190, 0, 0, 310]));
        assert_eq!(user_idle(shares), Some((90.0, 10.0)));
        let shares = polls.percent(poll(1, 300), times([191, 0, 0, 313]));
        assert_eq!(user_idle(shares), Some((25.0, 75.0)));
    }

    #[test]
    fn nothing_is_said_of_processors_that_count_nothing() {
        let mut polls = SinceLastPoll::default();
        assert_eq!(polls.percent(poll(1, 300), times([0; 10])), None);
    }

    #[test]
    fn guests_are_part_of_user_and_nice() {
        let now = times([60, 20, 0, 20, 0, 0, 0, 0, 30, 10]);
        let shares = SinceLastPoll::default().percent(poll(1, 300), now);
        assert_eq!(shares, Some([60.0, 20.0, 0.0, 20.0, 0.0, 0.0, 0.0, 0.0, 30.0, 10.0]));
    }

    #[test]
    fn what_fell_back_counts_as_unchanged() {
        let mut polls = SinceLastPoll::default();
        polls.percent(poll(1, 300), times([100, 0, 0, 300, 50]));
        let shares = polls.percent(poll(1, 300), times([110, 0, 0, 330, 40]));
        assert_eq!(shares.map(|shares| shares[4]), Some(0.0));
        assert_eq!(user_idle(shares), Some((25.0, 75.0)));
    }

    #[test]
    fn figures_at_the_edge_do_not_overflow() {
        let shares = SinceLastPoll::default().percent(poll(1, 300), times([u64::MAX; 10]));
        assert_eq!(shares, Some([12.5, 12.5, 12.5, 12.5, 12.5, 12.5, 12.5, 12.5, 12.5, 12.5]));
    }

    #[test]
    fn the_client_that_has_not_asked_for_longest_is_forgotten_first() {
        let mut polls = SinceLastPoll::default();
        for client in 0..64 {
            polls.percent(poll(client, 300), times([100, 0, 0, 300]));
        }
        polls.percent(poll(0, 300), times([100, 0, 0, 300]));
        polls.percent(poll(64, 300), times([100, 0, 0, 300]));
        assert_eq!(polls.clients.len(), CLIENTS);
        let later = times([190, 0, 0, 310]);
        assert_eq!(user_idle(polls.percent(poll(0, 300), later)), Some((90.0, 10.0)));
        assert_eq!(user_idle(polls.percent(poll(1, 300), later)), Some((38.0, 62.0)));
    }
}

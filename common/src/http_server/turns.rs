//! Whose whole request is answered next. Peers take turns, so that one that asks a
//! thousand times at once waits for itself and not the others for it; of one peer
//! the first that came is the first that is answered.

use std::collections::VecDeque;

use super::peer::Peer;

#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The requests of each peer that has any, the first at the front; at the front of
    /// all the peer whose turn it is.
    waiting: VecDeque<(Peer, VecDeque<u64>)>,
    count: usize,
}

impl Turns {
    /// Of nobody: the room that a crowd took.
    pub(super) fn give_room_back(&mut self) {
        self.waiting.shrink_to_fit();
    }

    /// The request that is next.
    pub(super) fn next(&self) -> Option<u64> {
        self.waiting.front()?.1.front().copied()
    }

    /// How many requests wait.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many of them are this peer's.
    pub(super) fn count_of(&self, peer: Peer) -> usize {
        self.place(peer).map_or(0, |place| self.waiting[place].1.len())
    }

    fn place(&self, peer: Peer) -> Option<usize> {
        self.waiting.iter().position(|(known, _)| *known == peer)
    }

    /// The last request of the peer that has the most: who can best spare one. Of two
    /// that have as many it is the one whose turn is further away.
    pub(super) fn last_of_greediest(&self) -> Option<u64> {
        let all = self.waiting.iter().map(|(_, requests)| requests);
        all.max_by_key(|requests| requests.len())?.back().copied()
    }

    /// Puts a request behind those of the same peer.
    pub(super) fn add(&mut self, peer: Peer, number: u64) {
        match self.place(peer) {
            Some(place) => self.waiting[place].1.push_back(number),
            None => self.waiting.push_back((peer, VecDeque::from([number]))),
        }
        self.count += 1;
    }

    /// Takes a request out. If it was the next one, its peer's turn is over.
    pub(super) fn remove(&mut self, peer: Peer, number: u64) {
        let was_next = self.next() == Some(number);
        let Some(place) = self.place(peer) else { return };
        let requests = &mut self.waiting[place].1;
        let Some(request) = requests.iter().position(|&known| known == number) else { return };
        requests.remove(request);
        self.count -= 1;
        if requests.is_empty() {
            self.waiting.remove(place);
        } else if was_next {
            self.waiting.rotate_left(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::from(text.parse::<std::net::IpAddr>().unwrap())
    }

    fn drain(turns: &mut Turns, of: impl Fn(u64) -> Peer) -> Vec<u64> {
        std::iter::from_fn(|| {
            let number = turns.next()?;
            turns.remove(of(number), number);
            Some(number)
        })
        .collect()
    }

    #[test]
    fn peers_take_turns_and_each_is_answered_in_order() {
        let (a, b, c) = (peer("192.0.2.1"), peer("192.0.2.2"), peer("2001:db8::1"));
        let mut turns = Turns::default();
        (0..4).for_each(|number| turns.add(a, number));
        turns.add(b, 10);
        turns.add(c, 20);
        turns.add(b, 11);
        let of = |number| {
            if number < 10 {
                a
            } else if number < 20 {
                b
            } else {
                c
            }
        };
        assert_eq!((turns.count(), turns.count_of(a), turns.count_of(b)), (7, 4, 2));
        assert_eq!(turns.last_of_greediest(), Some(3));
        assert_eq!(drain(&mut turns, of), [0, 10, 20, 1, 11, 2, 3]);
        assert_eq!(turns.last_of_greediest(), None);
        assert_eq!((turns.count(), turns.waiting.len()), (0, 0));
    }

    #[test]
    fn of_two_that_have_as_many_the_one_that_waits_longer_keeps_its_own() {
        for (first, second) in [("192.0.2.1", "192.0.2.2"), ("192.0.2.2", "192.0.2.1")] {
            let mut turns = Turns::default();
            turns.add(peer(first), 0);
            turns.add(peer(second), 1);
            assert_eq!(turns.last_of_greediest(), Some(1));
        }
    }

    #[test]
    fn one_that_goes_away_costs_nobody_a_turn() {
        let (a, b) = (peer("192.0.2.1"), peer("192.0.2.2"));
        let mut turns = Turns::default();
        (0..3).for_each(|number| turns.add(a, number));
        (10..12).for_each(|number| turns.add(b, number));
        turns.remove(a, 1);
        turns.remove(b, 7);
        turns.remove(peer("192.0.2.9"), 10);
        assert_eq!(turns.next(), Some(0));
        let of = |number| if number < 10 { a } else { b };
        assert_eq!(drain(&mut turns, of), [0, 10, 2, 11]);
    }
}

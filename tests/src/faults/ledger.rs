//! What a spoke has answered, number by number, and what became of it.

/// What is known of the poll with some number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It may have been taken or not: the hub did not read it to its end, or was
    /// killed before it could be known.
    Unsure,
    /// The hub has read all of it.
    Read,
    /// The hub that read it has asked again since, and so has taken it before.
    Taken,
    /// It was taken, and a fault has destroyed it since, or may have.
    Destroyed,
}

/// One answered poll.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    /// When: Unix time in milliseconds.
    pub timestamp_ms: u64,
    /// What became of it.
    pub fate: Fate,
}

/// All polls that a spoke has answered; the first has number 1.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    polls: Vec<Answered>,
}

impl Ledger {
    /// The polls, by number less 1.
    pub fn polls(&self) -> &[Answered] {
        &self.polls
    }

    /// The number of the last poll; 0 if there was none.
    pub fn last(&self) -> u64 {
        self.polls.len() as u64
    }

    /// The poll with this number.
    pub fn poll(&self, number: u64) -> Option<&Answered> {
        usize::try_from(number.checked_sub(1)?).ok().and_then(|place| self.polls.get(place))
    }

    /// The hub asks: it has taken what it had read before.
    pub fn asked(&mut self) {
        self.turn(Fate::Read, Fate::Taken, 1);
    }

    /// An answer is given; its number is returned.
    pub fn answer(&mut self, timestamp_ms: u64) -> u64 {
        self.polls.push(Answered { timestamp_ms, fate: Fate::Unsure });
        self.last()
    }

    /// The last answer was read to its end.
    pub fn read(&mut self) {
        if let Some(poll) = self.polls.last_mut() {
            poll.fate = Fate::Read;
        }
    }

    /// The hub is dead, and so is what it had in hand. What it had taken from
    /// `kept_in_memory_from` on was on no disk.
    pub fn hub_died(&mut self, kept_in_memory_from: Option<u64>) {
        self.turn(Fate::Read, Fate::Unsure, 1);
        if let Some(first) = kept_in_memory_from {
            self.turn(Fate::Taken, Fate::Unsure, first);
        }
    }

    /// The file with this poll was damaged.
    pub fn destroyed(&mut self, number: u64) {
        let place = number.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        if let Some(poll) = place.and_then(|place| self.polls.get_mut(place)) {
            poll.fate = Fate::Destroyed;
        }
    }

    fn turn(&mut self, from: Fate, to: Fate, first: u64) {
        let before = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        for poll in self.polls.iter_mut().skip(before).filter(|poll| poll.fate == from) {
            poll.fate = to;
        }
    }
}

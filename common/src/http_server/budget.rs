//! The bytes that all clients of a server together may hold, in three purses, so
//! that heads that dribble in cannot take the room of answers, nor bodies that of
//! either.

use super::limits::{ANSWER_ROOM_BYTES, Limits};

/// Each answer that is smaller than the room set aside for it makes that room
/// smaller by this part of it.
const ROOM_DECAY: usize = 16;

/// Bytes held, by what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) heads: usize,
    pub(super) bodies: usize,
    pub(super) answers: usize,
}

#[derive(Debug)]
pub(super) struct Budget {
    limit: Held,
    /// Beside the limit of bodies, for the one that is read to its end.
    largest_body: usize,
    held: Held,
    answer_room: usize,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        let limit = Held {
            heads: limits.heads_held_bytes,
            bodies: limits.bodies_held_bytes,
            answers: limits.answers_held_bytes,
        };
        Self {
            limit,
            largest_body: limits.body_bytes,
            held: Held::default(),
            answer_room: ANSWER_ROOM_BYTES,
        }
    }

    /// Somebody who held `before` holds `after` now.
    pub(super) fn replace(&mut self, before: Held, after: Held) {
        let changed = |total: usize, before: usize, after| total.saturating_sub(before) + after;
        self.held.heads = changed(self.held.heads, before.heads, after.heads);
        self.held.bodies = changed(self.held.bodies, before.bodies, after.bodies);
        self.held.answers = changed(self.held.answers, before.answers, after.answers);
    }

    /// Whether more of a head may be read.
    pub(super) fn has_room_for_heads(&self) -> bool {
        self.held.heads < self.limit.heads
    }

    /// Whether more of any body may be read.
    pub(super) fn has_room_for_bodies(&self) -> bool {
        self.held.bodies < self.limit.bodies
    }

    /// Whether one body that misses so much may be read to its end.
    pub(super) fn has_room_to_end_body(&self, missing: usize) -> bool {
        self.held.bodies + missing <= self.limit.bodies + self.largest_body
    }

    /// Whether one more answer may be worked on; one always may.
    pub(super) fn has_room_for_answer(&self) -> bool {
        self.held.answers == 0 || self.held.answers + self.answer_room <= self.limit.answers
    }

    /// What to set aside for an answer that is not known yet: about the largest of
    /// late.
    pub(super) fn answer_room(&self) -> usize {
        self.answer_room
    }

    /// An answer of this size was given.
    pub(super) fn learn(&mut self, answer_bytes: usize) {
        let decayed = self.answer_room - self.answer_room / ROOM_DECAY;
        self.answer_room = answer_bytes.max(decayed).max(ANSWER_ROOM_BYTES);
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> Held {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_let_through_whatever_it_takes_and_the_next_must_fit() {
        let mut budget = Budget::new(&Limits::spoke());
        budget.learn(10 << 20);
        assert!(budget.has_room_for_answer());
        let one = Held { answers: budget.answer_room(), ..Held::default() };
        budget.replace(Held::default(), one);
        assert!(!budget.has_room_for_answer());
        budget.replace(one, Held::default());
        assert!(budget.has_room_for_answer());
        assert_eq!(budget.held(), Held::default());
    }

    #[test]
    fn one_body_can_always_be_read_to_its_end() {
        let limits = Limits::server();
        let mut budget = Budget::new(&limits);
        assert!(budget.has_room_for_bodies());
        let shared = Held { bodies: limits.bodies_held_bytes, ..Held::default() };
        budget.replace(Held::default(), shared);
        assert!(!budget.has_room_for_bodies());
        assert!(budget.has_room_to_end_body(limits.body_bytes));
        let one = Held { bodies: 1, ..Held::default() };
        budget.replace(Held::default(), one);
        assert!(!budget.has_room_to_end_body(limits.body_bytes));
    }

    #[test]
    fn the_purses_do_not_touch_each_other() {
        let mut budget = Budget::new(&Limits::server());
        budget.replace(Held::default(), Held { bodies: 1 << 30, ..Held::default() });
        assert!(budget.has_room_for_heads() && budget.has_room_for_answer());
        budget.replace(Held::default(), Held { heads: 1 << 30, ..Held::default() });
        assert!(!budget.has_room_for_heads() && budget.has_room_for_answer());
    }

    #[test]
    fn the_room_for_an_answer_follows_the_answers() {
        let mut budget = Budget::new(&Limits::spoke());
        assert_eq!(budget.answer_room(), ANSWER_ROOM_BYTES);
        budget.learn(3 << 20);
        assert_eq!(budget.answer_room(), 3 << 20);
        budget.learn(100);
        assert!(budget.answer_room() < 3 << 20);
        (0..100).for_each(|_| budget.learn(100));
        assert_eq!(budget.answer_room(), ANSWER_ROOM_BYTES);
    }
}

//! Who may go on, and who must go when room is short.

use std::time::Instant;

use super::Gate;
use crate::http_server::answer::Refusal;
use crate::http_server::budget::Held;
use crate::http_server::connection::{Connection, Stage};
use crate::http_server::crowd::Client;
use crate::http_server::limits::{PEER_SHARE, ROOM_PATIENCE};
use crate::http_server::tally::Event;
use crate::http_server::workers::Job;

/// Those that hold no whole request: the first to go.
pub(super) const UNFINISHED: &[Stage] =
    &[Stage::Lingering, Stage::Head, Stage::Body, Stage::HeldBack];
/// Who goes first when somebody must; of one rank the oldest of the peer that has most
/// clients here. After these whoever has
/// sent a whole request, and then the last one of the peer that has most of them waiting.
const RANKS: [&[Stage]; 2] = [UNFINISHED, &[Stage::Writing]];

/// A worker is free, and the first of the whole requests waits for room all the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoomWait {
    since: Instant,
    pub(super) until: Instant,
}

impl Gate {
    /// Who can best be spared of those that hold a head, or part of one, without a whole
    /// request.
    pub(super) fn sparest_with_head(&self, except: Option<u64>) -> Option<u64> {
        let holds =
            |client: &Client| UNFINISHED.contains(&client.stage()) && client.held().heads > 0;
        self.crowd.sparest(|number, client| Some(number) != except && holds(client))
    }

    /// Closes other unfinished heads until this one may read on: whether it may.
    pub(super) fn make_room_for_head(&mut self, number: u64, now: Instant) -> bool {
        while !self.crowd.budget.has_room_for_heads() {
            let Some(sparest) = self.sparest_with_head(Some(number)) else { return false };
            self.displace_one(sparest, now);
        }
        true
    }

    /// Whether more of this body may be read; if not, it is held back.
    pub(super) fn may_read_body(&mut self, number: u64, now: Instant) -> bool {
        let may = self.crowd.budget.has_room_for_bodies() || self.favourite == Some(number);
        if !may {
            self.crowd.step(number, Connection::hold_back);
            self.bodies_due.get_or_insert(now);
        }
        may
    }

    /// Where bodies are held back: closes those that take room and do not come on,
    /// and lets go on all, or if there is still no room, one to its end.
    pub(super) fn let_bodies_go_on(&mut self, now: Instant) {
        if self.bodies_due.is_none() {
            return;
        }
        while let Some(stalled) = self.crowd.oldest(|client| client.is_stalled(now)) {
            self.displace_one(stalled, now);
        }
        let is_held_back = |client: &Client| client.stage() == Stage::HeldBack;
        if self.crowd.budget.has_room_for_bodies() {
            self.favourite = None;
            self.bodies_due = None;
            while let Some(number) = self.crowd.oldest(is_held_back) {
                self.crowd.step(number, |client| client.let_go_on(now));
            }
            return;
        }
        self.bodies_due = Some(now + ROOM_PATIENCE);
        let favourite = self.favourite.and_then(|number| self.crowd.get(number));
        if favourite.is_some_and(|client| client.stage() == Stage::Body) {
            return;
        }
        // Who misses least is done first: so most are done soonest, and who announces
        // much and sends little waits for the others.
        let held_back = self.crowd.iter().filter(|(_, client)| is_held_back(client));
        let nearest = held_back.min_by_key(|(_, client)| client.missing_bytes());
        self.favourite = nearest
            .filter(|(_, client)| self.crowd.budget.has_room_to_end_body(client.missing_bytes()))
            .map(|(number, _)| number);
        if let Some(number) = self.favourite {
            self.crowd.step(number, |client| client.let_go_on(now));
        }
    }

    /// Refuses a whole request of a peer that has its share of the places waiting
    /// already: the others are for other peers.
    pub(super) fn refuse_past_share(&mut self, number: u64, now: Instant) {
        let Some(client) = self.crowd.get(number) else { return };
        let share = (self.limits.connections / PEER_SHARE).max(1);
        if client.stage() == Stage::Whole
            && self.crowd.whole_count_of(client.peer().ip().into()) > share
        {
            self.step(number, now, |client, now, limits| {
                let reason = "too many requests of this address wait already";
                Some(client.refuse(Refusal::new(503, reason), now, limits))
            });
        }
    }

    /// Hands whole requests to free workers.
    pub(super) fn dispatch(&mut self, now: Instant) {
        while self.working.len() < self.limits.workers
            && let Some(number) = self.crowd.next_whole()
        {
            if !self.may_answer_one_more(now) {
                return;
            }
            self.hand_over(number);
        }
        self.room_wait = None;
    }

    /// Whether there is room for one more answer. If not, those that have not taken
    /// theirs are closed after a while, the sooner the more are waiting. If only
    /// workers hold room, they are waited for unless they hang.
    fn may_answer_one_more(&mut self, now: Instant) -> bool {
        while !self.crowd.budget.has_room_for_answer() {
            let since = self.room_wait.map_or(now, |wait| wait.since);
            let slow = self.crowd.oldest(|client| client.stage() == Stage::Writing);
            let waiting = u32::try_from(self.crowd.whole_count().max(1)).unwrap_or(u32::MAX);
            let patience = ROOM_PATIENCE / if slow.is_some() { waiting } else { 1 };
            if now < since + patience {
                self.room_wait = Some(RoomWait { since, until: since + patience });
                return false;
            }
            let Some(slow) = slow else { break };
            self.displace_one(slow, now);
        }
        self.room_wait = None;
        true
    }

    fn hand_over(&mut self, number: u64) {
        let Some(held) = self.crowd.get(number).map(Connection::held) else { return };
        let taken = self.crowd.step(number, Connection::take_request).flatten();
        let Some((request, without_body)) = taken else { return };
        let held = Held { answers: self.crowd.budget.answer_room(), ..held };
        self.crowd.budget.replace(Held::default(), held);
        self.working.push((number, held));
        self.workers.give(Job { connection: number, request, without_body });
    }

    /// Closes the client of these stages that can best be spared: whether there was one.
    pub(super) fn displace(&mut self, stages: &[Stage], now: Instant) -> bool {
        let sparest = self.crowd.sparest(|_, client| stages.contains(&client.stage()));
        sparest.is_some_and(|sparest| {
            self.displace_one(sparest, now);
            true
        })
    }

    fn displace_one(&mut self, number: u64, now: Instant) {
        if let Some(client) = self.crowd.get(number)
            && client.stage() != Stage::Lingering
        {
            self.tally.note(Event::Displaced, now, client.peer());
        }
        self.close(number);
    }

    /// Whether there is anyone to close if a new client comes.
    pub(super) fn can_displace_anyone(&self) -> bool {
        let is_in_ranks =
            |client: &Client| RANKS.iter().any(|stages| stages.contains(&client.stage()));
        self.crowd.oldest(is_in_ranks).or(self.crowd.sparest_whole()).is_some()
    }

    /// Closes the one that can be spared best: whether there was anyone.
    pub(super) fn displace_anyone(&mut self, now: Instant) -> bool {
        RANKS.iter().any(|stages| self.displace(stages, now))
            || self.crowd.sparest_whole().is_some_and(|number| {
                self.displace_one(number, now);
                true
            })
    }
}

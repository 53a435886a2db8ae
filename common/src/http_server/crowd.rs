//! All clients, by age, what they hold together, and who of them waits for what.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::net::TcpStream;
use std::time::Instant;

use super::budget::{Budget, Held};
use super::connection::{Connection, Stage};
use super::peer::Peer;
use super::turns::Turns;

/// A client of the gate.
pub(super) type Client = Connection<TcpStream>;

pub(super) struct Crowd {
    /// By number, and so by age: numbers grow and are never used again.
    clients: VecDeque<(u64, Box<Client>)>,
    next_number: u64,
    /// How many clients each peer has here, in the order of the peers.
    counts: Vec<(Peer, usize)>,
    /// What the clients hold; the gate adds what the workers hold.
    pub(super) budget: Budget,
    whole: Turns,
}

impl Crowd {
    pub(super) fn new(budget: Budget) -> Self {
        Self {
            clients: VecDeque::new(),
            next_number: 0,
            counts: Vec::new(),
            budget,
            whole: Turns::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Of nobody: the room that a crowd took.
    pub(super) fn give_room_back(&mut self) {
        self.clients.shrink_to_fit();
        self.counts.shrink_to_fit();
        self.whole.give_room_back();
    }

    /// All clients, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Client)> {
        self.clients.iter().map(|(number, client)| (*number, &**client))
    }

    pub(super) fn get(&self, number: u64) -> Option<&Client> {
        let place = self.place(number)?;
        Some(&self.clients[place].1)
    }

    fn place(&self, number: u64) -> Option<usize> {
        self.clients.binary_search_by_key(&number, |(number, _)| *number).ok()
    }

    fn count_place(&self, peer: Peer) -> Result<usize, usize> {
        self.counts.binary_search_by_key(&peer, |(peer, _)| *peer)
    }

    /// Takes a client in, and gives its number.
    pub(super) fn add(&mut self, client: Client) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        let peer = client.peer().ip().into();
        match self.count_place(peer) {
            Ok(place) => self.counts[place].1 += 1,
            Err(place) => self.counts.insert(place, (peer, 1)),
        }
        self.clients.push_back((number, Box::new(client)));
        number
    }

    /// The oldest client that meets a condition.
    pub(super) fn oldest(&self, condition: impl Fn(&Client) -> bool) -> Option<u64> {
        self.iter().find(|(_, client)| condition(client)).map(|(number, _)| number)
    }

    /// Of the clients that meet a condition, the one that can best be spared: of the
    /// peer that has most clients here, the oldest. So who floods the house pushes
    /// himself out, and not one that is slow to ask.
    pub(super) fn sparest(&self, condition: impl Fn(u64, &Client) -> bool) -> Option<u64> {
        let count = |client: &Client| {
            let place = self.count_place(client.peer().ip().into()).ok();
            place.map(|place| self.counts[place].1)
        };
        let candidates = self.iter().filter(|&(number, client)| condition(number, client));
        candidates.min_by_key(|(_, client)| Reverse(count(client))).map(|(number, _)| number)
    }

    /// Those whose deadline is past.
    pub(super) fn expired(&self, now: Instant) -> Vec<u64> {
        let expired = self.iter().filter(|(_, client)| client.deadline() <= now);
        expired.map(|(number, _)| number).collect()
    }

    /// Whose request goes to the next free worker.
    pub(super) fn next_whole(&self) -> Option<u64> {
        self.whole.next()
    }

    /// How many requests of this peer wait for a worker.
    pub(super) fn whole_count_of(&self, peer: Peer) -> usize {
        self.whole.count_of(peer)
    }

    /// The client whose whole request can best be spared.
    pub(super) fn sparest_whole(&self) -> Option<u64> {
        self.whole.last_of_greediest()
    }

    /// How many requests wait for a worker.
    pub(super) fn whole_count(&self) -> usize {
        self.whole.count()
    }

    /// Does something to a client. What it holds, and what it waits for, is noted
    /// after it, and one that is closed by it is dropped.
    pub(super) fn step<T>(&mut self, number: u64, act: impl FnOnce(&mut Client) -> T) -> Option<T> {
        let place = self.place(number)?;
        let client = &mut *self.clients[place].1;
        let (stage, held) = (client.stage(), client.held());
        let result = act(client);
        self.budget.replace(held, client.held());
        let new_stage = client.stage();
        if stage != new_stage {
            self.turned(number, stage, new_stage);
        }
        Some(result)
    }

    pub(super) fn close(&mut self, number: u64) {
        if let Some(place) = self.place(number) {
            let client = &self.clients[place].1;
            self.budget.replace(client.held(), Held::default());
            self.turned(number, client.stage(), Stage::Closed);
        }
    }

    fn turned(&mut self, number: u64, from: Stage, to: Stage) {
        let Some(place) = self.place(number) else { return };
        let peer = Peer::from(self.clients[place].1.peer().ip());
        if from == Stage::Whole {
            self.whole.remove(peer, number);
        }
        match to {
            Stage::Whole => self.whole.add(peer, number),
            Stage::Closed => {
                self.clients.remove(place);
                self.one_less_of(peer);
            }
            _ => {}
        }
    }

    fn one_less_of(&mut self, peer: Peer) {
        if let Ok(place) = self.count_place(peer) {
            self.counts[place].1 -= 1;
            if self.counts[place].1 == 0 {
                self.counts.remove(place);
            }
        }
    }
}

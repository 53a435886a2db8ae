//! The poll loop: one thread that owns the public socket and every client's.

mod room;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::answer::Refusal;
use super::bell::Bell;
use super::budget::{Budget, Held};
use super::connection::{Connection, Stage};
use super::crowd::{Client, Crowd};
use super::door::{Door, Knock};
use super::limits::{
    ACCEPTS_AT_ONCE, CROWD_PART, DESCRIPTORS_LEFT, DOOR_PAUSE, HEAD_BYTES, Limits, READ_BYTES,
    STOP_GRACE,
};
use super::tally::{Event, Tally};
use super::workers::{Done, Workers};
use super::{Handler, sys};
use crate::allocator;
use crate::allow_from::AllowFrom;
use room::{RoomWait, UNFINISHED};

pub(super) struct Gate {
    /// Gone when the server stops.
    door: Option<Door>,
    /// The server may change it at any time.
    allow_from: Arc<Mutex<AllowFrom>>,
    limits: Limits,
    handler: Arc<dyn Handler>,
    bell: Arc<Bell>,
    crowd: Crowd,
    /// The most clients at once since there was nobody.
    most_clients: usize,
    workers: Workers,
    /// What the requests hold that workers have, also those of clients that are gone.
    working: Vec<(u64, Held)>,
    room_wait: Option<RoomWait>,
    /// Bodies are held back: when to look again who of the others is stalled.
    bodies_due: Option<Instant>,
    /// The one whose body is read to its end while others are held back.
    favourite: Option<u64>,
    /// When the grace of a server that stops is over.
    stop_at: Option<Instant>,
    tally: Tally,
    buffer: Vec<u8>,
}

/// What poll(2) is asked, and whom each entry is about.
#[derive(Default)]
struct PollSet {
    /// The bell, the door if it is open, and the clients.
    entries: Vec<libc::pollfd>,
    /// The clients of the last entries, in the same order.
    numbers: Vec<u64>,
}

impl Gate {
    pub(super) fn new(
        listener: TcpListener,
        mut limits: Limits,
        handler: Arc<dyn Handler>,
        bell: Arc<Bell>,
        allow_from: Arc<Mutex<AllowFrom>>,
    ) -> io::Result<Self> {
        let tally = Tally::new(listener.local_addr()?.to_string());
        let descriptors = sys::descriptor_limit()?;
        let connections = descriptors.saturating_sub(DESCRIPTORS_LEFT).max(1);
        if connections < limits.connections {
            log::warn!(
                "http server {}: {connections} connections at once instead of {}, for \
                 RLIMIT_NOFILE is {descriptors}; raise it (ulimit -n, LimitNOFILE=) for more",
                tally.server(),
                limits.connections
            );
            limits.connections = connections;
        }
        let workers = Workers::start(Arc::clone(&handler), &limits, Arc::clone(&bell))?;
        Ok(Self {
            door: Some(Door::new(listener)?),
            allow_from,
            handler,
            bell,
            crowd: Crowd::new(Budget::new(&limits)),
            most_clients: 0,
            workers,
            working: Vec::new(),
            room_wait: None,
            bodies_due: None,
            favourite: None,
            stop_at: None,
            tally,
            buffer: vec![0; if limits.body_bytes == 0 { HEAD_BYTES } else { READ_BYTES }],
            limits,
        })
    }

    /// Runs until the bell rings to stop.
    pub(super) fn run(mut self) {
        let mut set = PollSet::default();
        let mut due: Option<Instant> = None;
        loop {
            let now = Instant::now();
            if due.is_some_and(|due| due <= now) {
                self.expire(now);
            }
            self.bell.answer(|| !self.workers.are_stuck(now, self.limits.answer_time * 2));
            self.take_answers(now);
            self.let_bodies_go_on(now);
            self.dispatch(now);
            if self.is_over(now) {
                break;
            }
            self.tidy_up();
            self.fill(&mut set);
            due = self.next_deadline();
            match sys::poll(&mut set.entries, due.map(|due| due.saturating_duration_since(now))) {
                Ok(()) => self.attend(&set),
                Err(error) => self.survive(&error, now),
            }
        }
        if !self.workers.end(self.stop_at.unwrap_or_else(Instant::now)) {
            let server = self.tally.server();
            log::warn!("http server {server}: a worker hangs in its request and is left behind");
        }
    }

    /// Begins to stop when the bell says so; whether nothing is left to do.
    fn is_over(&mut self, now: Instant) -> bool {
        if self.stop_at.is_none() && self.bell.is_to_stop() {
            self.door = None;
            self.stop_at = Some(now + STOP_GRACE);
        }
        let Some(stop_at) = self.stop_at else { return false };
        let is_under_way = |stage| matches!(stage, Stage::Whole | Stage::Working | Stage::Writing);
        now >= stop_at || self.crowd.oldest(|client| is_under_way(client.stage())).is_none()
    }

    /// Where a crowd was, and nobody is left, gives its memory back.
    fn tidy_up(&mut self) {
        if self.crowd.is_empty() && self.working.is_empty() {
            let was_crowded = self.most_clients >= self.limits.connections.div_ceil(CROWD_PART);
            self.most_clients = 0;
            if was_crowded {
                self.crowd.give_room_back();
                self.working.shrink_to_fit();
                allocator::give_holes_back();
            }
        }
    }

    fn fill(&self, set: &mut PollSet) {
        let entry = |fd, events| libc::pollfd { fd, events, revents: 0 };
        set.entries.clear();
        set.numbers.clear();
        set.entries.push(entry(self.bell.as_raw_fd(), libc::POLLIN));
        if let Some(door) = self.door.as_ref().filter(|door| door.shut_until().is_none()) {
            set.entries.push(entry(door.as_raw_fd(), libc::POLLIN));
        }
        let may_read_heads =
            self.crowd.budget.has_room_for_heads() || self.sparest_with_head(None).is_some();
        for (number, client) in self.crowd.iter() {
            let events = match client.stage() {
                Stage::Head if may_read_heads => libc::POLLIN,
                Stage::Body | Stage::Lingering => libc::POLLIN,
                Stage::Writing => libc::POLLOUT,
                // Nothing is asked, and a connection that breaks is told all the same.
                _ => 0,
            };
            set.entries.push(entry(client.socket().as_raw_fd(), events));
            set.numbers.push(number);
        }
    }

    /// When to look again though nothing happened; `None` while nothing is pending.
    fn next_deadline(&self) -> Option<Instant> {
        let shut_until = self.door.as_ref().and_then(Door::shut_until);
        let room_due = self.room_wait.map(|wait| wait.until);
        [shut_until, room_due, self.bodies_due, self.stop_at, self.tally.deadline()]
            .into_iter()
            .flatten()
            .chain(self.crowd.iter().map(|(_, client)| client.deadline()))
            .min()
    }

    /// Looks after everyone for whom poll(2) has news.
    fn attend(&mut self, set: &PollSet) {
        let now = Instant::now();
        let (own, clients) = set.entries.split_at(set.entries.len() - set.numbers.len());
        if own[0].revents != 0 {
            self.bell.hush();
        }
        for (entry, &number) in clients.iter().zip(&set.numbers) {
            if entry.revents & libc::POLLIN != 0 {
                self.read(number, now);
            } else if entry.revents & libc::POLLOUT != 0 {
                self.step(number, now, |client, now, _| {
                    client.write(now);
                    None
                });
            } else if entry.revents != 0 {
                self.close(number); // reset, while nothing was asked of it
            }
        }
        // After the others, for it may close some of them.
        if own.get(1).is_some_and(|entry| entry.revents != 0) {
            self.take_clients(now);
        }
    }

    fn expire(&mut self, now: Instant) {
        self.tally.tell(now);
        if let Some(door) = &mut self.door
            && door.shut_until().is_some_and(|until| until <= now)
        {
            door.open();
        }
        for number in self.crowd.expired(now) {
            if let Some(client) = self.crowd.get(number)
                && client.stage() == Stage::Writing
            {
                self.tally.note(Event::NotTaken, now, client.peer());
            }
            self.step(number, now, Connection::expire);
        }
    }

    fn take_clients(&mut self, now: Instant) {
        // Where there is no crowd, the next will hardly be there already.
        for round in 0..ACCEPTS_AT_ONCE.min(1 + self.crowd.len()) {
            let is_full = self.crowd.len() >= self.limits.connections;
            if is_full && !self.can_displace_anyone() {
                // Workers have all their requests: they are answered soon, and whoever
                // comes now waits in the backlog of the kernel.
                self.shut_door(now);
                return;
            }
            let Some(door) = &mut self.door else { return };
            match door.look() {
                Knock::Client(socket, peer) => self.take_in(socket, peer, now),
                Knock::Gone => {}
                Knock::Nobody => return,
                // accept(2) says so before it looks whether anybody is there, which
                // only poll(2) has told, and only of the first.
                Knock::NoDescriptor(_) if round > 0 => return,
                Knock::NoDescriptor(error) => {
                    self.tally.note(Event::NoDescriptor, now, error);
                    if !self.displace(UNFINISHED, now) && !self.give_up_spare() {
                        self.shut_door(now);
                        return;
                    }
                }
                Knock::Failed(error) => {
                    self.tally.note(Event::NoDescriptor, now, error);
                    self.shut_door(now);
                    return;
                }
            }
        }
    }

    fn take_in(&mut self, socket: TcpStream, peer: SocketAddr, now: Instant) {
        if self.crowd.len() >= self.limits.connections {
            self.displace_anyone(now);
        }
        let number = self.crowd.add(Connection::new(socket, peer, now, &self.limits));
        self.most_clients = self.most_clients.max(self.crowd.len());
        if self.admits(peer) {
            self.read(number, now); // its request has often come along with it
            return;
        }
        self.tally.note(Event::NotAdmitted, now, peer);
        self.crowd.step(number, |client| {
            client.refuse(Refusal::new(403, "this address is not in allow_from"), now, &self.limits)
        });
    }

    fn admits(&self, peer: SocketAddr) -> bool {
        // No step of whoever holds this lock can panic.
        self.allow_from.lock().unwrap_or_else(PoisonError::into_inner).admits(peer.ip())
    }

    fn give_up_spare(&mut self) -> bool {
        self.door.as_mut().is_some_and(Door::give_up_spare)
    }

    fn shut_door(&mut self, now: Instant) {
        if let Some(door) = &mut self.door {
            door.shut(now);
        }
    }

    fn read(&mut self, number: u64, now: Instant) {
        let may_read = match self.crowd.get(number).map(Connection::stage) {
            Some(Stage::Head) => self.make_room_for_head(number, now),
            Some(Stage::Body) => self.may_read_body(number, now),
            Some(_) => true,
            None => false,
        };
        if !may_read {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let handler = Arc::clone(&self.handler);
        self.step(number, now, |client, now, limits| {
            client.read(now, limits, &*handler, &mut buffer)
        });
        self.buffer = buffer;
        self.refuse_past_share(number, now);
    }

    fn take_answers(&mut self, now: Instant) {
        for Done { connection, answer } in self.workers.take_done() {
            if let Some(place) = self.working.iter().position(|(number, _)| *number == connection) {
                let (_, held) = self.working.swap_remove(place);
                self.crowd.budget.replace(held, Held::default());
            }
            self.crowd.budget.learn(answer.held_bytes());
            // One that was told 503, or is gone, gets nothing any more.
            self.step(connection, now, |client, now, limits| {
                if client.stage() == Stage::Working {
                    client.answer(answer, now, limits);
                }
                None
            });
        }
    }

    /// One step of one client; what it was refused for goes into the log.
    fn step(
        &mut self,
        number: u64,
        now: Instant,
        act: impl FnOnce(&mut Client, Instant, &Limits) -> Option<Refusal>,
    ) {
        let limits = &self.limits;
        let refusal = self.crowd.step(number, |client| act(client, now, limits)).flatten();
        match self.crowd.get(number) {
            None => self.was_closed(),
            Some(client) => {
                if let Some(Refusal { status, reason, .. }) = refusal {
                    let detail = format_args!("{}: {status} {reason}", client.peer());
                    self.tally.note(Event::Refused, now, detail);
                }
            }
        }
    }

    fn close(&mut self, number: u64) {
        self.crowd.close(number);
        self.was_closed();
    }

    /// A descriptor is free again.
    fn was_closed(&mut self) {
        if let Some(door) = &mut self.door {
            door.open();
        }
    }

    /// poll(2) itself failed: memory is short, or `RLIMIT_NOFILE` was lowered under us.
    fn survive(&mut self, error: &io::Error, now: Instant) {
        self.tally.note(Event::NoDescriptor, now, format_args!("poll: {error}"));
        if !self.displace_anyone(now) {
            thread::park_timeout(DOOR_PAUSE);
        }
    }
}

//! Every figure that bounds the server. `docs/limits.md` lists them.

use std::time::Duration;

use crate::allow_from::AllowFrom;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Bytes of a request line and its headers together.
pub const HEAD_BYTES: usize = 8 * KIB;
/// Header lines of a request.
pub const HEADER_LINES: usize = 64;
/// Clients that the kernel may keep waiting for accept(2); `net.core.somaxconn`
/// may lower it. Whoever does not fit in has to try again after a second, which a
/// wait behind thousands that are soon dealt with does not take.
pub const LISTEN_BACKLOG: i32 = 4096;
/// Clients taken from the listening socket before others are looked after again.
pub(super) const ACCEPTS_AT_ONCE: usize = 64;
/// Descriptors that connections leave to the rest of the process.
pub const DESCRIPTORS_LEFT: usize = 32;
/// One peer, an IPv4 address or an IPv6 network of /64, may have this part of the
/// connections waiting with whole requests: one half.
pub const PEER_SHARE: usize = 2;
/// A crowd is this part of the connections at once: a quarter. When the last of one has
/// gone, the memory that it took is given back.
pub const CROWD_PART: usize = 4;
/// How long nobody is taken in after accept(2) failed for want of something that
/// no client could give back.
pub(super) const DOOR_PAUSE: Duration = Duration::from_millis(100);
/// How long a whole request waits for others to give back their bytes before the
/// oldest of them is closed.
pub const ROOM_PATIENCE: Duration = Duration::from_millis(250);
/// Where room is short, a body must come on by [`BODY_STEP_BYTES`] in this time to
/// keep its place.
pub const BODY_GRACE: Duration = Duration::from_secs(1);
/// See [`BODY_GRACE`].
pub const BODY_STEP_BYTES: usize = 64 * KIB;
/// Room set aside for an answer not yet known, at least.
pub const ANSWER_ROOM_BYTES: usize = 64 * KIB;
/// How long the gate reads on, and how much, after an answer is written, so that
/// a client that is still sending sees the answer and not a reset connection.
pub const LINGER_TIME: Duration = Duration::from_secs(2);
/// See [`LINGER_TIME`].
pub const LINGER_BYTES: usize = 256 * KIB;
/// How long [`super::Server::stop`] waits for answers that are under way.
pub const STOP_GRACE: Duration = Duration::from_millis(500);
/// How long the loop may take to say that it lives.
pub const PULSE_PATIENCE: Duration = Duration::from_secs(2);
/// A flood of one kind of event is told in one line each such time.
pub const TALLY_TIME: Duration = Duration::from_mins(1);
/// Bytes of an answer given to a socket at once: the copy of a large answer for one
/// client must not hold up the others.
pub(super) const WRITE_BYTES: usize = 128 * KIB;
/// Bytes asked of a socket at once where bodies are taken.
pub(super) const READ_BYTES: usize = 64 * KIB;

/// What one server grants its clients. The presets are those of the spoke and of
/// the server; a program changes single fields where its configuration says so.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The `Server` header, `name/version`; visible ASCII.
    pub product: &'static str,
    /// Threads that ask the handler; each has at most one request.
    pub workers: usize,
    /// The networks from which clients may come; others are told 403.
    pub allow_from: AllowFrom,
    /// Open connections. `RLIMIT_NOFILE` less [`DESCRIPTORS_LEFT`] may lower it;
    /// past it the oldest unfinished reader is closed.
    pub connections: usize,
    /// From accept(2) to the end of the head; past it 408.
    pub head_time: Duration,
    /// The longest body; longer ones are refused unread with 413, or with 405 if
    /// this is 0.
    pub body_bytes: usize,
    /// The `Allow` header of that 405: what a server without bodies is good for.
    pub allow: &'static str,
    /// For a body to arrive (408), the wait for room included (503).
    pub body_time: Duration,
    /// From a whole request to its answer, the wait for a worker included; past it
    /// 503.
    pub answer_time: Duration,
    /// For the client to take its answer wholly; past it the connection is closed.
    pub write_time: Duration,
    /// Bytes of all heads held at once. Past it the oldest unfinished is closed.
    pub heads_held_bytes: usize,
    /// Bytes of all bodies held at once, beside one of `body_bytes`. Past it one body
    /// at a time is read to its end, and the others are not read until there is room.
    pub bodies_held_bytes: usize,
    /// Bytes of all answers held at once, those under way included. Past it a
    /// request waits, though never for long; one answer is always let through.
    pub answers_held_bytes: usize,
}

impl Limits {
    /// For a spoke: no bodies, 4 MiB of requests and answers in all.
    pub fn spoke() -> Self {
        Self {
            product: concat!("pattoo/", env!("CARGO_PKG_VERSION")),
            workers: 2,
            allow_from: AllowFrom::default(),
            connections: 256,
            head_time: Duration::from_secs(5),
            body_bytes: 0,
            allow: "GET, HEAD, OPTIONS",
            body_time: Duration::ZERO,
            answer_time: Duration::from_secs(8),
            write_time: Duration::from_secs(30),
            heads_held_bytes: MIB,
            bodies_held_bytes: 0,
            answers_held_bytes: 3 * MIB,
        }
    }

    /// For the server: bodies of 32 MiB, 32 MiB of requests and answers in all
    /// beside one such body.
    pub fn server() -> Self {
        Self {
            workers: 4,
            connections: 1024,
            body_bytes: 32 * MIB,
            body_time: Duration::from_secs(30),
            answer_time: Duration::from_secs(30),
            heads_held_bytes: 4 * MIB,
            bodies_held_bytes: 16 * MIB,
            answers_held_bytes: 12 * MIB,
            ..Self::spoke()
        }
    }
}

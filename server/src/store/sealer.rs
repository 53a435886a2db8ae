//! The thread behind the scenes: seals fresh rows, compacts days that are over,
//! deletes what has expired. It reads through a connection of its own and
//! writes through the writer, a short transaction at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pattoo_common::priority::yield_to_others;
use pattoo_common::wall_clock;
use rusqlite::Connection;

use super::backlog::Due;
use super::error::StoreError;
use super::keys::{DAY_MS, hour_of};
use super::writer::Writer;
use super::{Shared, YIELD};
use super::{compact_day, retention, seal};

/// Fresh rows of a shard and hour are sealed at this many bytes, as every chart
/// of the present reads through them, ...
const SEAL_BYTES: usize = 1 << 20;
/// ... or this age.
const SEAL_AGE: Duration = Duration::from_mins(15);
/// ... or, once their hour is over, when nothing has come for so long. Then there
/// will hardly be more, and charts of that hour need not read through them.
const SEAL_QUIET: Duration = Duration::from_secs(20);
/// Past this, all fresh rows together, the largest is sealed whatever its size.
const TOGETHER_BYTES: usize = 8 << 20;
/// A day is compacted so long after its end, ...
const COMPACT_AFTER_MS: u64 = 2 * 3_600_000;
/// ... once nothing of it has been sealed for so long.
const COMPACT_QUIET: Duration = Duration::from_mins(5);
/// How often it looks for days to compact.
const COMPACT_EVERY: Duration = Duration::from_mins(1);
/// How often it looks for what has expired.
const EXPIRE_EVERY: Duration = Duration::from_mins(10);
/// Soon after the start, for less may be kept than before; ...
const EXPIRE_FIRST: Duration = Duration::from_mins(1);
/// ... and on a full disk, or when less is to be kept, at once, but no more often.
const EXPIRE_URGED: Duration = Duration::from_secs(10);
/// How long the count of fresh rows on opening may take.
const COUNTED_WITHIN: Duration = Duration::from_mins(10);
/// A look at the clock while nothing comes in.
const IDLE: Duration = Duration::from_secs(15);
/// How long rows that could not be sealed are left alone.
const POSTPONED: Duration = Duration::from_secs(30);
/// A pause after an error, so that a full disk is not hammered.
const AFTER_ERROR: Duration = Duration::from_secs(5);

/// The thread; [`Sealer::join`] after the backlog was stopped.
pub(super) struct Sealer(Option<JoinHandle<()>>);

impl Sealer {
    pub(super) fn start(
        shared: Arc<Shared>,
        writer: Arc<Writer>,
        connection: Connection,
    ) -> Result<Self, StoreError> {
        let mut work = Work {
            shared,
            writer,
            connection,
            sealed_at: HashMap::new(),
            compacted: Instant::now(),
            expire_at: Instant::now() + EXPIRE_FIRST,
            not_before: Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("store-sealer".into())
            .spawn(move || {
                yield_to_others(YIELD);
                work.run();
            })
            .map_err(|error| StoreError::Engine(format!("no thread for the sealer: {error}")))?;
        Ok(Self(Some(thread)))
    }

    pub(super) fn join(&mut self) {
        if let Some(thread) = self.0.take() {
            // A panic of the thread has been reported already.
            let _ = thread.join();
        }
    }
}

struct Work {
    shared: Arc<Shared>,
    writer: Arc<Writer>,
    connection: Connection,
    sealed_at: SealedAt,
    compacted: Instant,
    /// When it looks for what has expired, ...
    expire_at: Instant,
    /// ... and not earlier, whoever urges.
    not_before: Instant,
}

/// When something of a day and shard was last sealed.
pub(super) type SealedAt = HashMap<(u32, u32), Instant>;

impl Work {
    fn run(&mut self) {
        let mut pause = IDLE;
        // Told once, and not every few seconds for as long as it lasts.
        let mut trouble = None;
        if self.shared.room.is_given_up() {
            self.shared.backlog.urge();
        }
        while self.shared.backlog.wait(pause) {
            pause = IDLE;
            let sealed = self.shared.figures.sealings();
            match self.round() {
                Ok(()) => {
                    // Nothing was due, perhaps: that proves nothing.
                    if self.shared.figures.sealings() > sealed && trouble.take().is_some() {
                        log::info!("store: sealing works again");
                    }
                }
                Err(StoreError::Closed) => return,
                Err(error) => {
                    let error = error.to_string();
                    if trouble.as_ref() != Some(&error) {
                        log::error!("store: sealing failed and will be tried again: {error}");
                        trouble = Some(error);
                    }
                    self.shared.backlog.pause(AFTER_ERROR);
                    pause = Duration::ZERO;
                }
            }
            pause = pause.min(self.expire_at.saturating_duration_since(Instant::now()));
        }
    }

    /// What fails keeps nothing else from its turn: deleting makes the room that
    /// sealing may lack, and the other way round.
    fn round(&mut self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let _chunks = shared.chunks();
        let urged = shared.backlog.take_urge();
        if urged {
            self.expire_at = self.expire_at.min(self.not_before);
        }
        let expired = if Instant::now() >= self.expire_at { self.expire() } else { Ok(()) };
        let Self { writer, connection, sealed_at, .. } = self;
        let sealed = shared.with_room(writer, || seal_due(&shared, writer, connection, sealed_at));
        let compacted = self.compact();
        expired.and(sealed).and(compacted)
    }

    fn expire(&mut self) -> Result<(), StoreError> {
        let Self { shared, writer, connection, .. } = self;
        // Behind the count of what is there, from which the newest sample is known.
        writer.run_outside(COUNTED_WITHIN, |_| Ok(()))?;
        // A clock that jumps ahead must not delete the history: time goes no
        // further than a day past the newest sample.
        let now_ms = wall_clock::now_ms().min(shared.backlog.newest_ms() + DAY_MS);
        let outcome = retention::expire(shared, writer, connection, now_ms);
        shared.room.settle_if_short();
        let now = Instant::now();
        self.not_before = now + EXPIRE_URGED;
        self.expire_at = now + if outcome.is_ok() { EXPIRE_EVERY } else { EXPIRE_URGED };
        outcome
    }

    fn compact(&mut self) -> Result<(), StoreError> {
        if self.compacted.elapsed() < COMPACT_EVERY {
            return Ok(());
        }
        let Self { shared, writer, connection, sealed_at, .. } = self;
        shared.room.refill();
        retention::sweep_doomed(shared, writer)?;
        compact_quiet_days(shared, writer, connection, sealed_at)?;
        self.compacted = Instant::now();
        Ok(())
    }
}

fn seal_due(
    common: &Shared,
    writer: &Writer,
    connection: &mut Connection,
    sealed_at: &mut SealedAt,
) -> Result<(), StoreError> {
    let due = || Due {
        bytes: SEAL_BYTES,
        age: SEAL_AGE,
        quiet: SEAL_QUIET,
        this_hour: hour_of(wall_clock::now_ms()),
        together_bytes: TOGETHER_BYTES,
    };
    while let Some((hour, shard)) = common.backlog.next(due()) {
        if common.backlog.is_stopped() {
            return Err(StoreError::Closed);
        }
        if let Err(error) = seal::seal(common, writer, connection, hour, shard) {
            // The others need not wait until this one is well.
            common.backlog.postpone(hour, shard, POSTPONED);
            return Err(error);
        }
        sealed_at.insert((hour / 24, shard), Instant::now());
    }
    Ok(())
}

pub(super) fn compact_quiet_days(
    common: &Shared,
    writer: &Writer,
    connection: &mut Connection,
    sealed_at: &mut SealedAt,
) -> Result<(), StoreError> {
    let end_ms = wall_clock::now_ms().saturating_sub(COMPACT_AFTER_MS) / DAY_MS * DAY_MS;
    sealed_at.retain(|_, at| at.elapsed() < COMPACT_QUIET);
    for (day, shard) in compact_day::days_to_compact(connection, end_ms)? {
        if !sealed_at.contains_key(&(day, shard)) {
            let mut seal =
                |connection: &mut Connection| seal_due(common, writer, connection, sealed_at);
            compact_day::compact(common, writer, connection, day, shard, &mut seal)?;
        }
    }
    Ok(())
}

//! The hub: its parts, its two threads, and one cycle from poll to batch.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pattoo_common::config::HubConfig;
use pattoo_common::document::Target;
use pattoo_common::resolver::Resolver;
use pattoo_common::spool::{Spool, SpoolLimits, SpoolStats};

use crate::collect::{Collector, Making};
use crate::cycle::{self, CycleLimits};
use crate::descriptors;
use crate::device::{Device, Last, States};
use crate::outbox::Outbox;
use crate::own_datapoints::{OwnDatapoints, Report, Totals};
use crate::poll::{PollError, Polled, Poller};
use crate::post::Poster;
use crate::post_form::{Form, PostForm};
use crate::reach::Reach;
use crate::room::{ROOM_BYTES, Room};
use crate::schedule::Schedule;
use crate::stop::Stop;
use crate::wall_clock::WallClock;

/// Descriptors that polls leave to all else: log, spool, post, look-ups.
const SPARE_DESCRIPTORS: usize = 64;

/// How long the first cycle waits to learn what the server is.
const SERVER_PATIENCE: Duration = Duration::from_secs(1);

/// How long a stop waits for a write that is under way.
const WRITE_PATIENCE: Duration = Duration::from_millis(500);

/// The part of the interval in which polls must be over.
const POLLS_OF_INTERVAL: f64 = 0.8;

/// A hub that is not yet, or already, polling.
#[derive(Debug)]
pub(crate) struct Hub {
    config: HubConfig,
    target: Target,
    devices: Vec<Device>,
    max_threads: usize,
    path: String,
    resolver: Resolver,
    room: Room,
    memory: Mutex<Memory>,
    form: PostForm,
    stop: Stop,
    clock: WallClock,
}

/// What is remembered from cycle to cycle.
#[derive(Debug)]
struct Memory {
    states: States,
    own: OwnDatapoints,
}

impl Hub {
    /// The hub of a configuration. `target` is what it tells of itself: its agent
    /// id and host name.
    pub(crate) fn new(config: HubConfig, target: Target) -> Self {
        let devices: Vec<Device> = config.ip_devices.iter().cloned().map(Device::new).collect();
        let wanted = config.max_threads.min(devices.len()) + SPARE_DESCRIPTORS;
        let descriptors = descriptors::allow(wanted);
        let max_threads = config.max_threads.min(descriptors.saturating_sub(SPARE_DESCRIPTORS));
        if max_threads < config.max_threads.min(devices.len()) {
            log::warn!(
                "only {max_threads} devices are polled at once: the limit of open files is {descriptors} (ulimit -n)"
            );
        }
        let interval_ms = milliseconds(config.polling_interval);
        Self {
            max_threads: max_threads.max(1),
            path: format!("/pattoo-agent-linux/{}", config.polling_interval.as_secs()),
            resolver: Resolver::new(),
            room: Room::new(ROOM_BYTES),
            memory: Mutex::new(Memory {
                states: States::new(devices.len()),
                own: OwnDatapoints::new(&target, interval_ms, devices.len()),
            }),
            form: PostForm::new(config.post_mode),
            stop: Stop::default(),
            clock: WallClock::SYSTEM,
            config,
            target,
            devices,
        }
    }

    /// Starts polling and posting, each on a thread of its own. They end with the
    /// process, or after [`Running::stop`].
    pub(crate) fn start(self: Arc<Self>) -> io::Result<Running> {
        let spool = Spool::new(
            &self.config.pattoo.cache_directory,
            &self.target.agent_id,
            SpoolLimits {
                max_bytes: self.config.spool_max_bytes,
                max_age: self.config.spool_max_age,
                min_free_bytes: self.config.spool_min_free_bytes,
                ..SpoolLimits::default()
            },
        );
        let outbox = Arc::new(Outbox::new(spool, self.config.spool));
        let (hub, out) = (Arc::clone(&self), Arc::clone(&outbox));
        let server = self.config.agent_api.address();
        thread::Builder::new().name("post".to_owned()).spawn(move || {
            hub.poster(&server).run(&out, &hub.stop);
        })?;
        let (hub, out) = (Arc::clone(&self), Arc::clone(&outbox));
        thread::Builder::new().name("poll".to_owned()).spawn(move || hub.poll(&out))?;
        Ok(Running { hub: self, outbox })
    }

    /// A poster to `server`.
    pub(crate) fn poster<'h>(
        &'h self,
        server: &'h pattoo_common::http_client::Address,
    ) -> Poster<'h> {
        Poster::new(self.reach(), server, &self.target.agent_id, &self.form)
    }

    /// The devices, in the order of the configuration.
    pub(crate) fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The configuration it runs with.
    pub(crate) fn config(&self) -> &HubConfig {
        &self.config
    }

    /// Polls every device once and gives each batch, in pieces, to `take` as soon
    /// as it is made. Returns how every poll went, in the order of the devices.
    pub(crate) fn cycle(
        &self,
        form: Form,
        spool: &dyn Fn() -> SpoolStats,
        take: impl FnMut(Vec<Vec<u8>>, u64),
    ) -> Vec<Report> {
        let start = Instant::now();
        let start_ms = self.clock.now_ms();
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { states, own } = &mut *memory;
        let order = states.order();
        let mut reports = vec![Report::default(); self.devices.len()];
        let mut collector = Collector::new(self.making(form), take);

        let poller =
            Poller { reach: self.reach(), room: &self.room, path: &self.path, clock: self.clock };
        let limits = CycleLimits {
            max_threads: self.max_threads,
            poll_timeout: self.config.poll_timeout,
            end: start + self.config.polling_interval.mul_f64(POLLS_OF_INTERVAL),
        };
        let poll = |device: usize, deadline| poller.poll(&self.devices[device], deadline);
        cycle::run(&order, limits, &poll, |index, polled| {
            let (report, last) = understand(polled, &mut collector);
            states.record(index, &self.devices[index], last);
            reports[index] = report;
        });

        let spool = spool();
        let totals = Totals {
            duration: start.elapsed(),
            spool_batches: spool.batches,
            spool_bytes: spool.bytes,
            spool_dropped: spool.dropped_batches,
        };
        tell(&reports, totals);
        own.documents(&self.devices, &reports, totals, start_ms, |document| {
            if let Err(error) = collector.add(document) {
                log::error!("the hub's own datapoints are left out: {error}");
            }
        });
        collector.flush();
        reports
    }

    /// Polls at once, then every interval, until it is time to stop.
    fn poll(&self, outbox: &Outbox) {
        self.form.wait_asked(SERVER_PATIENCE);
        let mut schedule = Schedule::new(Instant::now(), self.config.polling_interval);
        while !self.stop.wait_until(schedule.slot()) {
            self.cycle(self.form.for_cycle(), &|| outbox.stats(), |batch, made_ms| {
                outbox.deliver(&batch, made_ms);
            });
            let missed = schedule.advance(Instant::now());
            if missed > 0 {
                log::warn!(
                    "the cycle took longer than the interval of {} s: {missed} left out",
                    self.config.polling_interval.as_secs()
                );
            }
        }
    }

    fn reach(&self) -> Reach<'_> {
        Reach { resolver: &self.resolver }
    }

    fn making(&self, form: Form) -> Making<'_> {
        Making {
            form,
            agent_id: &self.target.agent_id,
            interval_ms: milliseconds(self.config.polling_interval),
            max_batch_bytes: self.config.max_batch_bytes,
            clock: self.clock,
        }
    }
}

/// A hub that polls and posts.
#[derive(Debug)]
pub(crate) struct Running {
    hub: Arc<Hub>,
    outbox: Arc<Outbox>,
}

impl Running {
    /// Says that it is time to stop, and waits a moment for a write that is under
    /// way. Threads that hang in a poll or a post are not waited for: the process
    /// ends them, and what they were at is on disk.
    pub(crate) fn stop(&self) {
        self.hub.stop.say();
        self.outbox.close(WRITE_PATIENCE);
    }
}

/// Says in the log what a cycle has brought.
fn tell(reports: &[Report], totals: Totals) {
    let up = reports.iter().filter(|report| report.is_up()).count();
    let datapoints: usize = reports.iter().map(|report| report.datapoints).sum();
    let not_polled = reports.iter().filter(|report| report.duration.is_none()).count();
    log::debug!(
        "polled {up} of {} devices in {} ms: {datapoints} datapoints",
        reports.len(),
        totals.duration.as_millis()
    );
    if not_polled > 0 {
        log::warn!(
            "{not_polled} devices were not polled: the time of the cycle was over; they come before the dead ones in the next"
        );
    }
}

/// What a poll has brought: the document goes into the batch, the rest into the
/// report.
fn understand<Take: FnMut(Vec<Vec<u8>>, u64)>(
    polled: Polled<'_>,
    collector: &mut Collector<'_, Take>,
) -> (Report, Last) {
    let Polled { duration, middle_ms, answer } = polled;
    let mut program = None;
    let seen = answer.and_then(|answer| {
        let seen = collector.add(answer.body).map_err(PollError::Document);
        drop(answer.share);
        program = answer.program;
        seen
    });
    match seen {
        Ok(seen) => {
            let clock_skew_ms = Some(seen.timestamp_ms.wrapping_sub(middle_ms).cast_signed());
            let (agent_id, datapoints) = (Some(seen.agent_id), seen.datapoints);
            let report =
                Report { duration, clock_skew_ms, agent_id, program, datapoints, error: None };
            (report, Last::Answered)
        }
        Err(error) => {
            let reason = error.to_string();
            let last = match error {
                PollError::NotStarted => Last::NotPolled,
                _ => Last::Failed(reason.clone()),
            };
            (Report { duration, error: Some(reason), ..Report::default() }, last)
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

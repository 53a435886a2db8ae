//! The hub: its parts, its two threads, and one cycle from poll to batch.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pattoo_common::config::{HubConfig, PostMode};
use pattoo_common::document::Target;
use pattoo_common::resolver::Resolver;
use pattoo_common::signature::LiveSecrets;
use pattoo_common::spool::{Spool, SpoolLimits, SpoolStats};

use crate::collect::{Collector, Making};
use crate::cycle::{self, CycleLimits};
use crate::device::{Last, States};
use crate::outbox::Outbox;
use crate::own_datapoints::{OwnDatapoints, Report, Totals};
use crate::plan::Plan;
use crate::poll::{PollError, Polled, Poller};
use crate::post::Poster;
use crate::post_form::{Form, PostForm};
use crate::pulse::Pulse;
use crate::reach::Reach;
use crate::room::{ROOM_BYTES, Room};
use crate::schedule::Schedule;
use crate::stop::{Stop, Woken};
use crate::wall_clock::WallClock;

/// How long the first cycle waits to learn what the server is.
const SERVER_PATIENCE: Duration = Duration::from_secs(1);

/// How long a stop waits for a write that is under way.
const WRITE_PATIENCE: Duration = Duration::from_millis(500);

/// The part of the interval in which polls must be over.
const POLLS_OF_INTERVAL: f64 = 0.8;

/// A hub that is not yet, or already, polling.
#[derive(Debug)]
pub(crate) struct Hub {
    /// What it was started with: where it posts to, and the bounds of its spool.
    config: HubConfig,
    /// What the next cycle goes by.
    plan: Mutex<Arc<Plan>>,
    target: Target,
    resolver: Resolver,
    room: Room,
    memory: Mutex<Memory>,
    form: PostForm,
    /// Polls are signed with these; their answers must be.
    secrets: LiveSecrets,
    /// Likewise posts.
    post_secrets: LiveSecrets,
    stop: Stop,
    clock: WallClock,
    started_ms: u64,
    /// Signs of life of the thread that polls, and of the one that posts.
    polls: Pulse,
    posts: Pulse,
}

/// What is remembered from cycle to cycle.
#[derive(Debug)]
struct Memory {
    /// The plan that it is about.
    plan: Arc<Plan>,
    states: States,
    own: OwnDatapoints,
}

impl Hub {
    /// The hub of a configuration. `target` is what it tells of itself: its agent
    /// id and host name.
    pub(crate) fn new(config: HubConfig, target: Target) -> Self {
        let plan = Arc::new(Plan::new(config.clone()));
        Self {
            resolver: Resolver::new(),
            room: Room::new(ROOM_BYTES),
            memory: Mutex::new(Memory {
                states: States::new(plan.devices.len()),
                own: own_datapoints(&target, &plan),
                plan: Arc::clone(&plan),
            }),
            form: PostForm::new(post_mode(&config)),
            secrets: LiveSecrets::new(config.secrets.clone()),
            post_secrets: LiveSecrets::new(config.post_secrets.clone()),
            stop: Stop::default(),
            clock: WallClock::SYSTEM,
            started_ms: WallClock::SYSTEM.now_ms(),
            polls: Pulse::default(),
            posts: Pulse::default(),
            config,
            plan: Mutex::new(plan),
            target,
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
        let (form, secrets) = (&self.form, &self.post_secrets);
        Poster::new(self.reach(), server, &self.target.agent_id, form, secrets, &self.posts)
    }

    /// What the next cycle goes by.
    pub(crate) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.lock_plan())
    }

    /// Gives the next cycle another plan.
    pub(crate) fn set_plan(&self, plan: Plan) {
        plan.tell_devices(&self.plan());
        self.secrets.replace(plan.config.secrets.clone());
        self.post_secrets.replace(plan.config.post_secrets.clone());
        *self.lock_plan() = Arc::new(plan);
        self.stop.say_plan();
    }

    fn lock_plan(&self) -> MutexGuard<'_, Arc<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether its threads do their work, or which of them hangs.
    pub(crate) fn health(&self) -> Result<(), String> {
        let now = Instant::now();
        for (pulse, what) in [(&self.polls, "polls"), (&self.posts, "posts")] {
            if pulse.is_late(now) {
                return Err(format!("the thread that {what} hangs"));
            }
        }
        Ok(())
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
        let plan = self.plan();
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.go_by(&plan, &self.target);
        let Memory { states, own, .. } = &mut *memory;
        let order = states.order();
        let mut reports = vec![Report::default(); plan.devices.len()];
        let mut collector = Collector::new(self.making(&plan, form), take);

        let secrets = self.secrets.get();
        let poller = Poller {
            reach: self.reach(),
            room: &self.room,
            path: &plan.path,
            secrets: secrets.as_deref(),
            clock: self.clock,
        };
        let limits = CycleLimits {
            max_threads: plan.max_threads,
            poll_timeout: plan.config.poll_timeout,
            end: start + plan.config.polling_interval.mul_f64(POLLS_OF_INTERVAL),
        };
        let poll = |device: usize, deadline| poller.poll(&plan.devices[device], deadline);
        cycle::run(&order, limits, &poll, |index, polled| {
            let (report, last) = understand(polled, &mut collector);
            states.record(index, &plan.devices[index], last);
            reports[index] = report;
        });
        states.record_not_polled(reports.iter().filter(|one| one.duration.is_none()).count());

        let spool = spool();
        let totals = Totals {
            duration: start.elapsed(),
            spool_batches: spool.batches,
            spool_bytes: spool.bytes,
            spool_dropped: spool.dropped_batches,
            spool_dropped_datapoints: spool.dropped_datapoints,
            started_ms: self.started_ms,
        };
        tell(&reports, totals);
        own.documents(&plan.devices, &reports, totals, start_ms, |document| {
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
        let mut schedule = Schedule::new(Instant::now(), self.plan().config.polling_interval);
        let (mut plans, mut left_out) = (0, 0);
        loop {
            let interval = self.plan().config.polling_interval;
            self.polls.within(interval);
            match self.stop.wait_for_plan_until(schedule.slot(), &mut plans) {
                Woken::Stop => return,
                Woken::Plan => {
                    schedule.set_interval(self.plan().config.polling_interval);
                    continue;
                }
                Woken::Moment => self.polls.within(interval),
            }
            self.cycle(self.form.for_cycle(), &|| outbox.stats(), |batch, made_ms| {
                outbox.deliver(&batch, made_ms);
            });
            let missed = schedule.advance(Instant::now());
            if missed > 0 && left_out == 0 {
                log::warn!(
                    "the cycle took longer than the interval of {} s: {missed} left out",
                    interval.as_secs()
                );
            } else if missed == 0 && left_out > 0 {
                log::info!("cycles end within the interval again, after {left_out} left out");
                left_out = 0;
            }
            left_out += missed;
        }
    }

    fn reach(&self) -> Reach<'_> {
        Reach { resolver: &self.resolver }
    }

    fn making(&self, plan: &Plan, form: Form) -> Making<'_> {
        Making {
            form,
            agent_id: &self.target.agent_id,
            interval_ms: milliseconds(plan.config.polling_interval),
            max_batch_bytes: plan.config.max_batch_bytes,
            clock: self.clock,
        }
    }
}

impl Memory {
    /// Goes by this plan from now on.
    fn go_by(&mut self, plan: &Arc<Plan>, target: &Target) {
        if Arc::ptr_eq(&self.plan, plan) {
            return;
        }
        self.states.carry_over(&self.plan.devices, &plan.devices);
        self.own = own_datapoints(target, plan);
        self.plan = Arc::clone(plan);
    }
}

fn own_datapoints(target: &Target, plan: &Plan) -> OwnDatapoints {
    let interval_ms = milliseconds(plan.config.polling_interval);
    OwnDatapoints::new(target, interval_ms, plan.devices.len())
}

/// A hub that polls and posts.
#[derive(Debug)]
pub(crate) struct Running {
    hub: Arc<Hub>,
    outbox: Arc<Outbox>,
}

impl Running {
    /// The hub itself.
    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Says that it is time to stop, and waits a moment for a write that is under
    /// way. Threads that hang in a poll or a post are not waited for: the process
    /// ends them, and what they were at is on disk.
    pub(crate) fn stop(&self) {
        self.hub.stop.say();
        self.outbox.close(WRITE_PATIENCE);
    }
}

/// The configured mode; only a server of ours signs its answers, so it need not be
/// asked what it is.
fn post_mode(config: &HubConfig) -> PostMode {
    match config.post_mode {
        PostMode::Auto if config.post_secrets.is_some() => PostMode::Batch,
        mode => mode,
    }
}

/// Says in the log what a cycle has brought.
fn tell(reports: &[Report], totals: Totals) {
    let up = reports.iter().filter(|report| report.is_up()).count();
    let datapoints: usize = reports.iter().map(|report| report.datapoints).sum();
    log::debug!(
        "polled {up} of {} devices in {} ms: {datapoints} datapoints",
        reports.len(),
        totals.duration.as_millis()
    );
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

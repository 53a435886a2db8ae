//! Every attack on every port, one after another, and a mixture of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pattoo_tests::attack::{Attack, Target};
use pattoo_tests::fresh_client::{Answers, FreshClient};
use pattoo_tests::loopback::raise_descriptor_limit;
use pattoo_tests::{Dice, PATIENCE, Process, Server, wait_until};

use crate::door::{Figures, Growth, Spoke, agents, assert_back_at_rest, at_rest, web};

/// How long each attack goes on.
const EACH: Duration = Duration::from_millis(1_200);
/// How long a thousand dribble: half as long again as a head may take.
const DRIBBLE: Duration = Duration::from_millis(7_500);
const LATE_HEAD: &str = "408 the request head did not arrive in time";
/// How long the mixture goes on, unless this names the seconds.
const MIXTURE_VARIABLE: &str = "PATTOO_ATTACK_SECONDS";
const MIXTURE_SECONDS: u64 = 20;
/// Which attacks follow one another, unless this repeats a printed seed.
const SEED_VARIABLE: &str = "PATTOO_ATTACK_SEED";
/// How long the same attacks of the mixture go on, and how many at once on each port.
const ROUND: Duration = Duration::from_secs(4);
const AT_ONCE: usize = 3;

#[test]
fn the_spoke_under_each_attack() {
    let spoke = Spoke::new("");
    let process = spoke.daemon.start();
    one_after_another("spoke", process, &spoke.target(), Growth::SPOKE);
    spoke.daemon.stop();
}

#[test]
fn the_port_of_agents_under_each_attack() {
    let server = Server::start("front-door");
    one_after_another("agents", server.daemon.pid(), &agents(&server), Growth::SERVER);
    server.daemon.stop();
}

#[test]
fn the_port_of_the_web_under_each_attack() {
    let server = Server::start("front-door");
    one_after_another("web", server.daemon.pid(), &web(&server), Growth::SERVER);
    server.daemon.stop();
}

/// A byte a second, for longer than a head may take to arrive, on all three ports.
#[test]
fn a_thousand_that_dribble_a_byte_a_second() {
    raise_descriptor_limit();
    let dribble = Attack::ALL.into_iter().find(|attack| attack.name.starts_with("a byte a second"));
    let dribble = dribble.unwrap();
    let doors = Doors::open();
    let clients = doors.fresh_clients();
    let least = Instant::now() + DRIBBLE;
    attack(&doors.targets.each_ref().map(|target| (dribble, target)), || {
        // The server has room for a thousand: they end at the deadline of their heads.
        wait_until("the server told of it at both ports", PATIENCE, || {
            doors.server.log().matches(LATE_HEAD).count() >= 2
        });
        park_until(least);
    });
    doors.wait_for_threads();
    for (what, client) in ["spoke", "agents", "web"].into_iter().zip(clients) {
        let answers = client.finish();
        println!("{what}: {}: {answers:?}", dribble.name);
        answers.assert_answered(what);
    }
    let log = doors.server.log();
    assert_eq!(log.matches(LATE_HEAD).count(), 2, "once each port: {log}");
    doors.assert_back_at_rest();
    doors.stop();
}

/// All three ports at once; `scripts/attack` has it go on for ten minutes.
#[test]
fn a_mixture_of_all_attacks() {
    raise_descriptor_limit();
    let seconds = std::env::var(MIXTURE_VARIABLE).ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(MIXTURE_SECONDS));
    let seed = std::env::var(SEED_VARIABLE).ok().and_then(|text| text.parse().ok());
    let mut random = seed.unwrap_or_else(|| Dice::random_seed() | 1);
    println!("seed {random}");

    let doors = Doors::open();
    let clients = doors.fresh_clients();
    let mut most = doors.before;
    while Instant::now() < end {
        let chosen: Vec<(Attack, &Target)> = doors
            .targets
            .iter()
            .flat_map(|target| (0..AT_ONCE).map(move |_| target))
            .map(|target| (Attack::ALL[below(&mut random, Attack::ALL.len())], target))
            .collect();
        attack(&chosen, || park_until(end.min(Instant::now() + ROUND)));
        for (most, process) in most.iter_mut().zip(doors.processes) {
            let now = Figures::of(process);
            most.threads = most.threads.max(lasting_threads(process, most.threads));
            most.descriptors = most.descriptors.max(now.descriptors);
            most.peak_memory_kib = now.peak_memory_kib;
        }
    }
    let answers: Vec<Answers> = clients.into_iter().map(FreshClient::finish).collect();
    let after = doors.assert_back_at_rest();
    for (place, what) in ["spoke", "server"].into_iter().enumerate() {
        let (before, most, after) = (doors.before[place], most[place], after[place]);
        println!("{what}: before {before:?}\n  at most {most:?}\n  after {after:?}");
        assert_eq!(most.threads, before.threads, "{what}: no thread is made for a stranger");
    }
    for (what, answers) in ["spoke", "agents", "web"].into_iter().zip(&answers) {
        println!("{what}: {answers:?}");
        if seconds.is_some() {
            answers.assert_prompt(what);
        } else {
            answers.assert_answered(what);
        }
    }
    doors.stop();
}

/// A spoke and a server, and their three ports: the spoke's, the agents', the web's.
struct Doors {
    spoke: Spoke,
    server: Server,
    targets: [Target; 3],
    processes: [Process; 2],
    /// Of both, at rest, before anything was done to them.
    before: [Figures; 2],
}

impl Doors {
    fn open() -> Self {
        let spoke = Spoke::new("");
        let server = Server::start("front-door");
        let processes = [spoke.daemon.start(), server.daemon.pid()];
        let targets = [spoke.target(), agents(&server), web(&server)];
        let before = [at_rest(processes[0], &targets[..1]), at_rest(processes[1], &targets[1..])];
        Self { spoke, server, targets, processes, before }
    }

    /// One for each port.
    fn fresh_clients(&self) -> Vec<FreshClient> {
        self.targets.iter().map(|target| FreshClient::start(target.port, &target.fresh)).collect()
    }

    /// The figures of both, which must be back where they were.
    fn assert_back_at_rest(&self) -> [Figures; 2] {
        let ([spoke, server], before) = (self.processes, self.before);
        [
            assert_back_at_rest(spoke, before[0], Growth::SPOKE),
            assert_back_at_rest(server, before[1], Growth::SERVER),
        ]
    }

    /// Waits until both have no more threads than before.
    fn wait_for_threads(&self) {
        for (process, before) in self.processes.into_iter().zip(self.before) {
            wait_for_threads(process, before, "all three");
        }
    }

    fn stop(&self) {
        self.spoke.daemon.stop();
        self.server.daemon.stop();
    }
}

fn one_after_another(what: &str, process: Process, target: &Target, growth: Growth) {
    raise_descriptor_limit();
    let before = at_rest(process, std::slice::from_ref(target));
    for kind in Attack::ALL {
        let client = FreshClient::start(target.port, &target.fresh);
        attack(&[(kind, target)], || park_until(Instant::now() + EACH));
        let answers = client.finish();
        println!("{what}: {}: {answers:?}", kind.name);
        answers.assert_answered(&format!("{what}: {}", kind.name));
        wait_for_threads(process, before, &format!("{what}: {}", kind.name));
    }
    let after = assert_back_at_rest(process, before, growth);
    println!("{what}: {before:?}, then {after:?}");
}

/// A reader or an asker of the spoke that did not get to run for long is overtaken by
/// another, so there may be one more for a moment.
fn wait_for_threads(process: Process, before: Figures, what: &str) {
    wait_until(&format!("{what}: the threads are as many as before"), PATIENCE, || {
        Figures::of(process).threads == before.threads
    });
}

/// How many threads there are, without those that go within a second where they are more
/// than `usual`: see [`wait_for_threads`].
fn lasting_threads(process: Process, usual: usize) -> usize {
    let threads = Figures::of(process).threads;
    if threads <= usual {
        return threads;
    }
    park_until(Instant::now() + Duration::from_secs(1));
    threads.min(Figures::of(process).threads)
}

/// Has these attacks go on together until this returns.
fn attack(attacks: &[(Attack, &Target)], meanwhile: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for (attack, target) in attacks {
            let stop = &stop;
            scope.spawn(move || attack.run(target, stop));
        }
        // Also when it fails: the others would go on for ever.
        let _stop = StopAtEnd(&stop);
        meanwhile();
    });
}

struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn park_until(end: Instant) {
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        thread::park_timeout(left);
    }
}

/// A number below `limit`, by xorshift.
fn below(random: &mut u64, limit: usize) -> usize {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    usize::try_from(*random >> 33).unwrap() % limit
}

//! Host names to addresses. `getaddrinfo` cannot be interrupted, so it runs on a
//! few threads that nobody waits for longer than a deadline; while the name
//! server is away, the last good address is used.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Threads in `getaddrinfo` at once. They end when there is nothing to look up.
const MAX_THREADS: usize = 4;
/// Names that wait for a thread.
const MAX_WAITING: usize = 65_536;
/// Addresses that are kept of one name.
const MAX_ADDRESSES: usize = 16;
/// How long an answer is used without asking again.
const FRESH: Duration = Duration::from_mins(1);
/// Who knows a last good address waits for a newer one no longer than this part of
/// the time that is left ...
const PART_OF_TIME: u32 = 4;
/// ... and not at all while every thread has been in one call for so long.
const STUCK: Duration = Duration::from_secs(1);
/// `getaddrinfo` of glibc needs some 50 KiB, plug-ins of the name service more.
const STACK_BYTES: usize = 256 << 10;

/// Why a name has no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolveError {
    /// The name server has not answered before the deadline.
    Deadline,
    /// The look-up failed: what the resolver of the system says.
    Failed(String),
    /// Too many names wait already.
    Busy,
}

impl std::error::Error for ResolveError {}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline => f.write_str("host name not resolved before the deadline"),
            Self::Failed(reason) => write!(f, "host name not resolved: {reason}"),
            Self::Busy => write!(f, "host name not resolved: {MAX_WAITING} names wait already"),
        }
    }
}

type Lookup = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Looks up names for many threads at once.
pub struct Resolver {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// A look-up has ended.
    ended: Condvar,
    lookup: Box<Lookup>,
}

#[derive(Default)]
struct State {
    names: HashMap<String, Name>,
    waiting: VecDeque<String>,
    /// When each thread began its present call.
    calls: Vec<Instant>,
    /// Threads that live.
    threads: usize,
}

/// What is known of a name.
#[derive(Default)]
struct Name {
    /// From the last look-up that was good, with port 0.
    last_good: Vec<SocketAddr>,
    /// When that was.
    good_at: Option<Instant>,
    /// Why the last look-up failed, if it did.
    failure: Option<String>,
    /// Look-ups that have ended.
    ended: u64,
    /// Waits for a thread or has one.
    asked: bool,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new()
    }
}

impl Resolver {
    /// A resolver that asks the system. It starts threads when they are needed.
    pub fn new() -> Self {
        Self::asking(|host| {
            let addresses = (host, 0).to_socket_addrs()?;
            Ok(addresses.take(MAX_ADDRESSES).collect())
        })
    }

    fn asking(
        lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        let (state, ended) = (Mutex::default(), Condvar::new());
        Self { shared: Arc::new(Shared { state, ended, lookup: Box::new(lookup) }) }
    }

    /// The addresses of `host` in the order of the system's preference (RFC 6724);
    /// at least one. Addresses are their own, without waiting, and `localhost` is this
    /// machine (RFC 6761, 6.3), also where no `/etc/hosts` says so.
    pub fn resolve(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        if host.eq_ignore_ascii_case("localhost") {
            let own: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            return Ok(own.map(|address| SocketAddr::new(address, port)).to_vec());
        }
        let mut addresses = self.look_up(host, deadline)?;
        for address in &mut addresses {
            address.set_port(port);
        }
        Ok(addresses)
    }

    fn look_up(&self, host: &str, deadline: Instant) -> Result<Vec<SocketAddr>, ResolveError> {
        let begun = Instant::now();
        let mut state = self.shared.lock();
        let name = state.names.entry(host.to_owned()).or_default();
        if name.good_at.is_some_and(|at| begun.duration_since(at) < FRESH) {
            return Ok(name.last_good.clone());
        }
        let ended_before = name.ended;
        let has_last_good = !name.last_good.is_empty();
        self.ask(&mut state, host)?;
        let left = deadline.saturating_duration_since(begun);
        let patience = match has_last_good {
            true if state.all_stuck(begun) => Duration::ZERO,
            true => left / PART_OF_TIME,
            false => left,
        };
        let pending = |state: &mut State| state.of(host).is_none_or(|n| n.ended == ended_before);
        let (state, _) = self
            .shared
            .ended
            .wait_timeout_while(state, patience, pending)
            .unwrap_or_else(PoisonError::into_inner);
        state.of(host).map_or(Err(ResolveError::Deadline), |name| name.outcome(ended_before))
    }

    /// Sees to it that the name is being looked up.
    fn ask(&self, state: &mut State, host: &str) -> Result<(), ResolveError> {
        let full = state.waiting.len() >= MAX_WAITING;
        let Some(name) = state.names.get_mut(host) else { return Ok(()) };
        if name.asked {
            return Ok(());
        }
        if full {
            return if name.last_good.is_empty() { Err(ResolveError::Busy) } else { Ok(()) };
        }
        name.asked = true;
        state.waiting.push_back(host.to_owned());
        if state.threads < MAX_THREADS {
            let shared = Arc::clone(&self.shared);
            let builder = thread::Builder::new().name("resolver".into()).stack_size(STACK_BYTES);
            match builder.spawn(move || shared.work()) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    state.end(host, Err(error));
                    state.waiting.pop_back();
                }
                // Another thread will come to it.
                Err(_) => {}
            }
        }
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of a thread: looks up what waits, and ends.
    fn work(&self) {
        let mut state = self.lock();
        while let Some(host) = state.waiting.pop_front() {
            let begun = Instant::now();
            state.calls.push(begun);
            drop(state);
            let result = (self.lookup)(&host);
            state = self.lock();
            if let Some(position) = state.calls.iter().position(|call| *call == begun) {
                state.calls.swap_remove(position);
            }
            state.end(&host, result);
            self.ended.notify_all();
        }
        state.threads -= 1;
    }
}

impl State {
    fn of(&self, host: &str) -> Option<&Name> {
        self.names.get(host)
    }

    /// Whether nobody would come to a further name soon.
    fn all_stuck(&self, now: Instant) -> bool {
        let stuck = |call: &&Instant| now.duration_since(**call) >= STUCK;
        self.calls.iter().filter(stuck).count() >= MAX_THREADS
    }

    /// Keeps what a look-up brought.
    fn end(&mut self, host: &str, result: io::Result<Vec<SocketAddr>>) {
        let Some(name) = self.names.get_mut(host) else { return };
        name.asked = false;
        name.ended += 1;
        match result {
            Ok(addresses) if !addresses.is_empty() => {
                name.last_good = addresses;
                name.good_at = Some(Instant::now());
                name.failure = None;
            }
            Ok(_) => name.failure = Some("it has no address".to_owned()),
            Err(error) => name.failure = Some(error.to_string()),
        }
    }
}

impl Name {
    /// What a caller gets that has seen `ended_before` look-ups end.
    fn outcome(&self, ended_before: u64) -> Result<Vec<SocketAddr>, ResolveError> {
        if !self.last_good.is_empty() {
            return Ok(self.last_good.clone());
        }
        match &self.failure {
            Some(reason) if self.ended > ended_before => Err(ResolveError::Failed(reason.clone())),
            _ => Err(ResolveError::Deadline),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn addresses_are_their_own() {
        let resolver = Resolver::asking(|_| panic!("nobody is asked"));
        let past = Instant::now();
        assert_eq!(resolver.resolve("10.0.0.1", 5, past), Ok(vec![address("10.0.0.1:5")]));
        assert_eq!(resolver.resolve("::1", 5, past), Ok(vec![address("[::1]:5")]));
    }

    #[test]
    fn localhost_is_this_machine_whatever_the_system_says() {
        let resolver = Resolver::asking(|_| panic!("nobody is asked"));
        let own = Ok(vec![address("127.0.0.1:5"), address("[::1]:5")]);
        assert_eq!(resolver.resolve("LocalHost", 5, Instant::now()), own);
    }

    #[test]
    fn the_system_is_asked() {
        // `inet_aton` reads it, for which no name server is needed.
        let found = Resolver::new().resolve("127.1", 80, soon());
        assert_eq!(found, Ok(vec![address("127.0.0.1:80")]));
    }

    #[test]
    fn a_name_is_asked_once_for_many_callers() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let resolver = Resolver::asking(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(vec![address("10.0.0.1:0")])
        });
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let found = resolver.resolve("web1", 7, soon());
                    assert_eq!(found, Ok(vec![address("10.0.0.1:7")]));
                });
            }
        });
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failure_is_told_and_the_next_call_asks_again() {
        let (answers, queue) = mpsc::channel();
        let queue = Mutex::new(queue);
        let resolver = Resolver::asking(move |_| {
            let queue = queue.lock().expect("one at a time");
            queue.recv().expect("an answer")
        });
        answers.send(Err(io::Error::other("no such host"))).expect("sent");
        let error = resolver.resolve("web1", 7, soon());
        assert_eq!(error, Err(ResolveError::Failed("no such host".into())));
        answers.send(Ok(Vec::new())).expect("sent");
        let error = resolver.resolve("web1", 7, soon());
        assert_eq!(error, Err(ResolveError::Failed("it has no address".into())));
        answers.send(Ok(vec![address("10.0.0.2:0")])).expect("sent");
        assert_eq!(resolver.resolve("web1", 7, soon()), Ok(vec![address("10.0.0.2:7")]));
    }

    /// A resolver whose name server never answers for some names, with the number
    /// of calls that are in it.
    fn hanging() -> (Resolver, Arc<AtomicUsize>, mpsc::Sender<()>) {
        let (release, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let inside = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&inside);
        let resolver = Resolver::asking(move |host| {
            if host.starts_with("good") {
                return Ok(vec![address("10.0.0.3:0")]);
            }
            count.fetch_add(1, Ordering::SeqCst);
            let _ = wait.lock().map(|wait| wait.recv());
            Err(io::Error::other("released"))
        });
        (resolver, inside, release)
    }

    #[test]
    fn a_name_server_that_hangs_costs_the_deadline_and_four_threads() {
        let (resolver, inside, release) = hanging();
        thread::scope(|scope| {
            for number in 0..20 {
                let resolver = &resolver;
                scope.spawn(move || {
                    let deadline = Instant::now() + SHORT;
                    let found = resolver.resolve(&format!("dead{number}"), 7, deadline);
                    assert_eq!(found, Err(ResolveError::Deadline));
                });
            }
        });
        // Nobody waited for the threads to begin.
        let patience = Instant::now() + Duration::from_secs(30);
        while inside.load(Ordering::SeqCst) < MAX_THREADS && Instant::now() < patience {
            thread::yield_now();
        }
        assert_eq!(inside.load(Ordering::SeqCst), MAX_THREADS);
        assert_eq!(resolver.shared.lock().threads, MAX_THREADS);
        drop(release);
        // With the name server back, what waited is looked up, and the threads end.
        let error = resolver.resolve("dead19", 7, soon());
        assert_eq!(error, Err(ResolveError::Failed("released".into())));
    }

    #[test]
    fn four_calls_that_last_are_stuck() {
        let begun = Instant::now();
        let mut state = State { calls: vec![begun; MAX_THREADS], ..State::default() };
        assert!(!state.all_stuck(begun));
        assert!(state.all_stuck(begun + STUCK));
        state.calls.pop();
        assert!(!state.all_stuck(begun + STUCK));
    }

    #[test]
    fn the_last_good_address_is_kept() {
        let (resolver, inside, release) = hanging();
        assert_eq!(resolver.resolve("good", 7, soon()), Ok(vec![address("10.0.0.3:7")]));
        let age = |resolver: &Resolver| {
            let mut state = resolver.shared.lock();
            let name = state.names.remove("good").expect("it was asked for");
            let aged = Name { good_at: None, ..name };
            // From here on the same name is one that hangs.
            state.names.insert("dead".to_owned(), aged);
        };
        age(&resolver);
        // A quarter of it is waited for; three are left to a busy machine.
        let deadline = Instant::now() + Duration::from_secs(10);
        assert_eq!(resolver.resolve("dead", 8, deadline), Ok(vec![address("10.0.0.3:8")]));
        assert!(Instant::now() < deadline, "time must be left for the poll");
        assert_eq!(inside.load(Ordering::SeqCst), 1);
        // A look-up that fails takes nothing away either.
        drop(release);
        assert_eq!(resolver.resolve("dead", 9, soon()), Ok(vec![address("10.0.0.3:9")]));
    }
}

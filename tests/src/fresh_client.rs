//! The client for whom a door is to stay open while others attack it: it comes anew
//! once a second, and its answers are timed.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::http_get;

/// How often it comes.
const PERIOD: Duration = Duration::from_secs(1);
/// What it is promised.
const PROMISED: Duration = Duration::from_secs(1);
/// A bare server in the same process is to answer so much faster than that on a
/// machine that has time for its processes.
const BARE_SHARE: u32 = 20;

/// What it was answered.
#[derive(Debug, Default, Clone)]
pub struct Answers {
    /// How often it was answered as it should be.
    pub good: usize,
    /// What it got instead.
    pub bad: Vec<String>,
    /// The time of the slowest answer.
    pub slowest: Duration,
    /// The slowest answer of a server that does nothing but answer, asked at the same
    /// time: how busy the machine itself was.
    pub slowest_bare: Duration,
}

/// A client that is under way.
#[derive(Debug)]
pub struct FreshClient {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Answers>,
}

impl FreshClient {
    /// Begins to ask a port of 127.0.0.1 for `path`.
    pub fn start(port: u16, path: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (path, is_over) = (path.to_owned(), Arc::clone(&stop));
        let thread = thread::spawn(move || ask(port, &path, &is_over));
        Self { stop, thread }
    }

    /// Ends it after its next answer, and gives what it saw.
    pub fn finish(self) -> Answers {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        self.thread.join().expect("a client")
    }
}

impl Answers {
    /// It was always answered, and within a second: of which a machine that is too
    /// busy to let even a bare server answer at once may take its part.
    ///
    /// # Panics
    /// If it was not.
    pub fn assert_prompt(&self, what: &str) {
        assert!(self.good > 0 && self.bad.is_empty(), "{what}: {self:?}");
        let allowed = PROMISED + BARE_SHARE * self.slowest_bare;
        assert!(self.slowest <= allowed, "{what}: {self:?}, allowed {allowed:?}");
    }
}

fn ask(port: u16, path: &str, stop: &AtomicBool) -> Answers {
    let bare = BareServer::start();
    let mut answers = Answers::default();
    loop {
        let began = Instant::now();
        bare.ask().expect("the bare server");
        answers.slowest_bare = answers.slowest_bare.max(began.elapsed());
        let began = Instant::now();
        match http_get(port, path) {
            Ok(answer) if answer.status == 200 => answers.good += 1,
            Ok(answer) => answers.bad.push(answer.head),
            Err(error) => answers.bad.push(error.to_string()),
        }
        answers.slowest = answers.slowest.max(began.elapsed());
        if stop.load(Ordering::Relaxed) {
            return answers;
        }
        thread::park_timeout(PERIOD.saturating_sub(began.elapsed()));
    }
}

/// Accepts, answers, closes.
struct BareServer {
    port: u16,
    stop: Arc<AtomicBool>,
}

impl BareServer {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its port").port();
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let _ = (&client).read(&mut [0; 512]);
                let _ = (&client).write_all(b"yes");
            }
        });
        Self { port, stop }
    }

    fn ask(&self) -> io::Result<()> {
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        client.write_all(b"GET")?;
        client.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for BareServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

//! The front gate: an HTTP/1.1 server that strangers cannot hold up.
//!
//! One thread waits in poll(2) for the listening socket and for every client. It
//! reads each request whole, under [`Limits`], and only then hands it to a fixed
//! pool of workers, which ask a [`Handler`]. The answer goes back to the gate as
//! bytes, and the gate writes it as fast as the reader takes it. So a worker is
//! never held by a client, a connection that is idle costs a descriptor and no
//! thread, and a server without clients makes no system call.
//!
//! | file | concept |
//! |---|---|
//! | `limits` | every figure that bounds the server |
//! | `listener` | the public socket: how it is bound |
//! | `door` | taking clients from it, also when descriptors run out |
//! | `head` | the parser of a request's head: bytes in, [`Request`] or refusal out |
//! | `body` | a body that is still to come, and whether it does |
//! | `connection` | the state of one client |
//! | `crowd` | all clients, by age, and who of them waits for what |
//! | `peer` | who counts as one where many want the same |
//! | `turns` | whose whole request is answered next |
//! | `budget` | the bytes that all clients together may hold |
//! | `gate` | the poll loop; `gate/room`: who may go on, and who must go when room is short |
//! | `bell` | what wakes the loop |
//! | `workers` | the threads that ask the handler |
//! | `answer` | what goes onto the wire |
//! | `tally` | what the log says of a flood |
//! | `sys` | the few system calls that std does not reach |

mod answer;
mod bell;
mod body;
mod budget;
mod connection;
mod crowd;
mod door;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gate;
mod head;
pub mod limits;
mod listener;
mod peer;
mod sys;
mod tally;
mod turns;
mod workers;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

pub use answer::{error, json, with_header};
pub use limits::Limits;
pub use tiny_http::{Header, Method};

use crate::allow_from::AllowFrom;
use crate::daemon::Health;
use bell::Bell;
use gate::Gate;

/// What a handler gives back. Make it with `Answer::from_data` and
/// `with_header`; [`json`] and [`error`] make the usual ones. `Connection`,
/// `Date` and `Server` are added by the server.
pub type Answer = tiny_http::Response<io::Cursor<Vec<u8>>>;

/// A request that arrived whole and within the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method; what is not in the list of RFC 9110 comes as `NonStandard`.
    pub method: Method,
    /// The target up to its `?`, ASCII, never empty, not percent-decoded. Of the
    /// absolute form `http://host/path` only the path is here; `*` comes with
    /// `OPTIONS` alone, which asks for the server as a whole.
    pub path: String,
    /// What stands behind the `?`, if there is one.
    pub query: Option<String>,
    /// Names as they were sent, and values without the space around them. Bytes
    /// that are no UTF-8 come as U+FFFD.
    pub headers: Vec<(String, String)>,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
    /// The client. An IPv4 client of a socket for both families has its IPv4
    /// address here.
    pub peer: SocketAddr,
}

impl Request {
    /// The value of the first header of this name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

/// What a program does with its requests. It is asked on several threads at once.
pub trait Handler: Send + Sync + 'static {
    /// The answer to a request. The client is told 503 if it takes longer than
    /// [`Limits::answer_time`], and what comes later is thrown away.
    fn answer(&self, request: &Request) -> Answer;

    /// Looks at a request whose body is still to come, so that `body` holds no more of
    /// it than came along with the head. An answer turns the client away, and the body
    /// is not read. The gate itself asks, on its only thread: it must not wait.
    fn turn_away(&self, _request: &Request) -> Option<Answer> {
        None
    }

    /// Called by each worker before it asks anything.
    fn begin(&self) {}
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    bell: Arc<Bell>,
    allow_from: Arc<Mutex<AllowFrom>>,
    gate: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on an address: an IPv4 or IPv6 literal, with or without brackets,
    /// or a name; `::` takes clients of both families; port 0 takes any free port.
    ///
    /// It is apart from [`Server::start`] so that a daemon can bind a privileged
    /// port, drop its rights, and only then start threads. The error names the
    /// address and the port.
    pub fn bind(address: &str, port: u16) -> io::Result<TcpListener> {
        listener::bind(address, port)
    }

    /// Starts the gate and its workers behind a listening socket. Fails if the
    /// kernel gives no thread or descriptor.
    pub fn start(
        listener: TcpListener,
        limits: Limits,
        handler: Arc<dyn Handler>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let bell = Arc::new(Bell::new()?);
        let allow_from = Arc::new(Mutex::new(limits.allow_from.clone()));
        let gate =
            Gate::new(listener, limits, handler, Arc::clone(&bell), Arc::clone(&allow_from))?;
        let gate = thread::Builder::new().name("http-gate".into()).spawn(move || gate.run())?;
        Ok(Self { address, bell, allow_from, gate: Some(gate) })
    }

    /// Where the server listens, with the port that the kernel chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How to find out whether the gate and its workers are well.
    pub fn health(&self) -> Health {
        let (bell, address) = (Arc::clone(&self.bell), self.address);
        Arc::new(move || match bell.ask(limits::PULSE_PATIENCE) {
            Some(true) => Ok(()),
            Some(false) => Err(format!("http server {address}: every worker hangs in a request")),
            None => Err(format!("http server {address}: its gate hangs")),
        })
    }

    /// From now on lets new clients in from these networks, as when the configuration
    /// was read again. Who is in already stays.
    pub fn allow_from(&self, networks: AllowFrom) {
        // No step of whoever holds this lock can panic.
        *self.allow_from.lock().unwrap_or_else(PoisonError::into_inner) = networks;
    }

    /// Takes no more clients, lets those whose request is whole have their answer
    /// for at most [`limits::STOP_GRACE`], and ends the threads. A worker whose
    /// handler still hangs after that is left behind: it ends with the process.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.bell.ring_to_stop();
        if let Some(gate) = self.gate.take()
            && gate.join().is_err()
        {
            log::error!("http server {}: its gate had panicked", self.address);
        }
    }
}

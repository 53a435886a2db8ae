//! The way from the hub to the server: it passes requests on, or does not.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{PATIENCE, free_port};

/// Bytes of a request or an answer.
const MESSAGE_LIMIT: usize = 64 << 20;
/// A slow way takes so many bytes ...
const SLOW_BYTES: usize = 4 << 10;
/// ... in this time.
const SLOW_PAUSE: Duration = Duration::from_millis(20);

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It is passed on, and so is its answer.
    Passes,
    /// No connection is accepted.
    Refuses,
    /// It is read and never answered.
    Hangs,
    /// It is answered with this status and not passed on.
    Answers(u16),
    /// The next post is answered with 400 and not passed on; then all is well.
    RefusesOne,
    /// It is passed on, and answered with this status whatever the server says.
    TakesAndAnswers(u16),
    /// Half of it is passed on.
    CutsRequests,
    /// It is passed on, and its answer ends after so many bytes.
    CutsAnswers(usize),
    /// All goes slowly.
    Slow,
    /// It is passed on after so many milliseconds.
    Late(u64),
}

/// The way.
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

struct Shared {
    to: u16,
    mood: Mutex<Mood>,
    hung: Mutex<Vec<TcpStream>>,
    /// Posts that were answered with 400.
    refused: AtomicUsize,
}

impl Link {
    /// A way to this port of 127.0.0.1.
    pub fn to(port: u16) -> Self {
        // One that the kernel gives to nobody while it is not listened at.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, free_port())).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared {
            to: port,
            mood: Mutex::new(Mood::Passes),
            hung: Mutex::default(),
            refused: AtomicUsize::new(0),
        });
        let listening = Some(listen(listener, &shared));
        Self { address, shared, listening }
    }

    /// Where it begins.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Posts that were answered with 400 so far.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Acquire)
    }

    /// Changes what becomes of requests; what hung is closed.
    pub fn set_mood(&mut self, mood: Mood) {
        *lock(&self.shared.mood) = mood;
        lock(&self.shared.hung).clear();
        if mood == Mood::Refuses {
            self.stop_listening();
        } else if self.listening.is_none() {
            let listener = TcpListener::bind(self.address).expect("its old port");
            self.listening = Some(listen(listener, &self.shared));
        }
    }

    fn stop_listening(&mut self) {
        if let Some((ends, thread)) = self.listening.take() {
            ends.store(true, Ordering::Release);
            let _ = TcpStream::connect_timeout(&self.address, PATIENCE);
            let _ = thread.join();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.stop_listening();
    }
}

fn listen(listener: TcpListener, shared: &Arc<Shared>) -> (Arc<AtomicBool>, JoinHandle<()>) {
    let ends = Arc::new(AtomicBool::new(false));
    let (ending, shared) = (Arc::clone(&ends), Arc::clone(shared));
    let thread = thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if ending.load(Ordering::Acquire) {
                return;
            }
            let shared = Arc::clone(&shared);
            thread::spawn(move || pass(stream, &shared));
        }
    });
    (ends, thread)
}

fn pass(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = read_request(&mut stream)?;
    let is_post = request.starts_with(b"POST ");
    let mood = {
        let mut mood = lock(&shared.mood);
        let found = *mood;
        if found == Mood::RefusesOne && is_post {
            *mood = Mood::Passes;
        }
        found
    };
    match mood {
        Mood::Refuses | Mood::Hangs => lock(&shared.hung).push(stream),
        Mood::RefusesOne if is_post => {
            shared.refused.fetch_add(1, Ordering::AcqRel);
            stream.write_all(answer(400).as_bytes())?;
        }
        Mood::Passes | Mood::RefusesOne => stream.write_all(&ask(shared.to, &request)?)?,
        Mood::Answers(status) => stream.write_all(answer(status).as_bytes())?,
        Mood::TakesAndAnswers(status) => {
            ask(shared.to, &request)?;
            stream.write_all(answer(status).as_bytes())?;
        }
        Mood::CutsRequests => {
            connect(shared.to)?.write_all(&request[..request.len() / 2])?;
        }
        Mood::CutsAnswers(bytes) => {
            let answer = ask(shared.to, &request)?;
            stream.write_all(&answer[..answer.len().min(bytes)])?;
        }
        Mood::Slow => {
            pause(request.len());
            let answer = ask(shared.to, &request)?;
            for byte in answer.chunks(1) {
                stream.write_all(byte)?;
            }
        }
        Mood::Late(milliseconds) => {
            pause_for(Duration::from_millis(milliseconds));
            stream.write_all(&ask(shared.to, &request)?)?;
        }
    }
    Ok(())
}

fn pause(bytes: usize) {
    pause_for(SLOW_PAUSE * u32::try_from(bytes / SLOW_BYTES).unwrap_or(u32::MAX));
}

#[expect(clippy::disallowed_methods, reason = "it is to be slow")]
fn pause_for(time: Duration) {
    thread::sleep(time.min(PATIENCE));
}

/// Head and body.
fn read_request(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        if let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            if request.len() >= end + 4 + length {
                return Ok(request);
            }
        }
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ if request.len() > MESSAGE_LIMIT => return Err(io::ErrorKind::FileTooLarge.into()),
            bytes => request.extend_from_slice(&piece[..bytes]),
        }
    }
}

/// The whole answer of the server.
fn ask(port: u16, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = connect(port)?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.take(MESSAGE_LIMIT as u64).read_to_end(&mut answer)?;
    Ok(answer)
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn answer(status: u16) -> String {
    let body = "{\"error\": \"not today\"}";
    format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

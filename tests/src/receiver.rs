//! A stand-in server that checks every datapoint it takes and can be made to
//! misbehave.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use pattoo_common::document::{Document, SampleValue};

use crate::{PATIENCE, free_port};

/// How the receiver treats what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Takes it and answers 200.
    Well,
    /// Reads it, takes nothing, and answers this status.
    Answers(u16),
    /// Reads it, takes nothing, and never answers.
    Hangs,
    /// Takes it, and never answers.
    TakesInSilence,
    /// Refuses posts that hold this key with 400, and takes the others.
    RefusesKey(&'static str),
}

/// A post that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// The path that it came to.
    pub path: String,
    /// The id of the agent that made the document.
    pub agent_id: String,
    /// Its datapoints, in order.
    pub samples: Vec<Taken>,
    /// The document as it came.
    pub body: Vec<u8>,
}

/// A datapoint that was taken. Its checksum was found right.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// `pattoo_agent_polled_target`
    pub target: String,
    /// `pattoo_agent_program`
    pub program: String,
    /// `pattoo_key`
    pub key: String,
    /// The value as text.
    pub value: String,
    /// Milliseconds.
    pub timestamp_ms: u64,
    /// Metadata.
    pub metadata: Vec<(String, String)>,
}

/// The stand-in server.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<Listening>,
}

struct Shared {
    /// The `Server` header of its answers.
    server: &'static str,
    mood: Mutex<Mood>,
    posts: Mutex<Vec<Post>>,
    /// Requests of any kind, taken or not.
    requests: Mutex<usize>,
    /// Connections that are left without an answer.
    hung: Mutex<Vec<TcpStream>>,
}

struct Listening {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Receiver {
    /// Starts on a free port of 127.0.0.1; `server` is the `Server` header of its
    /// answers, which tells ours (`pattood/1`) from the original's (`gunicorn`).
    pub fn start(server: &'static str) -> Self {
        // One that the kernel gives to nobody while it is not listened at.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, free_port())).expect("a free port");
        Self::on(listener, server)
    }

    /// Starts on this listener, which may be of IPv6.
    pub fn on(listener: TcpListener, server: &'static str) -> Self {
        let shared = Arc::new(Shared {
            server,
            mood: Mutex::new(Mood::Well),
            posts: Mutex::default(),
            requests: Mutex::default(),
            hung: Mutex::default(),
        });
        let address = listener.local_addr().expect("bound");
        let listening = Some(listen(listener, &shared));
        Self { address, shared, listening }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Changes how it treats what comes. Connections that were left hanging are
    /// closed.
    pub fn set_mood(&self, mood: Mood) {
        *lock(&self.shared.mood) = mood;
        lock(&self.shared.hung).clear();
    }

    /// Stops listening: connections are refused until [`Receiver::listen_again`].
    pub fn stop_listening(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.ends.store(true, Ordering::Relaxed);
            let _ = TcpStream::connect(self.address);
            listening.thread.join().expect("the receiver found a fault");
        }
    }

    /// Listens at the same port again.
    pub fn listen_again(&mut self) {
        let listener = TcpListener::bind(self.address).expect("its old port");
        self.listening = Some(listen(listener, &self.shared));
    }

    /// What was taken so far.
    pub fn posts(&self) -> Vec<Post> {
        lock(&self.shared.posts).clone()
    }

    /// Requests so far, taken or not.
    pub fn requests(&self) -> usize {
        *lock(&self.shared.requests)
    }

    /// The values of a key of a target, in the order in which they came.
    pub fn values(&self, target: &str, key: &str) -> Vec<String> {
        lock(&self.shared.posts)
            .iter()
            .flat_map(|post| &post.samples)
            .filter(|sample| sample.target == target && sample.key == key)
            .map(|sample| sample.value.clone())
            .collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop_listening();
        }
    }
}

fn listen(listener: TcpListener, shared: &Arc<Shared>) -> Listening {
    let ends = Arc::new(AtomicBool::new(false));
    let (shared, ending) = (Arc::clone(shared), Arc::clone(&ends));
    let thread = std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if ending.load(Ordering::Relaxed) {
                return;
            }
            let _ = serve(stream, &shared);
        }
    });
    Listening { ends, thread }
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let is_post = line.starts_with("POST ");
    let mut length = 0;
    let mut is_json = false;
    loop {
        line.clear();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number of bytes");
        }
        is_json |= header.starts_with("content-type: application/json");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let stream = reader.into_inner();
    *lock(&shared.requests) += 1;
    if !is_post {
        return answer(stream, shared, 200);
    }
    assert!(is_json, "a document is posted as application/json");
    let mood = *lock(&shared.mood);
    match mood {
        Mood::Hangs => lock(&shared.hung).push(stream),
        Mood::Answers(status) => answer(stream, shared, status)?,
        Mood::TakesInSilence => {
            let post = read(path, body);
            lock(&shared.hung).push(stream);
            lock(&shared.posts).push(post);
        }
        Mood::Well | Mood::RefusesKey(_) => {
            let post = read(path, body);
            if let Mood::RefusesKey(key) = mood
                && post.samples.iter().any(|sample| sample.key == key)
            {
                return answer(stream, shared, 400);
            }
            lock(&shared.posts).push(post);
            answer(stream, shared, 200)?;
        }
    }
    Ok(())
}

fn answer(mut stream: TcpStream, shared: &Shared, status: u16) -> io::Result<()> {
    let body = if status == 200 { "OK" } else { "{\"error\": \"not today\"}" };
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nServer: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        shared.server,
        body.len()
    )
}

fn read(path: String, body: Vec<u8>) -> Post {
    let document = Document::parse(&body).expect("only documents are posted");
    let samples = document.samples().map(|sample| {
        let sample = sample.expect("every datapoint is understood");
        assert_eq!(sample.expected_checksum().as_str(), sample.checksum, "{sample:?}");
        Taken {
            target: sample.polled_target().to_owned(),
            program: sample.agent[4].to_string(),
            key: sample.key.to_string(),
            value: match &sample.value {
                SampleValue::Integer(value) => value.to_string(),
                SampleValue::Signed(value) => value.to_string(),
                SampleValue::Float(value) => value.to_string(),
                SampleValue::Text(value) => value.to_string(),
            },
            timestamp_ms: sample.timestamp_ms,
            metadata: sample
                .metadata()
                .iter()
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .collect(),
        }
    });
    let samples = samples.collect();
    let agent_id = document.agent_id().to_owned();
    drop(document);
    Post { path, agent_id, samples, body }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread of the receiver panicked")
}

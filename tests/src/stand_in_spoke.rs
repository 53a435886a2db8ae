//! A stand-in spoke that numbers its answers and can be made to misbehave.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use pattoo_common::datapoint::{DataPoint, DataType, Value};
use pattoo_common::document::{DocumentWriter, Series};

use crate::read_in_whole::is_read_in_whole;
use crate::{PATIENCE, http_get, series_of_host};

/// The path that counts as no poll.
const SYNC_PATH: &str = "/sync";

/// How a stand-in spoke answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// With a poll document.
    Well,
    /// Never.
    Hangs,
    /// A byte now and then.
    Dribbles,
    /// With bytes that are no HTTP.
    Garbage,
    /// With 4 MiB and a byte.
    TooLong,
    /// With a redirect to another place.
    Redirects,
    /// With the first half of a document.
    Half,
    /// With a whole answer that holds no document.
    NoDocument,
}

/// The stand-in spoke. Its thread ends with the test.
pub struct StandInSpoke {
    port: u16,
    name: &'static str,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    manner: Manner,
    /// The numbers that were answered in whole.
    answered: Vec<u64>,
    /// The documents of these answers.
    documents: Vec<Vec<u8>>,
    /// The intervals that were asked for, as the path had them.
    paths: Vec<String>,
    kept: Vec<TcpStream>,
    /// Bytes of text beside the figures.
    ballast_bytes: usize,
    series: Series,
}

impl StandInSpoke {
    /// Starts on a free port of 127.0.0.1, as the host `name`.
    pub fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        Self::on(listener, name)
    }

    /// Starts on this listener, which may be of IPv6.
    pub fn on(listener: TcpListener, name: &'static str) -> Self {
        let port = listener.local_addr().expect("bound").port();
        let series = series_of_host(name);
        let shared = Shared {
            manner: Manner::Well,
            answered: Vec::new(),
            documents: Vec::new(),
            paths: Vec::new(),
            kept: Vec::new(),
            ballast_bytes: 0,
            series,
        };
        let shared = Arc::new(Mutex::new(shared));
        let state = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serve(stream, &state);
            }
        });
        Self { port, name, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host that its datapoints are about.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// An entry of a hub's devices.
    pub fn device(&self) -> (String, u16) {
        ("127.0.0.1".to_owned(), self.port)
    }

    /// Changes how it answers; connections that were kept are closed.
    pub fn set_manner(&self, manner: Manner) {
        let mut shared = lock(&self.shared);
        shared.manner = manner;
        shared.kept.clear();
    }

    /// Has it send so many bytes of text beside its figures, so that writing its
    /// answer takes a while.
    pub fn set_ballast_bytes(&self, bytes: usize) {
        lock(&self.shared).ballast_bytes = bytes;
    }

    /// The numbers that it answered so far, each the value of the key `sequence`.
    pub fn answered(&self) -> Vec<u64> {
        lock(&self.shared).answered.clone()
    }

    /// Likewise, once nothing is left of what was asked before: to be called when the
    /// hub is dead.
    pub fn answered_to_the_dead(&self) -> Vec<u64> {
        // Connections are served in their order.
        let _ = http_get(self.port, SYNC_PATH);
        self.answered()
    }

    /// The documents of those answers, byte for byte.
    pub fn documents(&self) -> Vec<Vec<u8>> {
        lock(&self.shared).documents.clone()
    }

    /// The paths that it was asked for.
    pub fn paths(&self) -> Vec<String> {
        lock(&self.shared).paths.clone()
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    if path == SYNC_PATH {
        return stream.write_all(&whole("200 OK", "", b""));
    }
    let mut shared = lock(shared);
    shared.paths.push(path.to_owned());
    match shared.manner {
        Manner::Well => {
            let number = shared.answered.len() as u64 + 1;
            let document = document(&mut shared, number);
            stream.write_all(&whole("200 OK", "", &document))?;
            // Only what the hub has read in whole counts as answered.
            if is_read_in_whole(&mut stream)? {
                shared.answered.push(number);
                shared.documents.push(document);
            }
        }
        Manner::Hangs => shared.kept.push(stream),
        Manner::Dribbles => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nX-Slow: ")?;
            let mut slow = stream;
            std::thread::spawn(move || {
                while slow.write_all(b"z").is_ok() {
                    #[expect(clippy::disallowed_methods, reason = "it is to be slow")]
                    std::thread::sleep(std::time::Duration::from_millis(100));
                }
            });
        }
        Manner::Garbage => stream.write_all(&[0xff, 0, b'\n', 7].repeat(500))?,
        Manner::TooLong => stream.write_all(&whole("200 OK", "", &vec![b' '; (4 << 20) + 1]))?,
        Manner::Redirects => {
            stream.write_all(&whole("302 Found", "Location: http://127.0.0.1:1/\r\n", b""))?;
        }
        Manner::Half => {
            let document = document(&mut shared, 0);
            let answer = whole("200 OK", "", &document);
            stream.write_all(&answer[..answer.len() - document.len() / 2])?;
        }
        Manner::NoDocument => stream.write_all(&whole("200 OK", "", b"{\"hello\": 1}"))?,
    }
    Ok(())
}

fn document(shared: &mut Shared, number: u64) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let now_ms = u64::try_from(now.as_millis()).expect("a clock before the year 500,000,000");
    let mut writer = DocumentWriter::new(&mut shared.series, 1000);
    writer.push(&DataPoint::new("sequence", DataType::Counter64, number), now_ms);
    writer.push(&DataPoint::new("largest", DataType::Counter64, u64::MAX), now_ms);
    writer.push(&DataPoint::new("fraction", DataType::Gauge, 3.5), now_ms);
    if shared.ballast_bytes > 0 {
        let ballast = Value::Text("x".repeat(shared.ballast_bytes).into());
        writer.push(&DataPoint::new("ballast", DataType::Text, ballast), now_ms);
    }
    writer.finish(now_ms)
}

fn whole(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread of the stand-in panicked")
}

//! A spoke that numbers its answers and keeps a ledger of them.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pattoo_common::datapoint::{DataPoint, DataType};
use pattoo_common::document::{DocumentWriter, Series};
use pattoo_common::wall_clock::now_ms;

use super::ledger::Ledger;
use crate::read_in_whole::is_read_in_whole;
use crate::{PATIENCE, http_get, series_of_host};

/// The path that leaves no trace in the ledger.
const SYNC_PATH: &str = "/sync";

/// Bytes of the head of a request.
const HEAD_LIMIT: usize = 8 << 10;

/// A key, and its value for the poll with some number.
type Key = (&'static str, fn(u64) -> f64);

/// The keys of an answer.
pub(super) const KEYS: [Key; 3] = [
    ("sequence", |number| number as f64),
    ("square", |number| (number * number) as f64),
    ("quarter", |number| number as f64 / 4.0),
];

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Well,
    Hangs,
    Half,
    Garbage,
}

/// The spoke. Its thread ends with this value.
pub struct LedgerSpoke {
    name: &'static str,
    port: u16,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    manner: Manner,
    ledger: Ledger,
    series: Series,
    hung: Vec<TcpStream>,
    ends: bool,
    /// Bytes of text beside the figures.
    ballast_bytes: usize,
}

impl LedgerSpoke {
    /// Starts on a free port of 127.0.0.1, as the host `name`.
    pub fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let series = series_of_host(name);
        let shared = Shared {
            manner: Manner::Well,
            ledger: Ledger::default(),
            series,
            hung: Vec::new(),
            ends: false,
            ballast_bytes: 0,
        };
        let shared = Arc::new(Mutex::new(shared));
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if served.lock().unwrap_or_else(PoisonError::into_inner).ends {
                    return;
                }
                let _ = serve(stream, &served);
            }
        });
        Self { name, port, shared }
    }

    /// The host that its datapoints are about.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// An entry of a hub's devices.
    pub fn device(&self) -> (String, u16) {
        ("127.0.0.1".to_owned(), self.port)
    }

    /// What it has answered so far.
    pub fn ledger(&self) -> Ledger {
        self.lock().ledger.clone()
    }

    /// Has it send so many bytes of text beside its figures.
    pub fn set_ballast_bytes(&self, bytes: usize) {
        self.lock().ballast_bytes = bytes;
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn set_manner(&self, manner: Manner) {
        let mut shared = self.lock();
        shared.manner = manner;
        shared.hung.clear();
    }

    /// To be called when the hub is dead, before another is started.
    pub(super) fn hub_died(&self, kept_in_memory_from: Option<u64>) {
        // What the dead hub has asked still waits to be answered; connections are
        // served in their order, so behind this one nothing of it is left.
        let _ = http_get(self.port, SYNC_PATH);
        self.lock().ledger.hub_died(kept_in_memory_from);
    }

    pub(super) fn destroyed(&self, number: u64) {
        self.lock().ledger.destroyed(number);
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LedgerSpoke {
    fn drop(&mut self) {
        self.lock().ends = true;
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && request.len() < HEAD_LIMIT {
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    if request.starts_with(format!("GET {SYNC_PATH} ").as_bytes()) {
        return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    shared.ledger.asked();
    match shared.manner {
        Manner::Well => {
            let document = document(&mut shared);
            write_whole(&mut stream, &document)?;
            if is_read_in_whole(&mut stream)? {
                shared.ledger.read();
            }
        }
        Manner::Hangs => shared.hung.push(stream),
        Manner::Half => {
            let document = document(&mut shared);
            let half = document.len() / 2;
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", document.len())?;
            stream.write_all(&document[..half])?;
        }
        Manner::Garbage => stream.write_all(&[0xff, 0, b'\n', 7].repeat(500))?,
    }
    Ok(())
}

fn document(shared: &mut Shared) -> Vec<u8> {
    let now_ms = now_ms();
    let number = shared.ledger.answer(now_ms);
    let mut writer = DocumentWriter::new(&mut shared.series, 1000);
    for (key, value) in KEYS {
        writer.push(&DataPoint::new(key, DataType::Gauge, value(number)), now_ms);
    }
    if shared.ballast_bytes > 0 {
        let ballast = "x".repeat(shared.ballast_bytes);
        writer.push(&DataPoint::new("ballast", DataType::Text, ballast), now_ms);
    }
    writer.finish(now_ms)
}

fn write_whole(stream: &mut TcpStream, document: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        document.len()
    );
    stream.write_all(&[head.as_bytes(), document].concat())
}

//! A stand-in server: takes batches, checks that they are documents, counts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use pattoo_common::document::Document;

/// What was received.
#[derive(Default)]
pub struct Received {
    /// Batches that were documents.
    pub batches: AtomicUsize,
    /// Their datapoints.
    pub datapoints: AtomicUsize,
    /// Their bytes.
    pub bytes: AtomicUsize,
    /// Milliseconds from the start of the bench to the last batch.
    pub last_ms: AtomicUsize,
}

/// Starts it on a free port; it ends with the process.
pub fn start() -> (u16, Arc<Received>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let received = Arc::new(Received::default());
    let counts = Arc::clone(&received);
    let start = Instant::now();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if take(stream, &counts).is_some() {
                let ms = usize::try_from(start.elapsed().as_millis()).unwrap_or(usize::MAX);
                counts.last_ms.store(ms, Ordering::Relaxed);
            }
        }
    });
    (port, received)
}

fn take(stream: TcpStream, counts: &Received) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut stream = reader.into_inner();
    let answer =
        "HTTP/1.1 200 OK\r\nServer: pattood/0\r\nConnection: close\r\nContent-Length: 2\r\n\r\nOK";
    if !body.is_empty() {
        let document = Document::parse(&body).expect("the hub posts documents");
        counts.datapoints.fetch_add(document.datapoint_count(), Ordering::Relaxed);
        counts.bytes.fetch_add(body.len(), Ordering::Relaxed);
        counts.batches.fetch_add(1, Ordering::Relaxed);
    }
    stream.write_all(answer.as_bytes()).ok()
}

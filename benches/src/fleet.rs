//! A fleet of stand-in spokes in one process: one listener on all of 127/8, a
//! document of its own for each address.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use pattoo_common::datapoint::{DataPoint, DataType, Metadata, Value};
use pattoo_common::document::{Document, DocumentWriter, SampleValue, Series, Target};

/// The answer of a real spoke: 95 datapoints.
const CAPTURE: &[u8] = include_bytes!("../../tests/fixtures/wire/spoke-response.json");
/// Threads that answer.
const THREADS: usize = 2;

/// The stand-in spokes.
pub struct Fleet {
    port: u16,
    size: usize,
}

impl Fleet {
    /// Starts `size` devices, of which the last `hanging` take a request and
    /// never answer. They end with the process.
    pub fn start(size: usize, hanging: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let documents: Arc<Vec<Vec<u8>>> = Arc::new((0..size).map(answer).collect());
        let kept = Arc::new(Mutex::new(Vec::new()));
        for _ in 0..THREADS {
            let listener = listener.try_clone().expect("a descriptor");
            let (documents, kept) = (Arc::clone(&documents), Arc::clone(&kept));
            std::thread::spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    serve(stream, &documents, hanging, &kept);
                }
            });
        }
        Self { port, size }
    }

    /// The port of all devices.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of each device.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        (0..self.size).map(address)
    }

    /// `ip_devices` of a hub that polls them all.
    pub fn ip_devices(&self) -> String {
        let mut yaml = String::from("ip_devices:\n");
        for address in self.addresses() {
            let _ = writeln!(yaml, "  - ip_address: {address}\n    ip_bind_port: {}", self.port);
        }
        yaml
    }
}

/// 127.1.0.0 and on.
fn address(index: usize) -> Ipv4Addr {
    let index = u32::try_from(index).expect("a fleet is small");
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + index)
}

fn serve(
    mut stream: TcpStream,
    documents: &[Vec<u8>],
    hanging: usize,
    kept: &Mutex<Vec<TcpStream>>,
) {
    let Ok(SocketAddr::V4(local)) = stream.local_addr() else { return };
    let index = local.ip().to_bits().wrapping_sub(address(0).to_bits()) as usize;
    let Some(document) = documents.get(index) else { return };
    if index >= documents.len() - hanging {
        kept.lock().expect("no one panics").push(stream);
        return;
    }
    let mut request = [0; 2048];
    if stream.read(&mut request).is_ok() {
        let _ = stream.write_all(document);
    }
}

/// The whole HTTP answer of a device.
fn answer(index: usize) -> Vec<u8> {
    let body = document(index, |value| value);
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    answer
}

/// The document of a device: the capture under another name, with other values,
/// and checksums that are right. What `change` makes of a value stands there.
pub fn document(index: usize, change: impl FnMut(Value) -> Value) -> Vec<u8> {
    document_like(CAPTURE, index, 0, change)
}

/// The document of a device at a later poll.
pub fn later_document(index: usize, later_ms: u64, change: impl FnMut(Value) -> Value) -> Vec<u8> {
    document_like(CAPTURE, index, later_ms, change)
}

/// [`document`] after another answer of a spoke, and so much later than that.
pub fn document_like(
    capture: &[u8],
    index: usize,
    later_ms: u64,
    mut change: impl FnMut(Value) -> Value,
) -> Vec<u8> {
    let capture = Document::parse(capture).expect("the capture is a document");
    let hostname = format!("device{index}.example.net");
    let mut series: Option<Series> = None;
    let mut points = Vec::new();
    for sample in capture.samples() {
        let sample = sample.expect("the capture is right");
        let metadata = sample.metadata();
        let host = metadata.iter().position(|(key, _)| key == "release").expect("it is there");
        let pairs = |range: &[(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)]| {
            range.iter().map(|(key, value)| (leak(key), value.to_string())).collect::<Vec<_>>()
        };
        let (before, after) = (pairs(&metadata[..host]), pairs(&metadata[host + 6..]));
        series.get_or_insert_with(|| {
            let mut metadata = pairs(&metadata[host..host + 6]);
            metadata[5].1.clone_from(&hostname);
            Series::new(Target {
                agent_id: format!("{index:064x}"),
                program: "pattoo_agent_linux_spoked",
                agent_hostname: hostname.clone(),
                polled_target: hostname.clone(),
                metadata,
            })
        });
        let value = match sample.value {
            SampleValue::Integer(value) => Value::Integer(value + index as u64),
            SampleValue::Float(value) => Value::Float(value + index as f64),
            _ => Value::Integer(index as u64),
        };
        let value = change(value);
        let (key, data_type): (_, DataType) = (leak(&sample.key), sample.data_type);
        let point = match (before.is_empty(), after.is_empty()) {
            (false, _) => DataPoint::of(&Metadata::before_host(before), key, data_type, value),
            (_, false) => DataPoint::of(&Metadata::after_host(after), key, data_type, value),
            _ => DataPoint::new(key, data_type, value),
        };
        points.push((sample.timestamp_ms + index as u64 + later_ms, point));
    }
    let mut series = series.expect("the capture has datapoints");
    let mut writer = DocumentWriter::new(&mut series, capture.interval_ms());
    for (timestamp_ms, point) in &points {
        writer.push(point, *timestamp_ms);
    }
    writer.finish(capture.timestamp_ms())
}

/// Keys of datapoints live as long as the program. The few keys of the capture
/// are kept once.
fn leak(key: &str) -> &'static str {
    static KEYS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
    let mut keys = KEYS.lock().expect("no one panics");
    if let Some(known) = keys.iter().find(|known| **known == key) {
        return known;
    }
    let leaked: &'static str = Box::leak(key.to_owned().into_boxed_str());
    keys.push(leaked);
    leaked
}

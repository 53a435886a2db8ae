//! Merged batches as hubs post them, made fast enough that the load is not what
//! is measured: a batch is written once, and then only its times and values are
//! written over, in fields of one width.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use pattoo_common::datapoint::Value;
use pattoo_common::document::{Batch, Document};

use crate::fleet;

/// What stands for the first value while a batch is being made; the others
/// follow. So many digits, so wide is the field.
const FIRST_VALUE: u64 = 1_000_000_000_000_000;
const VALUE_WIDTH: usize = 16;
/// Digits of Unix times in milliseconds.
const TIME_WIDTH: usize = 13;
/// How long a server may take for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A batch of one hub.
pub struct Load {
    body: Vec<u8>,
    values: Vec<Figure>,
    /// Where a time stands, and how far it is behind the poll.
    times: Vec<(usize, u64)>,
    noise: u64,
}

/// A value of the batch.
struct Figure {
    at: usize,
    kind: Kind,
    state: u64,
}

/// What a value does from poll to poll.
#[derive(Clone, Copy)]
enum Kind {
    /// Stays: the size of a disk, errors of an interface.
    Constant,
    /// Grows by about this: bytes, ticks.
    Counter(u64),
    /// Goes up and down around this: free memory.
    Gauge(u64),
    /// A percentage with one place.
    Percent,
}

impl Load {
    /// The batch of a hub that polls these devices of the fleet.
    pub fn new(devices: impl Iterator<Item = usize>) -> Self {
        let mut next = FIRST_VALUE;
        let mut batch = Batch::new();
        for device in devices {
            let document = fleet::document(device, |_| {
                next += 1;
                Value::Integer(next - 1)
            });
            batch.add(&Document::parse(&document).expect("a document")).expect("room for it");
        }
        let body = batch.finish(&"b".repeat(64), 0, 10_000);
        let text = std::str::from_utf8(&body).expect("JSON");
        let values = fields(text, "\"pattoo_value\",", VALUE_WIDTH).map(|(at, number)| {
            let number = number - FIRST_VALUE;
            let kind = match number % 8 {
                0 | 1 => Kind::Constant,
                2..=4 => Kind::Counter(10 << (number % 20)),
                5 | 6 => Kind::Gauge(1_000 << (number % 20)),
                _ => Kind::Percent,
            };
            Figure { at, kind, state: number * 1_000 }
        });
        let values: Vec<_> = values.collect();
        let times: Vec<_> = fields(text, "\"pattoo_timestamp\",", TIME_WIDTH).collect();
        let last = times.iter().map(|(_, time)| *time).max().expect("there are times");
        let times = times.into_iter().map(|(at, time)| (at, last - time)).collect();
        Self { body, values, times, noise: next }
    }

    /// How many datapoints it has.
    pub fn datapoints(&self) -> usize {
        self.values.len()
    }

    /// The batch of the poll at this time.
    pub fn at(&mut self, poll_ms: u64) -> &[u8] {
        for (at, behind_ms) in &self.times {
            write_field(&mut self.body[*at..*at + TIME_WIDTH], poll_ms - behind_ms);
        }
        for figure in &mut self.values {
            // Xorshift, after Marsaglia.
            self.noise ^= self.noise << 13;
            self.noise ^= self.noise >> 7;
            self.noise ^= self.noise << 17;
            let noise = self.noise;
            let field = &mut self.body[figure.at..figure.at + VALUE_WIDTH];
            match figure.kind {
                Kind::Constant => write_field(field, figure.state),
                Kind::Counter(growth) => {
                    figure.state += growth + noise % growth;
                    write_field(field, figure.state);
                }
                Kind::Gauge(around) => write_field(field, around + noise % around / 16),
                Kind::Percent => {
                    let (field, fraction) = field.split_at_mut(VALUE_WIDTH - 2);
                    write_field(field, noise % 100);
                    fraction[0] = b'.';
                    fraction[1] = b'0' + u8::try_from(noise / 100 % 10).expect("a digit");
                }
            }
        }
        &self.body
    }
}

/// The places, and the numbers, behind a key.
fn fields<'t>(
    text: &'t str,
    key: &'t str,
    width: usize,
) -> impl Iterator<Item = (usize, u64)> + 't {
    text.match_indices(key).map(move |(at, _)| {
        let at = at + key.len();
        (at, text[at..at + width].parse().expect("a number of that width"))
    })
}

/// Writes a number to the right end of a field, with spaces before it.
fn write_field(field: &mut [u8], mut number: u64) {
    let mut place = field.len();
    loop {
        place -= 1;
        field[place] = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
        if number == 0 {
            break;
        }
    }
    field[..place].fill(b' ');
}

/// Posts a batch to a server on 127.0.0.1 and gives the status of its answer.
pub fn post(port: u16, body: &[u8]) -> io::Result<u16> {
    let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let head = format!(
        "POST /pattoo/api/v1/agent/receive/hub HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.take(64 << 10).read_to_end(&mut answer)?;
    let status = String::from_utf8_lossy(&answer[..answer.len().min(12)]).into_owned();
    let status = status.rsplit(' ').next().and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::other("no HTTP answer"))
}

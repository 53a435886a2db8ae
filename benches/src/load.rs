//! Merged batches as hubs post them, with values that are made up.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::fleet;
use crate::template::{Template, write_field};

/// How long a server may take for an answer.
const PATIENCE: Duration = Duration::from_mins(1);
/// No answer is longer.
const MAX_ANSWER: u64 = 4 << 20;

/// Batches of one hub.
pub struct Load {
    template: Template,
    series: Vec<Figures>,
    noise: u64,
}

/// The values of a series.
struct Figures {
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
        Self::of(Template::new(devices, |device, change| fleet::document(device, change)))
    }

    /// The batch of a hub that could not post for so many polls of one device.
    pub fn backlog(device: usize, polls: u64, poll_ms: u64) -> Self {
        Self::of(Template::backlog(device, polls, poll_ms))
    }

    fn of(template: Template) -> Self {
        let series = (0..template.series() as u64).map(|number| {
            let kind = match number % 8 {
                0 | 1 => Kind::Constant,
                2..=4 => Kind::Counter(10 << (number % 20)),
                5 | 6 => Kind::Gauge(1_000 << (number % 20)),
                _ => Kind::Percent,
            };
            Figures { kind, state: number * 1_000 }
        });
        Self { series: series.collect(), template, noise: 0x9E37_79B9_7F4A_7C15 }
    }

    /// How many datapoints it has.
    pub fn datapoints(&self) -> usize {
        self.template.datapoints()
    }

    /// The batch of the poll at this time; of a backlog, that is the last one.
    pub fn at(&mut self, poll_ms: u64) -> &[u8] {
        let Self { template, series, noise } = self;
        template.fill(poll_ms, |number, field| {
            let Figures { kind, state } = &mut series[number];
            // Xorshift, after Marsaglia.
            *noise ^= *noise << 13;
            *noise ^= *noise >> 7;
            *noise ^= *noise << 17;
            match *kind {
                Kind::Constant => write_field(field, *state),
                Kind::Counter(growth) => {
                    *state += growth + *noise % growth;
                    write_field(field, *state);
                }
                Kind::Gauge(around) => write_field(field, around + *noise % around / 16),
                Kind::Percent => {
                    let (field, fraction) = field.split_at_mut(field.len() - 2);
                    write_field(field, *noise % 100);
                    fraction[0] = b'.';
                    fraction[1] = b'0' + u8::try_from(*noise / 100 % 10).expect("a digit");
                }
            }
        })
    }
}

/// Posts a batch to a server on 127.0.0.1 and gives the status of its answer.
pub fn post(port: u16, body: &[u8]) -> io::Result<u16> {
    Ok(exchange(port, "POST /pattoo/api/v1/agent/receive/hub", body)?.0)
}

/// Asks a server on 127.0.0.1 a GraphQL question and gives the answer.
pub fn ask(port: u16, question: &str) -> io::Result<String> {
    let body = format!("{{\"query\":\"{}\"}}", question.replace('"', "\\\""));
    let (status, answer) = exchange(port, "POST /pattoo/api/v1/web/graphql", body.as_bytes())?;
    if status == 200 { Ok(answer) } else { Err(io::Error::other(answer)) }
}

/// Gets a page of a server on 127.0.0.1: status and body.
pub fn get(port: u16, path: &str) -> io::Result<(u16, String)> {
    exchange(port, &format!("GET {path}"), &[])
}

/// Sends JSON and gives the status and the body of the answer.
fn exchange(port: u16, request: &str, body: &[u8]) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let head = format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("no HTTP answer"))?;
    Ok((status, answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.into())))
}

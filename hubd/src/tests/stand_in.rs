//! Stand-ins on loopback: spokes and servers that behave, or do not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use pattoo_common::http_client::Address;

/// How long a test waits for what must come. Never waited for in full unless the
/// test fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request that a stand-in got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Got {
    pub(super) line: String,
    pub(super) host: String,
    pub(super) body: Vec<u8>,
}

/// Starts a server that answers every connection with `answer`, which gets the
/// request and the stream. It ends with the process.
pub(super) fn serve(
    ip: IpAddr,
    answer: impl Fn(Got, &mut TcpStream) + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || {
                if let Some(got) = read_request(&stream) {
                    answer(got, &mut stream);
                }
            });
        }
    });
    address
}

pub(super) const IPV4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(super) const IPV6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A spoke that answers with `body`.
pub(super) fn spoke(body: Vec<u8>) -> Address {
    device(serve(IPV4, move |got, stream| {
        assert!(got.line.starts_with("GET /pattoo-agent-linux/"), "{}", got.line);
        let _ = stream.write_all(&http(200, "", &body));
    }))
}

/// A device at a loopback address.
pub(super) fn device(address: SocketAddr) -> Address {
    Address { host: address.ip().to_string(), port: address.port() }
}

/// Where nobody listens: no port that the kernel might give to somebody else.
pub(super) fn nobody() -> Address {
    device(SocketAddr::new(IPV4, 1))
}

/// A whole HTTP answer.
pub(super) fn http(status: u16, header: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\n{header}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// Waits until the other side closes.
pub(super) fn hang(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0]);
}

/// What the stand-in server does with a post.
pub(super) enum Act {
    /// Answers with this status.
    Status(u16),
    /// Closes without a word.
    Close,
    /// Says nothing.
    Hang,
}

/// A stand-in server that notes every post, and those that it took.
pub(super) struct Receiver {
    pub(super) address: Address,
    posts: Arc<Posts>,
    server: Arc<Mutex<&'static str>>,
}

#[derive(Default)]
struct Posts {
    list: Mutex<Vec<(Vec<u8>, bool)>>,
    changed: Condvar,
}

impl Receiver {
    /// `server` is its `Server` header; `act` decides by the number of the post
    /// and its body.
    pub(super) fn start(
        server: &'static str,
        act: impl Fn(usize, &[u8]) -> Act + Send + Sync + 'static,
    ) -> Self {
        let posts = Arc::new(Posts::default());
        let server = Arc::new(Mutex::new(server));
        let (noted, name) = (Arc::clone(&posts), Arc::clone(&server));
        let address = serve(IPV4, move |got, stream| {
            let header = format!("Server: {}\r\n", name.lock().unwrap());
            if got.line == "GET /pattoo/api/v1/agent/status HTTP/1.1" {
                let _ = stream.write_all(&http(200, &header, b"fine"));
                return;
            }
            let wanted = format!("POST /pattoo/api/v1/agent/receive/{} HTTP/1.1", super::HUB_ID);
            assert_eq!(got.line, wanted);
            let act = act(noted.list.lock().unwrap().len(), &got.body);
            // Noted before the answer, so that a test sees it no later than the hub.
            let taken = matches!(act, Act::Status(200));
            noted.list.lock().unwrap().push((got.body, taken));
            noted.changed.notify_all();
            match act {
                Act::Status(status) => {
                    let _ = stream.write_all(&http(status, &header, b"because"));
                }
                Act::Close => {}
                Act::Hang => hang(stream),
            }
        });
        Self { address: device(address), posts, server }
    }

    /// Another server takes its place.
    pub(super) fn replace(&self, server: &'static str) {
        *self.server.lock().unwrap() = server;
    }

    /// Waits until so many posts were taken, and returns their bodies.
    pub(super) fn taken(&self, count: usize) -> Vec<Vec<u8>> {
        let too_few = |list: &mut Vec<(Vec<u8>, bool)>| {
            list.iter().filter(|(_, taken)| *taken).count() < count
        };
        let list = self.posts.list.lock().unwrap();
        let (list, wait) = self.posts.changed.wait_timeout_while(list, PATIENCE, too_few).unwrap();
        assert!(!wait.timed_out(), "{} posts, {count} to be taken", list.len());
        list.iter().filter(|(_, taken)| *taken).map(|(body, _)| body.clone()).collect()
    }

    /// How many posts came, taken or not.
    pub(super) fn posts(&self) -> usize {
        self.posts.list.lock().unwrap().len()
    }

    /// Waits until so many posts came.
    pub(super) fn wait_posts(&self, count: usize) {
        let too_few = |list: &mut Vec<(Vec<u8>, bool)>| list.len() < count;
        let list = self.posts.list.lock().unwrap();
        let (list, wait) = self.posts.changed.wait_timeout_while(list, PATIENCE, too_few).unwrap();
        assert!(!wait.timed_out(), "{} of {count} posts", list.len());
    }
}

fn read_request(stream: &TcpStream) -> Option<Got> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (mut length, mut host) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap();
            }
            Some((name, value)) if name.eq_ignore_ascii_case("host") => host = value.to_owned(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Got { line: line.trim_end().to_owned(), host, body })
}

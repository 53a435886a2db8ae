//! The server under attack in its own process, and the clients of the tests.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pattoo_tests::loopback::connect_from;

/// A test that waits longer than this for anything has failed.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct Victim {
    child: Child,
    stdout: BufReader<ChildStdout>,
    port: u16,
    at_rest: Figures,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Figures {
    threads: usize,
    descriptors: usize,
}

/// An answer, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Victim {
    /// Starts a server: `spoke` or `server`, then what differs from that preset.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
        let mut child = Command::new(env!("CARGO_BIN_EXE_http_server_under_attack"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        let at_rest = Figures::of(&child);
        Self { child, stdout, port, at_rest }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        self.connect_from(Ipv4Addr::LOCALHOST.into()).unwrap()
    }

    /// A connection over the loopback address of one family.
    pub(crate) fn connect_from(&self, address: IpAddr) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&SocketAddr::new(address, self.port), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// A connection that comes from this address of loopback.
    pub(crate) fn connect_as(&self, source: Ipv4Addr) -> TcpStream {
        connect_from(source, self.port, PATIENCE).unwrap()
    }

    /// Sends bytes and reads what is answered, to the end.
    pub(crate) fn exchange(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut stream = self.connect();
        // The server may have answered and closed before it took everything.
        let _ = stream.write_all(request.as_ref());
        Reply::read(stream)
    }

    /// What a usual client does and gets.
    pub(crate) fn assert_serves(&self) {
        let reply = self.exchange("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!((reply.status, reply.body.len()), (200, 30_000), "{}", reply.head);
    }

    /// Waits until threads and descriptors are what they were at the start.
    pub(crate) fn assert_back_at_rest(&self) {
        wait_until("threads and descriptors to be as at the start", || {
            let now = Figures::of(&self.child);
            (now != self.at_rest).then(|| format!("{now:?}, not {:?}", self.at_rest))
        });
    }

    /// Connections that the server has open.
    pub(crate) fn open_connections(&self) -> usize {
        Figures::of(&self.child).descriptors.saturating_sub(self.at_rest.descriptors)
    }

    pub(crate) fn threads(&self) -> usize {
        Figures::of(&self.child).threads
    }

    /// The most memory it ever had, in KiB.
    pub(crate) fn peak_memory_kib(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// CPU time of all its threads, in hundredths of a second (proc(5), `stat`).
    pub(crate) fn cpu_ticks(&self) -> usize {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let behind_name = stat.rsplit_once(") ").unwrap().1;
        behind_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<usize>().unwrap()).sum()
    }

    /// How often its threads were put to sleep or interrupted since they began.
    pub(crate) fn context_switches(&self) -> usize {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of_task = |status: String| -> usize {
            let lines = status.lines().filter(|line| line.contains("ctxt_switches"));
            lines.map(|line| line.split_once(':').unwrap().1.trim().parse::<usize>().unwrap()).sum()
        };
        tasks
            .map(|task| of_task(fs::read_to_string(task.unwrap().path().join("status")).unwrap()))
            .sum()
    }

    /// Tells it to stop; the process goes on.
    pub(crate) fn order_stop(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"stop\n").unwrap();
    }

    /// Waits until it has stopped, and counts that nothing is left.
    pub(crate) fn assert_stopped(&mut self) {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "stopped\n");
        wait_until("all threads but the first to end", || {
            let threads = self.threads();
            (threads != 1).then(|| format!("{threads} threads"))
        });
        let left = self.at_rest.descriptors - Figures::of(&self.child).descriptors;
        assert_eq!(left, 3, "the listening socket, the bell and the spare descriptor are closed");
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Figures {
    fn of(child: &Child) -> Self {
        let count = |what| fs::read_dir(format!("/proc/{}/{what}", child.id())).unwrap().count();
        Self { threads: count("task"), descriptors: count("fd") }
    }
}

impl Reply {
    /// Reads to the end, or until the connection breaks.
    pub(crate) fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            assert!(bytes.is_empty(), "half a head: {:?}", String::from_utf8_lossy(&bytes));
            return Self::default();
        };
        let body = bytes.split_off(end + 4);
        let head = String::from_utf8(bytes).unwrap();
        let status = head.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
        Self { status, head, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The `error` of a JSON answer.
    pub(crate) fn error(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        body["error"].as_str().unwrap().to_owned()
    }
}

/// Waits until `missing` finds nothing missing.
pub(crate) fn wait_until(what: &str, missing: impl Fn() -> Option<String>) {
    let end = Instant::now() + PATIENCE;
    while let Some(missing) = missing() {
        assert!(Instant::now() < end, "waited for {what}: {missing}");
        thread::park_timeout(Duration::from_millis(10));
    }
}

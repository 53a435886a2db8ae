//! Whether a client has read an answer to its end.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

/// How long an acknowledgement may be under way on loopback.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(1);

/// Ends an answer, and waits until the other side closes. True: it has read all of it,
/// and closed without a reset, as a socket with bytes that nobody read would send.
pub(crate) fn is_read_in_whole(stream: &mut TcpStream) -> io::Result<bool> {
    stream.shutdown(Shutdown::Write)?;
    // Unlike `read`, this goes on where a process that stood still is interrupted.
    match stream.read_exact(&mut [0]) {
        Ok(()) => return Ok(false),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
        Err(error) => return Err(error),
    }
    // One that has given up may close before the bytes come to it.
    let deadline = Instant::now() + ACKNOWLEDGED_WITHIN;
    while !nothing_unsent(stream)? {
        if stream.take_error()?.is_some() || Instant::now() >= deadline {
            return Ok(false);
        }
        thread::yield_now();
    }
    Ok(true)
}

/// Whether the other side has acknowledged every byte.
#[allow(unsafe_code)]
fn nothing_unsent(stream: &TcpStream) -> io::Result<bool> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: TIOCOUTQ writes one int to the pointer, which is to a live one.
    match unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) } {
        0 => Ok(bytes == 0),
        _ => Err(io::Error::last_os_error()),
    }
}

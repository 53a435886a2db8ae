//! Taking clients from the listening socket. No error of accept(2) closes it.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Instant;

use super::limits::DOOR_PAUSE;

/// What comes of looking for a client.
pub(super) enum Knock {
    /// A client, its socket not blocking.
    Client(TcpStream, SocketAddr),
    /// A client that was gone before it came in.
    Gone,
    /// Nobody is there.
    Nobody,
    /// No descriptor or memory is left for a client.
    NoDescriptor(io::Error),
    /// What accept(2) does not tell of: looking again at once would spin.
    Failed(io::Error),
}

pub(super) struct Door {
    listener: TcpListener,
    /// A descriptor that is given up so that one client can always come in.
    spare: Option<File>,
    shut_until: Option<Instant>,
}

impl Door {
    pub(super) fn new(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { listener, spare: Some(take_spare()?), shut_until: None })
    }

    pub(super) fn look(&self) -> Knock {
        let accepted = self.listener.accept().and_then(|(socket, peer)| {
            socket.set_nonblocking(true)?;
            Ok((socket, SocketAddr::new(peer.ip().to_canonical(), peer.port())))
        });
        match accepted {
            Ok((socket, peer)) => Knock::Client(socket, peer),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Knock::Nobody,
            Err(error) => match error.raw_os_error() {
                Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                    Knock::NoDescriptor(error)
                }
                // What went wrong with the client's own connection: accept(2) says to
                // treat it as if nobody had come.
                Some(
                    libc::ECONNABORTED
                    | libc::EINTR
                    | libc::EPERM
                    | libc::EPROTO
                    | libc::ENOPROTOOPT
                    | libc::EOPNOTSUPP
                    | libc::ENETDOWN
                    | libc::ENETUNREACH
                    | libc::EHOSTDOWN
                    | libc::EHOSTUNREACH
                    | libc::ENONET,
                ) => Knock::Gone,
                _ => Knock::Failed(error),
            },
        }
    }

    /// Gives up the spare descriptor, if it is there.
    pub(super) fn give_up_spare(&mut self) -> bool {
        self.spare.take().is_some()
    }

    /// Looks at nobody for a while: the kernel would say at once that somebody is
    /// there, and nothing could be done.
    pub(super) fn shut(&mut self, now: Instant) {
        self.shut_until = Some(now + DOOR_PAUSE);
    }

    /// Something was freed, or the time is up: clients may come in again.
    pub(super) fn open(&mut self) {
        self.shut_until = None;
        if self.spare.is_none() {
            self.spare = take_spare().ok();
        }
    }

    /// When a shut door opens by itself.
    pub(super) fn shut_until(&self) -> Option<Instant> {
        self.shut_until
    }
}

impl AsRawFd for Door {
    fn as_raw_fd(&self) -> RawFd {
        self.listener.as_raw_fd()
    }
}

fn take_spare() -> io::Result<File> {
    File::open("/dev/null")
}

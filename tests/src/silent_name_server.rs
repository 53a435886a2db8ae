//! A name server that takes every question and answers none, so that
//! `getaddrinfo` hangs for minutes.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;

use crate::mount_namespace::{mount, own_namespace, unmount};
use crate::{Folder, PATIENCE};

/// The port of a name server; it cannot be chosen, see `resolv.conf(5)`.
const PORT: u16 = 53;

/// What the C library reads.
const NAME_SERVERS: &str = "/etc/resolv.conf";
const ORDER: &str = "/etc/nsswitch.conf";

/// The only name server of the thread that made it and of the processes that
/// this thread starts.
pub struct SilentNameServer {
    socket: UdpSocket,
    // The files that are mounted.
    folder: Folder,
}

impl SilentNameServer {
    /// Takes the place of the system's. Needs root; an error tells what this
    /// machine lacks for it.
    pub fn start() -> Result<Self, String> {
        let lacks = |what: &str, error: io::Error| format!("{what}: {error}");
        let socket = bind().map_err(|error| lacks("binding the port of a name server", error))?;
        let address = socket.local_addr().map_err(|error| lacks("its address", error))?.ip();
        own_namespace().map_err(|error| lacks("a mount namespace of its own", error))?;
        let server = Self { socket, folder: Folder::new("silent-name-server") };
        let name_servers = format!("nameserver {address}\noptions timeout:30 attempts:5\n");
        for (path, text) in [(NAME_SERVERS, &*name_servers), (ORDER, "hosts: files dns\n")] {
            let path = Path::new(path);
            let file = server.folder.write(path.file_name().expect("a file"), text);
            if path.exists() {
                mount(&file, path, c"none", libc::MS_BIND, "")
                    .map_err(|error| lacks("mounting its configuration", error))?;
            }
        }
        Ok(server)
    }

    /// Waits until somebody asks: it then waits for the answer in vain.
    pub fn wait_until_asked(&self) {
        self.socket.set_read_timeout(Some(PATIENCE)).expect("a time above 0");
        self.socket.recv(&mut [0; 512]).expect("a question within the time");
    }
}

impl Drop for SilentNameServer {
    fn drop(&mut self) {
        for path in [NAME_SERVERS, ORDER] {
            unmount(Path::new(path));
        }
    }
}

/// Takes an address of loopback that no other test has.
fn bind() -> io::Result<UdpSocket> {
    let taken = io::Error::from(io::ErrorKind::AddrInUse);
    (1..=u8::MAX)
        .map(|host| UdpSocket::bind((Ipv4Addr::new(127, 53, 53, host), PORT)))
        .find(|socket| !matches!(socket, Err(error) if error.kind() == taken.kind()))
        .unwrap_or(Err(taken))
}

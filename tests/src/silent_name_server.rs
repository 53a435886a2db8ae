//! A name server that takes every question and answers none, so that
//! `getaddrinfo` hangs for minutes.

use std::io;
use std::net::UdpSocket;
use std::path::Path;

use crate::mount_namespace::{mount, own_namespace, unmount};
use crate::{Folder, PATIENCE};

/// An address of loopback that nobody else is likely to have taken; the port of a
/// name server cannot be chosen, see `resolv.conf(5)`.
const ADDRESS: (&str, u16) = ("127.53.53.53", 53);

/// What the C library reads in the place of its own files.
const FILES: [(&str, &str); 2] = [
    ("/etc/resolv.conf", "nameserver 127.53.53.53\noptions timeout:30 attempts:5\n"),
    ("/etc/nsswitch.conf", "hosts: files dns\n"),
];

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
        let socket = UdpSocket::bind(ADDRESS)
            .map_err(|error| lacks("binding the port of a name server", error))?;
        own_namespace().map_err(|error| lacks("a mount namespace of its own", error))?;
        let folder = Folder::new("silent-name-server");
        let server = Self { socket, folder };
        for (path, text) in FILES {
            let path = Path::new(path);
            let name = path.file_name().expect("a file");
            let file = server.folder.write(name, text);
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
        for (path, _) in FILES {
            unmount(Path::new(path));
        }
    }
}

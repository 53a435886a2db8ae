//! What a service manager is told, where one listens: `sd_notify(3)`, without its
//! library. Where `NOTIFY_SOCKET` is not set nothing is sent and no thread runs.
#![allow(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::thread;
use std::time::Duration;

use super::serving::Health;

/// Names the socket of the service manager.
const SOCKET: &str = "NOTIFY_SOCKET";
/// The time within which it wants a sign of life, in microseconds.
const WATCHDOG_TIME: &str = "WATCHDOG_USEC";
/// Whose sign of life it wants.
const WATCHDOG_PROCESS: &str = "WATCHDOG_PID";

/// The service manager, if there is one.
#[derive(Debug)]
pub(super) struct ServiceManager {
    socket: Option<UnixDatagram>,
    /// A sign of life is given so often.
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// The one that the environment names.
    pub(super) fn of_environment() -> Self {
        let Some(name) = env::var_os(SOCKET).filter(|name| !name.is_empty()) else {
            return Self { socket: None, watchdog: None };
        };
        match connect(&name) {
            Ok(socket) => Self { socket: Some(socket), watchdog: watchdog(env::var) },
            Err(error) => {
                log::warn!("the service manager at {} is not told: {error}", name.display());
                Self { socket: None, watchdog: None }
            }
        }
    }

    /// The program serves.
    pub(super) fn ready(&self) {
        self.tell("READY=1");
    }

    /// The program reads its configuration again; [`ServiceManager::ready`] follows.
    pub(super) fn reloading(&self) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
    }

    /// The program ends.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// Gives signs of life from now on, each only if the program is well. The
    /// thread ends with the process; there is none if none are wanted.
    pub(super) fn watch(&self, health: Health) {
        let (Some(socket), Some(pause)) = (&self.socket, self.watchdog) else { return };
        let started = socket.try_clone().and_then(|socket| {
            thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
                let mut fault = None;
                loop {
                    let now = health().err();
                    match &now {
                        None => drop(socket.send(b"WATCHDOG=1")),
                        Some(reason) if fault != now => log::error!(
                            "{reason}; the service manager is told nothing and may restart it"
                        ),
                        Some(_) => {}
                    }
                    fault = now;
                    // Nothing unparks this thread: it is a pause.
                    thread::park_timeout(pause);
                }
            })
        });
        if let Err(error) = started {
            log::error!("no thread to give the service manager signs of life: {error}");
        }
    }

    fn tell(&self, state: &str) {
        // A service manager that does not listen loses by it, and nobody else.
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(state.as_bytes())
        {
            log::debug!("the service manager was not told {state:?}: {error}");
        }
    }
}

/// A path, or with `@` before it the name of an abstract socket.
fn connect(name: &OsString) -> io::Result<UnixDatagram> {
    let address = match name.as_bytes() {
        [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    // It may be slow to read; we do not wait for it.
    socket.set_nonblocking(true)?;
    socket.connect_addr(&address)?;
    Ok(socket)
}

/// Half of the time, if it is asked of this process.
fn watchdog<E>(variable: impl Fn(&'static str) -> Result<String, E>) -> Option<Duration> {
    let number = |name| variable(name).ok()?.parse::<u64>().ok();
    let ours = u64::from(std::process::id());
    let is_other = number(WATCHDOG_PROCESS).is_some_and(|process| process != ours);
    let time_us = number(WATCHDOG_TIME).filter(|time| *time > 0 && !is_other)?;
    Some(Duration::from_micros(time_us.div_ceil(2)))
}

fn monotonic_us() -> u64 {
    // SAFETY: all bits 0 is a value of this structure of two integers.
    let mut time = unsafe { std::mem::zeroed::<libc::timespec>() };
    // SAFETY: the pointer is to a live timespec, which the call fills.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    let number = |part| u64::try_from(part).unwrap_or(0);
    number(i128::from(time.tv_sec)) * 1_000_000 + number(i128::from(time.tv_nsec)) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_of_another_process_is_not_ours() {
        let with = |time: &'static str, process: Option<String>| {
            watchdog(move |name| match name {
                WATCHDOG_TIME => Ok(time.to_owned()),
                _ => process.clone().ok_or(()),
            })
        };
        let ours = std::process::id();
        assert_eq!(with("3000000", None), Some(Duration::from_millis(1_500)));
        assert_eq!(with("3000000", Some(ours.to_string())), Some(Duration::from_millis(1_500)));
        assert_eq!(with("3000000", Some((ours + 1).to_string())), None);
        assert_eq!(with("0", None), None);
        assert_eq!(with("soon", None), None);
    }
}

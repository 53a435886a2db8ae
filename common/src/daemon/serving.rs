//! The life of a process that serves: from the lock to the signal that ends it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::exit;
use crate::logging::LogOutput;
use crate::off_thread::off_thread;

use super::pid_file::Lock;
use super::process::exit_now;
use super::service_manager::ServiceManager;
use super::signals::{News, SignalQueue};

/// How long the program's own shutdown may take; the rest of a second is for
/// what comes before and after it.
const SHUTDOWN_WITHIN: Duration = Duration::from_millis(700);

/// Tells whether a program does its work, or what of it hangs. Asked from any
/// thread; it takes a few seconds at most.
pub type Health = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What a program is while it serves.
pub trait Serving: Send {
    /// Closes what it listens on and ends what should not end in the middle,
    /// within a few hundred milliseconds; it is not waited for longer. The
    /// process ends after it, and its lock is free a moment before the kernel
    /// closes its sockets: what is still open then may refuse its port to a
    /// start at that very moment.
    fn shutdown(&mut self);

    /// Called on SIGHUP, once the log file is reopened. Must return soon: no
    /// other signal is obeyed meanwhile.
    fn reload(&mut self) {}

    /// How to find out whether it does its work.
    fn health(&self) -> Health {
        Arc::new(|| Ok(()))
    }
}

/// A program that serves, and where it logs.
pub struct Running {
    /// The program.
    pub serving: Box<dyn Serving>,
    /// Its log, reopened on SIGHUP.
    pub log: LogOutput,
}

/// Serves until a signal ends the process. Returns only with the reason why it
/// cannot serve; the PID file is removed then. `ready` is called once it does.
pub(super) fn serve(
    name: &str,
    lock: &Lock,
    begin: impl FnOnce() -> Result<Running, String>,
    ready: impl FnOnce() -> Result<(), String>,
) -> String {
    let signals = |error| format!("cannot handle signals: {error}");
    let started = SignalQueue::new().map_err(signals).and_then(|queue| Ok((queue, begin()?)));
    let (mut queue, Running { mut serving, log }) = match started {
        Ok(started) => started,
        Err(reason) => {
            let _ = lock.remove();
            return reason;
        }
    };
    if let Err(reason) = lock.write_pid() {
        log::warn!("{reason}; status and stop work without it");
    }
    let announced = queue
        .collect_ending()
        .map_err(signals)
        .and_then(|()| lock.mark_serving())
        .and_then(|()| ready());
    if let Err(reason) = announced {
        shut_down(serving);
        let _ = lock.remove();
        return reason;
    }
    log::info!("{name} serves");
    let manager = ServiceManager::of_environment();
    let health = serving.health();
    manager.watch(Arc::clone(&health));
    manager.ready();
    let signal = queue.wait_for_end(|news| match news {
        News::HungUp => {
            manager.reloading();
            match log.reopen() {
                Ok(()) => log::info!("SIGHUP: the log file is reopened"),
                Err(reason) => log::error!("SIGHUP: {reason}; the old log file is kept"),
            }
            serving.reload();
            manager.ready();
        }
        News::Asked => {
            if let Err(reason) = health().and_then(|()| lock.beat()) {
                log::error!("asked for its status: {reason}");
            }
        }
    });
    log::info!("{name} ends: {signal}");
    manager.stopping();
    shut_down(serving);
    if let Err(reason) = lock.remove() {
        log::warn!("{reason}");
    }
    exit_now(exit::DONE)
}

/// Lets the program shut down, and waits for that no longer than it may take.
fn shut_down(mut serving: Box<dyn Serving>) {
    let thread = thread::Builder::new().name("shutdown".to_owned());
    let deadline = Instant::now() + SHUTDOWN_WITHIN;
    match off_thread(thread, deadline, move || serving.shutdown()) {
        Ok(None) => log::warn!("the shutdown is not waited for any longer"),
        Ok(Some(())) => {}
        Err(error) => log::warn!("no thread for the shutdown: {error}"),
    }
}

//! The threads of the collector.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::{io, thread};

use super::Shared;
use super::state::State;
use crate::descriptors;

/// Sources parse on such a stack; only what they use of it is ever real memory.
const READER_STACK_BYTES: usize = 512 * 1024;

const KEEPER_STACK_BYTES: usize = 64 * 1024;

/// Starts the thread that starts the readers.
pub(super) fn start_keeper(shared: &Arc<Shared>, state: &mut MutexGuard<'_, State>) {
    let own = Arc::clone(shared);
    match spawn("keeper", KEEPER_STACK_BYTES, move || keep(&own)) {
        Ok(()) => {
            state.kept = true;
            state.change_reader();
        }
        Err(error) => state.start_error = Some(said(&error)),
    }
}

/// Leaves the table of the process, starts a reader whenever another one is put
/// in charge, and at the end drops the sources where their files are open.
fn keep(shared: &Arc<Shared>) {
    let outcome = descriptors::leave();
    let mut state = shared.lock();
    state.table_error = outcome.err().map(|error| error.to_string());
    while !state.closing {
        if !state.wants_reader() {
            state = shared.keeper.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        let number = state.start_reader();
        let own = Arc::clone(shared);
        if let Err(error) = spawn("reader", READER_STACK_BYTES, move || read(&own, number)) {
            state.start_error = Some(said(&error));
            shared.done.notify_one();
        }
    }
    let sources = state.take_sources();
    drop(state);
    drop(sources);
}

/// Reads sources for as long as this reader is in charge.
fn read(shared: &Shared, me: u64) {
    let mut state = shared.lock();
    while !state.closing && state.reader == me {
        let Some(mut reading) = state.take() else {
            state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(state);
        reading.read();
        state = shared.lock();
        if state.closing {
            drop(state);
            drop(reading);
            return;
        }
        state.give_back(me, reading);
        if state.is_complete() {
            // Who is woken takes the lock: it would have to wait for it.
            drop(state);
            shared.done.notify_one();
            state = shared.lock();
        }
    }
}

fn spawn(name: &str, stack_bytes: usize, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).stack_size(stack_bytes).spawn(run).map(drop)
}

fn said(error: &io::Error) -> String {
    format!("no thread could be started to read it: {error}")
}

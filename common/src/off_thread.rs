//! What may hang is done on a thread of its own, and waited for no longer than until a
//! deadline.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Does `work` on `thread`, and waits for the outcome, and for the drop of what `work`
/// has taken, until the deadline. A thread that hangs is left behind: nothing can
/// interrupt it, and it ends by itself. One that panics, where that ends no process,
/// has no outcome, and is waited for as if it hung.
///
/// # Errors
/// There is no room for one more thread.
pub(crate) fn off_thread<T: Send + 'static>(
    thread: thread::Builder,
    deadline: Instant,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Option<T>> {
    let ours = Arc::new((Mutex::new(None), Condvar::new()));
    let theirs = Arc::clone(&ours);
    thread.spawn(move || {
        let outcome = work();
        *theirs.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        theirs.1.notify_one();
    })?;
    let outcome = ours.0.lock().unwrap_or_else(PoisonError::into_inner);
    let left = deadline.saturating_duration_since(Instant::now());
    let waited = ours.1.wait_timeout_while(outcome, left, |outcome| outcome.is_none());
    Ok(waited.unwrap_or_else(PoisonError::into_inner).0.take())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_outcome_is_given_as_soon_as_it_is_there() {
        let deadline = Instant::now() + Duration::from_hours(1);
        assert_eq!(off_thread(thread::Builder::new(), deadline, || 7).unwrap(), Some(7));
    }

    #[test]
    fn what_hangs_is_left_behind() {
        let (release, wait) = mpsc::channel::<()>();
        let (told, heard) = mpsc::channel();
        let hang = move || {
            let _ = wait.recv();
            told.send(()).unwrap();
        };
        let soon = Instant::now() + Duration::from_millis(1);
        assert_eq!(off_thread(thread::Builder::new(), soon, hang).unwrap(), None);
        drop(release);
        heard.recv_timeout(Duration::from_secs(30)).unwrap();
    }
}

//! How much CPU time a thread leaves to others.
#![allow(unsafe_code)]

/// Lets the calling thread, and no other, yield: on a busy machine it gets about
/// a fifth less of a core with each step (`nice(2)`, 1 to 19). Cannot be taken back.
pub fn yield_to_others(steps: i32) {
    // SAFETY: the call takes an integer. On Linux it is about the calling thread.
    // Whoever makes room is never refused, so there is no error to look at.
    let _ = unsafe { libc::nice(steps) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field 19 of `proc_pid_stat(5)`.
    fn niceness() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let behind_name = &stat[stat.rfind(')').unwrap() + 2..];
        behind_name.split(' ').nth(19 - 3).unwrap().parse().unwrap()
    }

    #[test]
    fn only_the_thread_that_asks_yields() {
        let before = niceness();
        let yielded = std::thread::spawn(|| {
            yield_to_others(3);
            niceness()
        });
        assert_eq!(yielded.join().unwrap(), (before + 3).min(19));
        assert_eq!(niceness(), before);
    }
}

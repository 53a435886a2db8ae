//! A wall clock that a test turns, for programs that link the C library dynamically.
//! The clocks that only count run as they do.

use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

use crate::{Daemon, Folder, binary_of_system, command, finish};

/// The variable that names the file with what the clock shows.
const VARIABLE: &str = "TURNED_CLOCK";

/// Put before the C library: `+SECONDS` in the file is how far the clock is ahead,
/// `=SECONDS` where it stands.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, now), before = errno;
    if (result || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return result;
    char text[32] = "";
    int file = open(getenv("TURNED_CLOCK"), O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) <= 0) text[0] = 0;
        close(file);
    }
    if (text[0] == '+') now->tv_sec += atol(text + 1);
    if (text[0] == '=') *now = (struct timespec){.tv_sec = atol(text + 1)};
    errno = before;
    return 0;
}
"#;

/// The clock. It shows the true time until it is turned.
#[derive(Debug)]
pub struct TurnedClock {
    library: PathBuf,
    file: PathBuf,
}

impl TurnedClock {
    /// Makes one in a folder. `None`, said loudly, without a C compiler.
    pub fn make(folder: &Folder) -> Option<Self> {
        let Ok(compiler) = catch_unwind(|| binary_of_system("cc")) else {
            eprintln!("SKIPPED: a clock that is turned: there is no C compiler to turn it with");
            return None;
        };
        let (source, library) = (folder.write("clock.c", SOURCE), folder.join("clock.so"));
        let mut compile = command(&compiler, folder.path());
        let made = finish(compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source));
        assert_eq!(made.code, 0, "{made:?}");
        let clock = Self { library, file: folder.join("clock") };
        clock.run_ahead(0);
        Some(clock)
    }

    /// A daemon goes by this clock from its next start on.
    pub fn give_to(&self, daemon: &mut Daemon) {
        daemon.set_variable("LD_PRELOAD", &self.library);
        daemon.set_variable(VARIABLE, &self.file);
    }

    /// Has it run ahead of the true time, or behind it if that is negative.
    pub fn run_ahead(&self, seconds: i64) {
        self.show(&format!("+{seconds}"));
    }

    /// Has it stand so many seconds after the beginning of 1970.
    pub fn stand_at(&self, seconds: i64) {
        self.show(&format!("={seconds}"));
    }

    /// At once: who reads it meanwhile sees the one or the other.
    fn show(&self, text: &str) {
        let new = self.file.with_extension("new");
        fs::write(&new, text).expect("a file for the clock");
        fs::rename(new, &self.file).expect("the clock is turned");
    }
}

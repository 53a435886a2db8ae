//! A clock that stands at 1970, as on a board without a battery before it has
//! asked for the time, and before 1970.

use std::path::PathBuf;

use pattoo_tests::{PATIENCE, binary_of_system, command, finish, http_get, wait_until};

use crate::spoke::{Figures, SPOKE, Spoke};

/// Put before libc: the wall clock stands where `CLOCK_S` says; the others run.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) return real(id, now);
    const char *at = getenv("CLOCK_S");
    now->tv_sec = at ? atol(at) : 0;
    now->tv_nsec = 0;
    return 0;
}
"#;

/// The library with that clock. `None`, said loudly, without a C compiler.
fn clock(spoke: &Spoke) -> Option<PathBuf> {
    let source = spoke.folder.write("clock.c", CLOCK);
    let library = spoke.folder.join("clock.so");
    let Ok(compiler) = std::panic::catch_unwind(|| binary_of_system("cc")) else {
        eprintln!("SKIPPED: a clock at 1970: there is no C compiler to turn it with");
        return None;
    };
    let mut compile = command(&compiler, spoke.daemon.configuration());
    let made = finish(compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source));
    assert_eq!(made.code, 0, "{made:?}");
    Some(library)
}

#[test]
fn a_clock_at_1970_or_before_is_told_as_it_is() {
    for (at_s, wanted_ms, year) in [("12", 12_000, "1970-01-01T00:00:12"), ("-9", 0, "19")] {
        let spoke = Spoke::new("clock", "");
        let Some(library) = clock(&spoke) else { return };
        let run = |flag: &str| {
            let mut command = command(spoke.daemon.binary(), spoke.daemon.configuration());
            command.env("LD_PRELOAD", &library).env("CLOCK_S", at_s).arg(flag);
            finish(&mut command)
        };
        let started = run("--start");
        assert_eq!(started.code, 0, "{started:?}");
        let first = spoke.poll();
        assert!(first.0.iter().all(|figure| figure.timestamp_ms == wanted_ms), "{at_s}");
        // What is reckoned over time goes by a clock that runs.
        wait_until("processors have worked", PATIENCE, || {
            let Figures(figures) = spoke.poll();
            figures.iter().any(|f| f.key.starts_with("cpu_times_percent_") && f.value > 0.0)
        });
        assert!(spoke.log().contains(year), "{}", spoke.log());
        assert_eq!(http_get(spoke.port, "/").unwrap().status, 200);
        assert_eq!(run("--status").code, 0);
        assert_eq!(run("--stop").code, 0);
        let ended = format!("{SPOKE} ends: SIGTERM");
        assert!(spoke.log().contains(&ended), "{}", spoke.log());
    }
}

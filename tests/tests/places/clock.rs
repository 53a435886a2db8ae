//! A clock that stands at 1970, as on a board without a battery before it has
//! asked for the time, and before 1970.

use pattoo_tests::{PATIENCE, TurnedClock, http_get, wait_until};

use crate::spoke::{Figures, SPOKE, Spoke};

#[test]
fn a_clock_at_1970_or_before_is_told_as_it_is() {
    for (at_s, wanted_ms, year) in [(12, 12_000, "1970-01-01T00:00:12"), (-9, 0, "19")] {
        let mut spoke = Spoke::new("clock", "");
        let Some(clock) = TurnedClock::make(&spoke.folder) else { return };
        clock.stand_at(at_s);
        clock.give_to(&mut spoke.daemon);
        spoke.daemon.start();
        let first = spoke.poll();
        assert!(first.0.iter().all(|figure| figure.timestamp_ms == wanted_ms), "{at_s}");
        // What is reckoned over time goes by a clock that runs.
        wait_until("processors have worked", PATIENCE, || {
            let Figures(figures) = spoke.poll();
            figures.iter().any(|f| f.key.starts_with("cpu_times_percent_") && f.value > 0.0)
        });
        assert!(spoke.log().contains(year), "{}", spoke.log());
        assert_eq!(http_get(spoke.port, "/").unwrap().status, 200);
        assert_eq!(spoke.daemon.status().code, 0);
        spoke.daemon.stop();
        let ended = format!("{SPOKE} ends: SIGTERM");
        assert!(spoke.log().contains(&ended), "{}", spoke.log());
    }
}

//! Some seeds of the mixture that `scripts/fault-run` runs by the hundred.

use std::thread;
use std::time::Duration;

use pattoo_tests::Dice;
use pattoo_tests::faults::run;

/// Seeds that between them let every fault strike.
const SEEDS: [u64; 3] = [2, 5, 8];
const TIME: Duration = Duration::from_secs(40);

#[test]
fn nothing_taken_is_lost_doubled_or_out_of_place() {
    let random = Dice::random_seed();
    println!("the random seed is {random}");
    let runs: Vec<_> = SEEDS
        .into_iter()
        .chain([random])
        .map(|seed| (seed, thread::spawn(move || run(seed, TIME))))
        .collect();
    for (seed, run) in runs {
        let report = run.join().unwrap_or_else(|_| panic!("seed {seed} did not come to its end"));
        println!("{report}");
        assert!(report.faults.is_empty(), "{report}");
        assert!(report.taken > 0 && report.stored > 0, "nothing was tried: {report}");
    }
}

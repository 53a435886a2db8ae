//! Damage to the database's files.

use pattoo_tests::Dice;
use pattoo_tests::faults::damage_database;

const SEEDS: u64 = 8;

#[test]
fn a_damaged_database_gives_what_is_right_or_says_what_is_wrong() {
    let first = Dice::random_seed();
    for seed in first..first + SEEDS {
        let (what, outcome) = damage_database(seed);
        println!("seed {seed}: {what}: {outcome:?}");
        outcome.unwrap_or_else(|wrong| panic!("seed {seed}: {what}: {wrong}"));
    }
}

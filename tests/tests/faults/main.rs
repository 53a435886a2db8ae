//! The way of the data under random faults: nothing that was taken is lost, stored
//! twice or out of place, and what a bound has cost is counted.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bounds;
mod clock;
mod database;
mod mixture;

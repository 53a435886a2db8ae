//! Spokes, the real hub and the real server under a random schedule of faults,
//! and at the end the comparison of what was taken with what is stored.
//!
//! What the hub has taken is known from outside: its cycle ends with the batch in
//! the spool, so a hub that asks a spoke again has taken all that this spoke had
//! answered before. See `ledger` for what follows from that.
//!
//! | file | concept |
//! |---|---|
//! | `database` | a damaged database |
//! | `fault` | the list of faults, and what each does |
//! | `ledger` | what a spoke has answered, and what became of it |
//! | `link` | the way from the hub to the server, with faults of its own |
//! | `memory` | a limit of memory |
//! | `network` | a network of its own, with losses |
//! | `run` | one run from its seed to its verdict |
//! | `spoke` | a spoke that keeps a ledger |
//! | `worn_disk` | a disk that turns read-only |
//! | `world` | the parts under test, and their folders |

mod database;
mod fault;
mod ledger;
mod link;
mod memory;
mod network;
mod run;
mod spoke;
mod world;
mod worn_disk;

pub use database::{Outcome, damage_database};
pub use fault::Fault;
pub use ledger::{Fate, Ledger};
pub use link::{Link, Mood as LinkMood};
pub use memory::MemoryLimit;
pub use network::Network;
pub use run::{Report, run};
pub use spoke::LedgerSpoke;
pub use world::{Wishes, World};
pub use worn_disk::WornDisk;

//! The front gate under attack, over loopback. In each test a fresh client is
//! answered while the attack goes on, and afterwards the server has the threads and
//! descriptors that it began with.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crowds;
mod descriptors;
mod fairness;
mod manners;
mod refusals;
mod slowness;
mod victim;

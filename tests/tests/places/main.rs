//! The real spoke in places that few machines are: containers, systems that lack
//! what most have, machines of other sizes and layouts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod clock;
mod coming_and_going;
mod container;
mod lacking;
mod layouts;
mod processes;
mod read_only;
mod sizes;
mod spoke;

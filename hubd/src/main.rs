//! The hub: polls every spoke each interval and posts one batch.
//!
//! [`hub`] holds the parts together: [`schedule`] says when, [`cycle`] polls,
//! [`collect`] makes batches, [`outbox`] keeps them, [`post`] brings them to the
//! server.

mod collect;
mod cycle;
mod descriptors;
mod device;
mod hub;
mod once;
mod outbox;
mod own_datapoints;
mod pause;
mod plan;
mod poll;
mod post;
mod post_form;
mod program;
mod pulse;
mod reach;
mod room;
mod schedule;
mod stop;
#[cfg(test)]
mod test_folder;
#[cfg(test)]
mod tests;
mod wall_clock;
mod window;

fn main() -> std::process::ExitCode {
    pattoo_common::allocator::give_memory_back();
    pattoo_common::program::run::<program::HubProgram>()
}

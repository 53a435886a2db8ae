//! The hub: polls every spoke each interval and posts one batch.

fn main() {}

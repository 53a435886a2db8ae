//! Chance that can be had again: the same seed throws the same.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A generator of the xorshift family, which is as random as a schedule of faults
/// needs to be.
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// The dice of this seed.
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds shall not begin alike, and the state must not be 0.
        let mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mut dice = Self { state: (mixed ^ (mixed >> 31)).max(1) };
        dice.throw();
        dice
    }

    /// A seed that nobody chose.
    pub fn random_seed() -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::from(now.subsec_nanos()) ^ (now.as_secs() << 20) & 0xffff_ffff
    }

    /// 64 random bits.
    pub fn throw(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.throw() % end.max(1)
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these, of which there is at least one.
    pub fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap_or(0)]
    }

    /// A time between two, in milliseconds.
    pub fn between_ms(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.below(most - least + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn a_seed_throws_the_same_again_and_another_does_not() {
        let first = |seed| {
            let mut dice = Dice::new(seed);
            std::array::from_fn::<_, 8, _>(|_| dice.throw())
        };
        assert_eq!(first(7), first(7));
        assert_ne!(first(7), first(8));
        assert_ne!(first(0), [0; 8]);
    }

    #[test]
    fn every_face_comes_up() {
        let mut dice = Dice::new(1);
        let mut seen = [0; 6];
        for _ in 0..600 {
            *seen.get_mut(usize::try_from(dice.below(6)).unwrap()).unwrap() += 1;
        }
        assert!(seen.iter().all(|times| *times > 50), "{seen:?}");
    }
}

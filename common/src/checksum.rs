//! The checksum of a datapoint: which series it belongs to.
//!
//! The rule is the original's, byte for byte: `sha256(key + data type)`, and for
//! each pair of metadata `sha256(so far + key + value)`, all in lower-case
//! hexadecimal text.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::datapoint::DataType;

/// Pairs that may change during the life of a series, and so are left out.
const NOT_IN_CHECKSUM: [&str; 3] = ["release", "version", "pattoo_agent_polling_interval"];

/// 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checksum([u8; 64]);

impl Checksum {
    /// The checksum before any metadata.
    pub fn new(key: &str, data_type: DataType) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(key);
        hasher.update(data_type.code().to_string());
        Self::hexadecimal(&hasher.finalize())
    }

    /// The checksum with one more pair of metadata, in the order of the wire.
    #[must_use]
    pub fn with(self, key: &str, value: &str) -> Self {
        if NOT_IN_CHECKSUM.contains(&key) {
            return self;
        }
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(key);
        hasher.update(value);
        Self::hexadecimal(&hasher.finalize())
    }

    /// The digits as text.
    pub fn as_str(&self) -> &str {
        // Only hexadecimal digits are ever put there.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn hexadecimal(bytes: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [b'0'; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(digits)
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_of_the_kernel_does_not_split_a_series() {
        let start = Checksum::new("cpu_times_user", DataType::Counter64);
        assert_eq!(start.with("release", "6.1"), start);
        assert_ne!(start.with("hostname", "a"), start.with("hostname", "b"));
    }

    #[test]
    fn is_sha256_of_key_and_type() {
        // printf %s cpu_times_user64 | sha256sum
        assert_eq!(
            Checksum::new("cpu_times_user", DataType::Counter64).as_str(),
            "5746dad0bac488ce8ebd1224fc08fe979b565ceeb5ac7bd30456b1fce854e2ac"
        );
    }
}

//! CRC-32 as zlib, PNG and Ethernet have it (ISO 3309, reflected, polynomial
//! 0xEDB88320), eight bytes a step. The dozens of lines are cheaper than a
//! dependency, and fast enough for a few megabytes an interval.

/// Bytes that one step takes, and tables that it needs for it.
const SLICES: usize = 8;

static TABLES: [[u32; 256]; SLICES] = tables();

const fn tables() -> [[u32; 256]; SLICES] {
    let mut tables = [[0; 256]; SLICES];
    let mut byte = 0_u32;
    while byte < 256 {
        let mut crc = byte;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte as usize] = crc;
        byte += 1;
    }
    let mut slice = 1;
    while slice < SLICES {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[slice - 1][byte];
            tables[slice][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        slice += 1;
    }
    tables
}

/// The CRC-32 of `bytes`.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc32_after(0, bytes)
}

/// The CRC-32 of what has the CRC-32 `before`, and then `bytes`.
pub fn crc32_after(before: u32, bytes: &[u8]) -> u32 {
    let (steps, rest) = bytes.as_chunks::<SLICES>();
    let mut crc = !before;
    for step in steps {
        let word = u64::from_le_bytes(*step) ^ u64::from(crc);
        let at = |slice: usize| TABLES[SLICES - 1 - slice][usize::from(word.to_le_bytes()[slice])];
        // Written out: a loop costs twice the time where the compiler saves space.
        crc = at(0) ^ at(1) ^ at(2) ^ at(3) ^ at(4) ^ at(5) ^ at(6) ^ at(7);
    }
    for byte in rest {
        crc = (crc >> 8) ^ TABLES[0][usize::from(crc.to_le_bytes()[0] ^ byte)];
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::{crc32, crc32_after};

    #[test]
    fn known_values() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b"The quick brown fox jumps over the lazy dog"), 0x414F_A339);
        assert_eq!(crc32(&[0; 32]), 0x190A_55AD);
        assert_eq!(crc32(&[0xFF; 32]), 0xFF6C_AB0B);
    }

    #[test]
    fn whole_steps_and_rests_agree_with_one_byte_at_a_time() {
        let bytes: Vec<u8> = (0..100_u8).map(|i| i.wrapping_mul(37)).collect();
        for end in 0..bytes.len() {
            let slow = !bytes[..end].iter().fold(!0_u32, |crc, byte| {
                (crc >> 8) ^ super::TABLES[0][usize::from(crc.to_le_bytes()[0] ^ byte)]
            });
            assert_eq!(crc32(&bytes[..end]), slow, "{end} bytes");
            assert_eq!(crc32_after(crc32(&bytes[..end / 3]), &bytes[end / 3..end]), slow);
        }
    }

    #[test]
    fn every_flipped_bit_shows() {
        let bytes = *b"{\"pattoo_agent_timestamp\": 1}";
        for bit in 0..bytes.len() * 8 {
            let mut torn = bytes;
            torn[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(crc32(&torn), crc32(&bytes), "bit {bit}");
        }
    }
}

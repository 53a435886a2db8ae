//! The frame of every blob of the store: the content, then a CRC-32 over the
//! table, the key and the content. So a flipped bit is found, and so is a blob
//! that stands under another's key.

/// Bytes of the frame.
pub(super) const CRC_BYTES: usize = 4;

/// Why a blob could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damage(pub(super) &'static str);

/// Which table a blob belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Recent = 1,
    Values = 2,
    Times = 3,
    FiveMinutes = 4,
    OneHour = 5,
    HourRollUps = 6,
}

fn crc(kind: Kind, key: [i64; 2], content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind as u8]);
    hasher.update(&key[0].to_le_bytes());
    hasher.update(&key[1].to_le_bytes());
    hasher.update(content);
    hasher.finalize()
}

/// Closes a blob.
pub(super) fn seal(kind: Kind, key: [i64; 2], mut content: Vec<u8>) -> Vec<u8> {
    let crc = crc(kind, key, &content);
    content.extend_from_slice(&crc.to_le_bytes());
    content
}

/// The content of a blob that is whole.
pub(super) fn open(kind: Kind, key: [i64; 2], blob: &[u8]) -> Result<&[u8], Damage> {
    let (content, stored) =
        blob.split_last_chunk::<CRC_BYTES>().ok_or(Damage("shorter than its checksum"))?;
    if crc(kind, key, content) == u32::from_le_bytes(*stored) {
        Ok(content)
    } else {
        Err(Damage("its checksum does not match"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_found() {
        let blob = seal(Kind::Values, [7, 0], b"content".to_vec());
        assert_eq!(open(Kind::Values, [7, 0], &blob), Ok(&b"content"[..]));
        for bit in 0..blob.len() * 8 {
            let mut bad = blob.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(open(Kind::Values, [7, 0], &bad).is_err());
        }
        assert!(open(Kind::Values, [8, 0], &blob).is_err());
        assert!(open(Kind::Times, [7, 0], &blob).is_err());
        assert!(open(Kind::Values, [7, 0], b"abc").is_err());
    }
}

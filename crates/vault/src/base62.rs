//! Random base62 text and the checksum that ends an application key.
//!
//! The checksum lets secret scanners tell our keys from noise without asking us. It proves nothing else.

use claviger_model::Random;
use zeroize::Zeroizing;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of a [`checksum`]: 62^6 is more than 2^32.
pub(crate) const CHECKSUM_CHARS: usize = 6;

/// Appends `count` random characters, each of the 62 equally likely.
pub(crate) fn push_random(text: &mut String, count: usize, random: &dyn Random) {
    // 248 is the largest multiple of 62 in a byte. Bytes above it are thrown away: taken modulo 62 they would make
    // the first eight characters likelier than the others.
    const FAIR_BELOW: u8 = 248;
    let wanted = text.len() + count;
    let mut bytes = Zeroizing::new([0; 32]);
    while text.len() < wanted {
        random.fill(bytes.as_mut_slice());
        let fair = bytes.iter().filter(|byte| **byte < FAIR_BELOW);
        let missing = wanted - text.len();
        text.extend(fair.take(missing).map(|byte| char::from(DIGITS[usize::from(byte % 62)])));
    }
}

/// The CRC-32 of `text` in base62, padded with zeros.
pub(crate) fn checksum(text: &str) -> [char; CHECKSUM_CHARS] {
    let mut rest = crc32(text.as_bytes());
    let mut characters = ['0'; CHECKSUM_CHARS];
    for character in characters.iter_mut().rev() {
        *character = char::from(DIGITS[(rest % 62) as usize]);
        rest /= 62;
    }
    characters
}

/// CRC-32/ISO-HDLC, the one of zip and Ethernet. Bit by bit: it runs over 28 characters when a key is made.
fn crc32(bytes: &[u8]) -> u32 {
    let update = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(u32::MAX, update)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use claviger_model::testing::SeededRandom;

    use super::*;

    #[test]
    fn the_crc_has_its_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_checksum_is_padded_with_zeros() {
        assert_eq!(checksum(""), ['0'; 6]);
        // 0xcbf43926 = 3421780262 = 3*62^5 + 45*62^4 + 35*62^3 + 27*62^2 + 22*62 + 14
        let by_hand = [3_u64, 45, 35, 27, 22, 14];
        assert_eq!(by_hand.iter().fold(0, |sum, digit| sum * 62 + digit), 0xcbf4_3926);
        assert_eq!(checksum("123456789"), by_hand.map(|digit| char::from(DIGITS[digit as usize])));
    }

    #[test]
    fn every_digit_occurs_and_nothing_else() {
        let mut text = String::new();
        push_random(&mut text, 10_000, &SeededRandom::new(1));
        assert_eq!(text.len(), 10_000);
        let seen: BTreeSet<u8> = text.bytes().collect();
        assert_eq!(seen, DIGITS.iter().copied().collect());
    }

    /// Counts up from 0 to 255 and around: each byte value equally often.
    struct Counting(std::sync::atomic::AtomicU8);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill_with(|| self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    #[test]
    fn each_digit_is_equally_likely() {
        let mut text = String::new();
        push_random(&mut text, 248, &Counting(0.into()));
        for digit in DIGITS {
            assert_eq!(text.bytes().filter(|character| character == digit).count(), 4, "{}", *digit as char);
        }
    }
}

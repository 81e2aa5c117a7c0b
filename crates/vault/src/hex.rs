//! Lower-case hexadecimal, the one form in which bytes are written and read as text.

/// The digits of `bytes`.
pub fn digits(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)]))
}

/// Whether `text` consists of lower-case digits.
pub(crate) fn is_hex(text: &str) -> bool {
    text.bytes().all(|digit| value(digit).is_some())
}

/// Reads `text` into `bytes`. Nothing when its length is not exactly right or it has other than lower-case
/// digits; `bytes` may then be half written.
pub fn decode(text: &str, bytes: &mut [u8]) -> Option<()> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(())
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_their_text() {
        let all: Vec<u8> = (0..=255).collect();
        let text: String = digits(&all).collect();
        assert!(text.starts_with("000102") && text.ends_with("fdfeff") && is_hex(&text));
        let mut read = [0; 256];
        decode(&text, &mut read).unwrap();
        assert_eq!(read.as_slice(), all);
    }

    #[test]
    fn other_lengths_and_other_characters_are_refused() {
        for text in ["", "0", "000", "00000", "000000", "0g00", "00AA", " 000", "ü00"] {
            assert_eq!(decode(text, &mut [0; 2]), None, "{text:?}");
        }
    }
}

//! Percent-encoding as RFC 3986 has it: all but its unreserved characters, in upper case.

/// Encodes a name or a value: nothing that has a meaning in an address or a form stays.
pub(crate) fn encode_into(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push('%');
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// The same as a text of its own.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    encode_into(&mut text, bytes);
    text
}

/// What is meant by a text; a `%` without two digits is one.
pub(crate) fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |place: usize| text.get(place).and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut place = 0;
    while let Some(byte) = text.get(place) {
        let escaped = (*byte == b'%').then(|| Some(digit(place + 1)? * 16 + digit(place + 2)?)).flatten();
        match escaped.and_then(|byte| u8::try_from(byte).ok()) {
            Some(escaped) => {
                bytes.push(escaped);
                place += 3;
            }
            None => {
                bytes.push(*byte);
                place += 1;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(bytes: Vec<u8>) {
            let text = encode(&bytes);
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            prop_assert_eq!(decode(text.as_bytes()), bytes);
        }

        #[test]
        fn encoding_what_was_decoded_comes_to_rest(text in "[a-zA-Z0-9%+ /~.-]{0,40}") {
            let once = encode(&decode(text.as_bytes()));
            prop_assert_eq!(encode(&decode(once.as_bytes())), once);
        }
    }
}

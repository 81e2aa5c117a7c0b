//! Parameters behind a media type or a `Content-Disposition`.

use super::read::{Read, refused};

/// `; key=value; key="value"`, as far as it can be read; what is between quotes as it stands there.
pub(super) fn each_parameter(text: &str) -> impl Iterator<Item = Read<(&str, &str)>> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?.trim_start_matches([' ', '\t']);
        if text.is_empty() {
            return None;
        }
        let read = parameter(text);
        if let Ok((_, left)) = &read {
            rest = *left;
        }
        Some(read.map(|(read, _)| read))
    })
}

/// The first of them, and what follows its `;`, if one does.
fn parameter(text: &str) -> Read<((&str, &str), Option<&str>)> {
    const NONE: &str = "A parameter of a media type or Content-Disposition cannot be read";
    let Some((key, value)) = text.split_once('=') else { return refused(NONE) };
    let (value, left) = match value.strip_prefix('"') {
        Some(quoted) => {
            let Some((value, left)) = quoted.split_once('"') else { return refused(NONE) };
            (value, left.trim_start_matches([' ', '\t']))
        }
        None => {
            let length = value.find(|it: char| !u8::try_from(it).is_ok_and(is_token)).unwrap_or(value.len());
            let (value, left) = value.split_at(length);
            if value.is_empty() {
                return refused(NONE);
            }
            (value, left.trim_start_matches([' ', '\t']))
        }
    };
    let left = match left.strip_prefix(';') {
        Some(left) => Some(left),
        None if left.is_empty() => None,
        None => return refused(NONE),
    };
    if key.is_empty() || !key.bytes().all(is_token) { refused(NONE) } else { Ok(((key, value), left)) }
}

/// A character of a token (RFC 9110, 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

//! Queries: the caller's goes through byte for byte, but for the parameters that a connection brings itself.

use std::borrow::Cow;
use std::collections::BTreeSet;

use zeroize::Zeroizing;

/// Characters that stand for themselves in a query's names and values, whoever reads it (RFC 3986's unreserved).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// A pair as it stands in a query.
pub(crate) fn pair(name: &str, value: &str) -> Zeroizing<String> {
    // With the final capacity from the start, growing leaves no copy of a secret behind.
    let mut text = Zeroizing::new(String::with_capacity(3 * (name.len() + value.len()) + 1));
    encode(name, &mut text);
    text.push('=');
    encode(value, &mut text);
    text
}

/// A value as it stands in a query or a form.
pub(crate) fn encoded(value: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(3 * value.len()));
    encode(value, &mut text);
    text
}

fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match is_plain(byte) {
            true => into.push(byte.into()),
            false => {
                into.push('%');
                let digit = |half: u8| char::from_digit(half.into(), 16).expect("half a byte is a digit");
                into.push(digit(byte >> 4).to_ascii_uppercase());
                into.push(digit(byte & 0xF).to_ascii_uppercase());
            }
        }
    }
}

/// The caller's query without some parameters. What they are called is read as servers read it, without regard to case.
pub(crate) fn without<'q>(query: &'q str, names: &BTreeSet<String>) -> Cow<'q, str> {
    if names.is_empty() || query.is_empty() {
        return Cow::Borrowed(query);
    }
    // Some read a semicolon as an ampersand.
    let is_ours = |pair: &str| pair.split(';').any(|pair| names.contains(&name(pair)));
    match query.split('&').any(is_ours) {
        false => Cow::Borrowed(query),
        true => Cow::Owned(query.split('&').filter(|pair| !is_ours(pair)).collect::<Vec<_>>().join("&")),
    }
}

/// The name of a pair, decoded, in lower case; what some put behind it to make lists, `[]`, is left out.
pub(crate) fn name(pair: &str) -> String {
    let name = pair.split('=').next().unwrap_or_default();
    let mut decoded = Vec::with_capacity(name.len());
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits =
                    [bytes.next(), bytes.next()].map(|it| char::from(it.unwrap_or(b'0')).to_digit(16));
                digits.iter().fold(0, |value, digit| value << 4 | digit.unwrap_or(0) as u8)
            }
            byte => byte,
        });
    }
    let text = String::from_utf8_lossy(&decoded).trim().to_lowercase();
    text.split('[').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_left_out_however_they_are_written() {
        let names = BTreeSet::from(["api_key".to_owned()]);
        for (query, left) in [
            ("", ""),
            ("a=b&c", "a=b&c"),
            ("a=%2F..%2f&&x", "a=%2F..%2f&&x"),
            ("api_key=1", ""),
            ("a=1&api_key=2&b=3", "a=1&b=3"),
            ("a=1&API_KEY=2", "a=1"),
            ("a=1&%61pi_key=2", "a=1"),
            ("a=1&api_key[]=2", "a=1"),
            ("a=1;api_key=2&b", "b"),
            ("api_keys=1", "api_keys=1"),
            ("a=api_key", "a=api_key"),
        ] {
            assert_eq!(without(query, &names), left, "{query}");
        }
    }

    #[test]
    fn pairs_are_encoded() {
        assert_eq!(pair("key", "a b&c=d/é").as_str(), "key=a%20b%26c%3Dd%2F%C3%A9");
    }
}

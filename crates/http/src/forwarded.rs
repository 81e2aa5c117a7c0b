//! The addresses in the headers by which proxies tell for whom they ask.
//!
//! Sources: RFC 7239 for `Forwarded`; `X-Forwarded-For` is a list of addresses, as every proxy writes it. An entry
//! that is no address (`unknown`, `_hidden`, a name, nothing at all) is an entry nonetheless: none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An entry of either list: an address perhaps with a port, an IPv6 one perhaps in brackets.
pub(crate) fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let is_whole = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
        return address.parse::<Ipv6Addr>().ok().filter(|_| is_whole).map(IpAddr::from);
    }
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let (address, port) = text.split_once(':')?;
    address.parse::<Ipv4Addr>().ok().filter(|_| is_port(port)).map(IpAddr::from)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// The entries of one `Forwarded` line, in order; none if the line is not as the standard has it, since then nobody
/// knows where an entry begins.
pub(crate) fn entries(line: &[u8]) -> Option<Vec<Option<IpAddr>>> {
    let mut rest = line;
    let mut entries = Vec::new();
    loop {
        let mut entry = None;
        loop {
            rest = rest.trim_ascii_start();
            let (name, value, after) = pair(rest)?;
            if name.eq_ignore_ascii_case(b"for") && entry.replace(address(&value)).is_some() {
                return None;
            }
            rest = after.trim_ascii_start();
            match rest.split_first() {
                Some((b';', after)) => rest = after,
                _ => break,
            }
        }
        entries.push(entry.flatten());
        match rest.split_first() {
            None => return Some(entries),
            Some((b',', after)) => rest = after,
            Some(_) => return None,
        }
    }
}

/// `token=token` or `token="…"`, and what comes after it.
fn pair(text: &[u8]) -> Option<(&[u8], Vec<u8>, &[u8])> {
    let (name, rest) = token(text)?;
    let rest = rest.strip_prefix(b"=")?;
    if let Some((value, rest)) = token(rest) {
        return Some((name, value.to_vec(), rest));
    }
    let mut quoted = rest.strip_prefix(b"\"")?;
    let mut value = Vec::new();
    loop {
        match quoted {
            [b'"', rest @ ..] => return Some((name, value, rest)),
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                value.push(*byte);
                quoted = rest;
            }
            [] => return None,
        }
    }
}

fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let length = text.iter().position(|byte| !is_token(byte)).unwrap_or(text.len());
    (length > 0).then(|| text.split_at(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_in_several_forms() {
        for (entry, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1\t", "192.0.2.1"),
            ("192.0.2.1:443", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ] {
            assert_eq!(address(entry.as_bytes()), Some(expected.parse().unwrap()), "{entry}");
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        let wrong = [
            "",
            " ",
            "unknown",
            "_hidden",
            "localhost",
            "192.0.2",
            "192.0.02.1",
            "0xc0000201",
            "3221225985",
            "192.0.2.1:",
            "192.0.2.1:65536",
            "192.0.2.1:+80",
            "192.0.2.1:80:80",
            "192.0.2.1 192.0.2.2",
            "192.0.2.1/32",
            "[192.0.2.1]",
            "[2001:db8::1",
            "2001:db8::1]",
            "[2001:db8::1]443",
            "[2001:db8::1]:",
            "[2001:db8::1]:x",
            "[]",
            "fe80::1%eth0",
            "[fe80::1%25eth0]",
            "\"192.0.2.1\"",
            "for=192.0.2.1",
            "192.0.2.1\0",
            "\u{ff11}92.0.2.1",
        ];
        for entry in wrong {
            assert_eq!(address(entry.as_bytes()), None, "{entry:?}");
        }
        assert_eq!(address(b"192.0.2.1\xff"), None);
    }

    #[test]
    fn forwarded_is_read_as_the_standard_has_it() {
        let read = |line: &str| {
            let texts = |entry: Option<IpAddr>| entry.map_or("-".to_owned(), |address| address.to_string());
            entries(line.as_bytes()).map(|all| all.into_iter().map(texts).collect::<Vec<_>>().join(" "))
        };
        for (line, expected) in [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=192.0.2.43, for=198.51.100.17", "192.0.2.43 198.51.100.17"),
            ("for=192.0.2.43,FOR=\"198.51.100.17:80\"", "192.0.2.43 198.51.100.17"),
            ("proto=https , for=unknown;by=_x,for=_hidden", "- - -"),
            ("for=\"192.0.2\\.1\"", "192.0.2.1"),
            ("for=a;x=\"y, for=192.0.2.1\"", "-"),
        ] {
            assert_eq!(read(line).as_deref(), Some(expected), "{line}");
        }
        for line in [
            "",
            ",",
            "for",
            "for=",
            "=192.0.2.1",
            "192.0.2.1",
            "for=192.0.2.1,",
            ",for=192.0.2.1",
            "for=192.0.2.1;",
            "for = 192.0.2.1",
            "for=192.0.2.1 for=192.0.2.2",
            "for=192.0.2.1;for=192.0.2.2",
            "for=192.0.2.1:80",
            "for=[2001:db8::1]",
            "for=\"192.0.2.1",
            "for=\"192.0.2.1\\",
            "for=\"192.0.2.1\"x",
            "x=\", for=\"[::1]\"",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}

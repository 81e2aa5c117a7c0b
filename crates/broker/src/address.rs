//! What a request's own target says: which connection, and the path and query for the third party.
//!
//! Both go through byte for byte. What servers are known to read in two ways is refused before anything else is
//! decided: a rule that a path passes here must hold for the path that is read there.

use claviger_engine::UseKey;
use claviger_model::Origin;

use crate::refusal::{PathFault, Refusal};

/// Where the broker's paths begin.
pub(crate) const PREFIX: &str = "/broker/";

/// How often escapes are resolved that are within escapes.
const DEPTH_MAX: usize = 8;

/// A target, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// Which connection.
    pub(crate) key: UseKey<'a>,
    /// The path for the third party: empty, or beginning with a slash.
    pub(crate) path: &'a str,
    /// The query, without its question mark.
    pub(crate) query: Option<&'a str>,
    /// Where that is, if not below the connection's base URL: the path is then from its root.
    pub(crate) origin: Option<&'a Origin>,
}

impl<'a> Address<'a> {
    /// One of what stands in no URL of ours.
    ///
    /// # Errors
    /// [`Refusal::Path`].
    pub(crate) fn of(key: UseKey<'a>, path: &'a str, query: Option<&'a str>) -> Result<Self, Refusal> {
        let address = Self { key, path, query, origin: None };
        address.check().map(|()| address)
    }

    /// Whether path and query may go on.
    ///
    /// # Errors
    /// [`Refusal::Path`].
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        check_path(self.path).map_err(Refusal::Path)?;
        self.query.map_or(Ok(()), check_characters).map_err(Refusal::Path)
    }

    /// Reads `/broker/{connection}/{path…}` and its query, whatever they say beyond the connection ([`Self::check`]).
    ///
    /// # Errors
    /// [`Refusal::NoConnection`].
    pub(crate) fn read(path: &'a str, query: Option<&'a str>) -> Result<Self, Refusal> {
        let rest = path.strip_prefix(PREFIX).ok_or(Refusal::NoConnection)?;
        let (name, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let key = key(name).ok_or(Refusal::NoConnection)?;
        Ok(Self { key, path, query, origin: None })
    }
}

fn key(name: &str) -> Option<UseKey<'_>> {
    match name.strip_prefix("zis:") {
        Some(names) => {
            let (integration, name) = names.split_once(':')?;
            Some(UseKey::Zis { integration, name })
        }
        None => name.parse().ok().map(UseKey::Id),
    }
}

/// Refuses a path that could be read in two ways. One that is empty, or ends in a slash, is fine.
pub(crate) fn check_path(path: &str) -> Result<(), PathFault> {
    if path.is_empty() {
        return Ok(());
    }
    check_characters(path)?;
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_some() {
            return Err(PathFault::EmptySegment);
        }
        check_segment(segment)?;
    }
    Ok(())
}

pub(crate) fn check_characters(text: &str) -> Result<(), PathFault> {
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\\' => return Err(PathFault::Backslash),
            b'%' => {
                let digits = bytes.get(at + 1..at + 3).ok_or(PathFault::Escape)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(PathFault::Escape);
                }
            }
            b'#' => return Err(PathFault::Characters),
            byte if !byte.is_ascii_graphic() => return Err(PathFault::Characters),
            _ => {}
        }
    }
    Ok(())
}

/// Decoded again and again, since some servers do: what a segment means at any depth must be no dots and no slash.
fn check_segment(segment: &str) -> Result<(), PathFault> {
    let mut decoded = segment.as_bytes().to_vec();
    for _ in 0..DEPTH_MAX {
        if fold_wide(&decoded).split(|byte| *byte == b'/').any(is_dots) {
            return Err(PathFault::Dots);
        }
        if !decoded.contains(&b'%') {
            return Ok(());
        }
        let again = decode(&decoded);
        if again.contains(&b'/') || again.contains(&b'\\') {
            return Err(PathFault::EncodedSlash);
        }
        if again.len() == decoded.len() {
            return Ok(());
        }
        decoded = again;
    }
    // Deeper than anybody writes: each depth costs as much as the path is long.
    Err(PathFault::EncodedSlash)
}

/// Whether a name is `.` or `..` to anybody.
fn is_dots(name: &[u8]) -> bool {
    // What stands behind a semicolon is a parameter of the segment to some, and the query behind a question mark that was
    // escaped; behind a NUL there is nothing. Spaces and controls around are lost on the way.
    let name = name.split(|byte| b";?#\0".contains(byte)).next().unwrap_or_default();
    let mut name = name.iter().filter(|byte| **byte > b' ' && **byte != 0x7F);
    let name = [name.next(), name.next(), name.next()];
    matches!(name, [Some(b'.'), None | Some(b'.'), None])
}

/// Dots and slashes of other widths, which are plain ones to whoever brings names into one form (NFKC). A slash like these
/// may well be in an honest name, so that it is no fault by itself.
fn fold_wide(bytes: &[u8]) -> Vec<u8> {
    const WIDE: [(&str, &[u8]); 6] =
        [("．", b"."), ("﹒", b"."), ("․", b"."), ("‥", b".."), ("／", b"/"), ("＼", b"/")];
    let mut folded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        match WIDE.iter().find(|(wide, _)| rest.starts_with(wide.as_bytes())) {
            Some((wide, plain)) => {
                folded.extend_from_slice(plain);
                rest = &rest[wide.len()..];
            }
            None => {
                folded.push(*first);
                rest = after;
            }
        }
    }
    folded
}

/// Percent escapes resolved once; a `%` that is none stays. Overlong forms of UTF-8, that old servers take for slashes and
/// dots, are resolved like what they stand for.
fn decode(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                decoded.push((high << 4 | low) as u8);
                rest = &after[2..];
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    fold_overlong(&decoded)
}

/// `C0 AE` and `E0 80 AE` are a dot to readers that do not check, `C0 AF` a slash, `C1 9C` a backslash.
fn fold_overlong(bytes: &[u8]) -> Vec<u8> {
    let mut folded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return folded,
            [first @ (0xC0 | 0xC1), next, after @ ..] if next & 0xC0 == 0x80 => {
                folded.push((first & 0x1F) << 6 | next & 0x3F);
                after
            }
            [0xE0, 0x80 | 0x81, last, after @ ..] if last & 0xC0 == 0x80 => {
                folded.push(last & 0x3F | (rest[1] & 1) << 6);
                after
            }
            [first, after @ ..] => {
                folded.push(*first);
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "/broker/01890000-0000-7000-8000-000000000000";

    fn parse<'a>(path: &'a str, query: Option<&'a str>) -> Result<Address<'a>, Refusal> {
        let address = Address::read(path, query)?;
        address.check().map(|()| address)
    }

    #[test]
    fn a_target_is_taken_apart_byte_for_byte() {
        for (rest, path) in [
            ("", ""),
            ("/", "/"),
            ("/a", "/a"),
            ("/a/", "/a/"),
            ("/a%20b/c:d@e", "/a%20b/c:d@e"),
            ("/...", "/..."),
            ("/a%20..", "/a%20.."),
            ("/%20", "/%20"),
            ("/.well-known", "/.well-known"),
            ("/a%25b", "/a%25b"),
            ("/%C3%BC;x=1", "/%C3%BC;x=1"),
            ("/a%3Fb%23c", "/a%3Fb%23c"),
            ("/1%EF%BC%8F2%E2%80%A6", "/1%EF%BC%8F2%E2%80%A6"),
        ] {
            let target = format!("{ID}{rest}");
            let address = parse(&target, Some("a=%2F..%2F&b")).unwrap_or_else(|it| panic!("{rest}: {it:?}"));
            assert_eq!((address.path, address.query), (path, Some("a=%2F..%2F&b")));
        }
        let zis = parse("/broker/zis:my_int:my-name/x", None).unwrap();
        assert_eq!(zis.key, UseKey::Zis { integration: "my_int", name: "my-name" });
        for none in ["/broker/", "/broker/x", "/broker/zis:a", "/broker/zis", "/brokers/x", "/broker//x"] {
            assert_eq!(parse(none, None), Err(Refusal::NoConnection), "{none}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        use PathFault::{Backslash, Characters, Dots, EmptySegment, EncodedSlash, Escape};
        for (rest, fault) in [
            ("/.", Dots),
            ("/..", Dots),
            ("/a/../b", Dots),
            ("/a/./b", Dots),
            ("/%2e", Dots),
            ("/%2E%2e/x", Dots),
            ("/.%2e/x", Dots),
            ("/%252e%252e/x", Dots),
            ("/%25252e/x", Dots),
            ("/%2525252525252525252525x", EncodedSlash),
            ("/..;x=1/y", Dots),
            ("/%2e%2e%3bx/y", Dots),
            ("/..%00/x", Dots),
            ("/..%00x/y", Dots),
            ("/%20../x", Dots),
            ("/.%09./x", Dots),
            ("/..%2509/x", Dots),
            ("/%c0%ae%c0%ae/x", Dots),
            ("/%e0%80%ae/x", Dots),
            ("/..%3fx/y", Dots),
            ("/%2e%2e%23x", Dots),
            ("/..%253Fx", Dots),
            ("/%EF%BC%8E%EF%BC%8E/x", Dots),
            ("/%E2%80%A5/x", Dots),
            ("/a%EF%BC%8F..%EF%BC%8Fx", Dots),
            ("/..%EF%BC%BCx", Dots),
            ("/%25EF%25BC%258E/x", Dots),
            ("//", EmptySegment),
            ("//evil.example/x", EmptySegment),
            ("/a//b", EmptySegment),
            ("/a//", EmptySegment),
            ("/a%2fb", EncodedSlash),
            ("/a%2Fb", EncodedSlash),
            ("/a%5cb", EncodedSlash),
            ("/a%252fb", EncodedSlash),
            ("/a%c0%afb", EncodedSlash),
            ("/a%c1%9cb", EncodedSlash),
            ("/a\\b", Backslash),
            ("/a%", Escape),
            ("/a%2", Escape),
            ("/a%zz", Escape),
            ("/a%u002f", Escape),
            ("/a b", Characters),
            ("/a\u{7f}", Characters),
            ("/ü", Characters),
            ("/a#b", Characters),
        ] {
            let target = format!("{ID}{rest}");
            assert_eq!(parse(&target, None), Err(Refusal::Path(fault)), "{rest}");
        }
        for (query, fault) in
            [("a\\b", Backslash), ("a=%", Escape), ("a=\u{1}", Characters), ("a=ü", Characters)]
        {
            assert_eq!(parse(ID, Some(query)), Err(Refusal::Path(fault)), "{query}");
        }
    }
}

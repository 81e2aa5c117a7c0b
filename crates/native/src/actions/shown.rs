//! A third party's body as it stands within JSON, written piece by piece: escaped it can be six times as long as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::value::RawValue;

/// As much of a body as is written at once. In base64 each three bytes are four: no piece but the last has an end within.
const PIECE: usize = 3 * 4096;

/// What a body is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it was written: no digit of a number is lost.
    Json,
    Text,
    Base64,
    None,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Base64 => "base64",
            Self::None => "none",
        }
    }

    /// What stands around the pieces.
    pub(super) fn around(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("", ""),
            Self::Text | Self::Base64 => ("\"", "\""),
            Self::None => ("null", ""),
        }
    }
}

/// A body, and after its first pieces the rest of it.
pub(super) struct Shown {
    pub(super) kind: Kind,
    rest: Bytes,
}

impl Shown {
    /// JSON is what says that it is, and is; what is no text is shown in base64.
    pub(super) fn new(body: Bytes, says_json: bool) -> Self {
        if body.is_empty() {
            return Self { kind: Kind::None, rest: body };
        }
        if says_json && let Ok(json) = serde_json::from_slice::<&RawValue>(&body) {
            let rest = body.slice_ref(json.get().as_bytes());
            return Self { kind: Kind::Json, rest };
        }
        let kind = if std::str::from_utf8(&body).is_ok() { Kind::Text } else { Kind::Base64 };
        Self { kind, rest: body }
    }

    /// How much of a text is the next piece: no character is cut.
    fn piece(&self) -> usize {
        let is_within = |at: usize| self.rest.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
        let end = PIECE.min(self.rest.len());
        match self.kind {
            Kind::Text => (0..=end).rev().find(|at| !is_within(*at)).unwrap_or(end),
            _ => end,
        }
    }
}

impl Iterator for Shown {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.rest.is_empty() {
            return None;
        }
        let piece = self.rest.split_to(self.piece());
        Some(match self.kind {
            Kind::Json | Kind::None => piece,
            Kind::Base64 => STANDARD.encode(piece).into(),
            Kind::Text => escaped(&String::from_utf8_lossy(&piece)),
        })
    }
}

/// A text as it stands in JSON, without the quotes around it.
fn escaped(text: &str) -> Bytes {
    let mut quoted = Bytes::from(serde_json::Value::from(text).to_string());
    quoted.truncate(quoted.len() - 1);
    quoted.split_off(1)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn shown_as(says_json: bool, body: &[u8]) -> (&'static str, String) {
        let shown = Shown::new(Bytes::copy_from_slice(body), says_json);
        let (kind, (begin, end)) = (shown.kind, shown.kind.around());
        let pieces: Vec<u8> = shown.flatten().collect();
        (kind.name(), format!("{begin}{}{end}", String::from_utf8(pieces).unwrap()))
    }

    #[test]
    fn a_body_is_shown_as_what_it_is() {
        for (says_json, body, kind, expected) in [
            (
                true,
                &b" {\"b\": 12345678901234567890123, \"a\": 1.0} "[..],
                "json",
                "{\"b\": 12345678901234567890123, \"a\": 1.0}",
            ),
            (true, b"[]", "json", "[]"),
            (true, b"null", "json", "null"),
            (true, b"{\"a\": ********}", "text", r#""{\"a\": ********}""#),
            (false, b"17", "text", "\"17\""),
            (false, b"<p>\xc3\xa9\x00\n", "text", "\"<p>é\\u0000\\n\""),
            (true, b"\"\xff\"", "base64", "\"Iv8i\""),
            (false, b"\x89PNG", "base64", "\"iVBORw==\""),
            (true, b"", "none", "null"),
        ] {
            assert_eq!(shown_as(says_json, body), (kind, expected.to_owned()));
        }
    }

    /// Wherever the pieces end.
    #[test]
    fn pieces_are_the_whole() {
        for shift in 0..8 {
            let text = "x".repeat(shift) + &"aé‥🔑\"\u{0}\\".repeat(PIECE / 2);
            let (kind, shown) = shown_as(false, text.as_bytes());
            assert_eq!((kind, serde_json::from_str::<String>(&shown).unwrap() == text), ("text", true));
            let bytes = [&b"\xff"[..], text.as_bytes()].concat();
            let (kind, shown) = shown_as(false, &bytes);
            let read = STANDARD.decode(serde_json::from_str::<String>(&shown).unwrap()).unwrap();
            assert_eq!((kind, read == bytes), ("base64", true));
            let json = Value::from(vec![text; 2]).to_string();
            let (kind, shown) = shown_as(true, json.as_bytes());
            assert_eq!((kind, shown == json), ("json", true));
        }
    }

    #[test]
    fn no_piece_is_long() {
        let shown = Shown::new(Bytes::from(vec![0; 10 * PIECE]), false);
        let lengths: Vec<_> = shown.map(|piece| piece.len()).collect();
        assert_eq!(lengths, [6 * PIECE; 10]);
    }
}

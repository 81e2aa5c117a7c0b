//! What an error gives back of what it was given.

/// The longest piece of input that an error gives back.
const CHARS_MAX: usize = 64;
/// So many letters and digits in a row may be a secret that somebody put in a wrong place: those that are issued
/// have 32 and more, and words have fewer.
const RUN_MAX: usize = 20;
/// Of such a run, so many are given back, for whoever must find it.
const RUN_SHOWN: usize = 4;

/// A piece of input as an error gives it back: cut where it is long, and where it may be a secret, since errors
/// end up in logs that are nobody's secret.
pub fn excerpt(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(if end == 0 { first.len_utf8() } else { end });
        match piece.len() >= RUN_MAX {
            true => {
                shown.push_str(&piece[..RUN_SHOWN]);
                shown.push_str("...");
            }
            false => shown.push_str(piece),
        }
        if let Some((cut, _)) = shown.char_indices().nth(CHARS_MAX) {
            shown.truncate(cut);
            shown.push_str("...");
            return shown;
        }
        rest = after;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_and_what_may_be_a_secret_does_not() {
        for text in
            ["", "monitors_read", "agent_builder_external_mcp_resolve", "naïve – ✓ 'text'", "a b\u{0}c"]
        {
            assert_eq!(excerpt(text), text);
        }
        assert_eq!(excerpt("0123456789abcdef0123456789abcdef"), "0123...");
        assert_eq!(excerpt("[\"ddapp_abcdefghijklmnopqrstuvwxyzABCD\"]"), "[\"ddapp_abcd...\"]");
        assert_eq!(excerpt(&"é".repeat(500)), format!("{}...", "é".repeat(64)));
        assert_eq!(excerpt(&"word ".repeat(500)).chars().count(), 67);
    }
}

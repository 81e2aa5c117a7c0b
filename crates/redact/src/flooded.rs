//! What cannot be followed is masked: with a bound so low that it is reached everywhere, no byte of a secret goes out.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::forms::Forms;
use crate::needles::Searched;
use crate::search::Search;

/// Secrets and texts of few letters, so that very much begins.
const LETTERS: [&str; 4] = ["ab", "a%25", "\\\"u", "&amp;"];

fn word(which: usize, lengths: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let letters: Vec<char> = LETTERS[which].chars().collect();
    vec(proptest::sample::select(letters), lengths).prop_map(|letters| letters.into_iter().collect())
}

fn written(byte: u8, way: u8) -> String {
    match way {
        0 => format!("%{byte:02x}"),
        1 => format!("%2525{byte:02X}"),
        2 => format!("\\\\\\\\u{byte:04x}"),
        3 => format!("&amp;#x{byte:x};"),
        _ => char::from(byte).to_string(),
    }
}

proptest! {
    #[test]
    fn nothing_of_a_secret_goes_out_however_little_is_followed(
        (secrets, before, after) in (0..LETTERS.len()).prop_flat_map(|which| {
            (vec(word(which, 8..24), 1..4), word(which, 0..30), word(which, 0..30))
        }),
        ways in vec(0..9_u8, 24),
        followed_max in 0..6_usize,
        cut in 1..40_usize,
    ) {
        let mut forms = Forms::with_room(secrets.iter().map(|secret| secret.as_bytes()));
        secrets.iter().enumerate().for_each(|(index, secret)| forms.add(index, secret.as_bytes()));
        let searched = Searched::following(forms, followed_max);
        let secret: String = secrets[0].bytes().zip(&ways).map(|(byte, way)| written(byte, *way)).collect();
        let text = format!("{before}{secret}{after}");
        let mut search = Search::default();
        // In two parts, the second of which begins wherever the first one left off.
        let cut = text.len().min(cut);
        search.run(&searched, &text.as_bytes()[..cut], 0, false);
        let from = search.at as usize;
        search.run(&searched, &text.as_bytes()[from..], from as u64, true);
        let mut masked = text.into_bytes();
        search.hits.mask(0, &mut masked);
        let there = &masked[before.len()..before.len() + secret.len()];
        prop_assert!(there.iter().all(|byte| *byte == b'*'), "{}", String::from_utf8_lossy(&masked));
    }
}

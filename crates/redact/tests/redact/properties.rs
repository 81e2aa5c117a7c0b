//! Whatever the secrets, the text and the chunks: what goes out is what the slow reference says.

use claviger_redact::{Needles, Redactor};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::texts::{secrets, text_with};
use crate::{masked_in_chunks, reference};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn what_goes_out_is_what_the_reference_says(
        (secrets, text) in secrets().prop_flat_map(text_with),
        lengths in vec(prop_oneof![1..4_usize, 1..60_usize], 1..40),
    ) {
        let needles = Needles::new(&secrets);
        let expected = reference::masked(&secrets, &text);
        prop_assert_eq!(masked_in_chunks(&needles, &text, &lengths).escape_ascii().to_string(), expected.escape_ascii().to_string());
        let value = Redactor::new(needles).mask_header(&text);
        prop_assert_eq!(value, (expected != text).then_some(expected));
    }

    #[test]
    fn the_secrets_that_are_found_are_those_that_are_there(
        (secrets, text) in secrets().prop_flat_map(text_with),
    ) {
        let mut redactor = Redactor::new(Needles::new(&secrets));
        redactor.mask_header(&text);
        let (_, present) = reference::found(&secrets, &text);
        let found = redactor.found().map(|(secret, _)| secret).collect();
        prop_assert_eq!(present, found);
    }

    #[test]
    fn wherever_it_is_in_a_long_text(
        (secrets, text) in secrets().prop_flat_map(text_with),
        (before, after) in (20..17_000_usize, 20..9_000_usize),
        lengths in vec(1..17_000_usize, 1..6),
    ) {
        // Far from it the filler is what it is; how it is near secrets that have such bytes, the reference tells.
        let around = [&[1; 20], &text[..], &[1; 20]].concat();
        let expected = [&vec![1; before - 20], &reference::masked(&secrets, &around)[..], &vec![1; after - 20]].concat();
        let text = [&vec![1; before], &text[..], &vec![1; after]].concat();
        let needles = Needles::new(&secrets);
        prop_assert!(masked_in_chunks(&needles, &text, &lengths) == expected);
        let value = Redactor::new(needles).mask_header(&text);
        prop_assert!(value.unwrap_or(text) == expected);
    }

    #[test]
    fn texts_of_any_bytes_go_through_unless_a_secret_is_in_them(
        secrets in vec(vec(any::<u8>(), 0..40), 0..5),
        text in vec(any::<u8>(), 0..1_000),
        lengths in vec(1..300_usize, 1..20),
    ) {
        let needles = Needles::new(&secrets);
        prop_assert_eq!(masked_in_chunks(&needles, &text, &lengths), reference::masked(&secrets, &text));
    }
}

/// More of them with `CLAVIGER_REDACT_CASES`.
fn cases() -> u32 {
    std::env::var("CLAVIGER_REDACT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256)
}

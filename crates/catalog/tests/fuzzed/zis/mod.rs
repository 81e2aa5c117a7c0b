//! What the fuzz target `zis` checks.

mod check;

use claviger_catalog::ZisType;
use proptest::prelude::*;

use self::check::{BUILT, run, seeds};
use crate::{trials, try_findings};

/// All types are there, and of each, bodies are taken and refused.
#[test]
fn seeds_hold_and_reach_every_type() {
    let seen: Vec<_> = seeds::all().iter().map(|(_, bytes)| run(bytes)).collect();
    for of in ZisType::BY_BODY {
        let count = |number: fn(&check::Seen) -> usize| {
            seen.iter().filter(|seen| seen.of == Some(of.as_str())).map(number).sum::<usize>()
        };
        assert!(count(|seen| seen.made) > 10, "{of:?} is never made");
        assert!(count(|seen| seen.changed) > 10, "{of:?} is never changed");
        assert!(count(|seen| seen.refused) > 10, "{of:?} is never refused");
    }
    assert!(seeds::words().contains("header_name"));
}

#[test]
fn findings_stay_fixed() {
    try_findings("zis", |bytes| _ = run(bytes));
}

proptest! {
    #![proptest_config(trials())]

    /// Whatever is built of them is read as the model says.
    #[test]
    fn reading_agrees_with_the_model(mut bytes in prop::collection::vec(any::<u8>(), 2..400)) {
        bytes[1] = BUILT;
        run(&bytes);
    }

    /// Any text in any member's place.
    #[test]
    fn any_text_is_read_as_the_model_says(of in 0..3_u8, texts in prop::collection::vec(any::<String>(), 4)) {
        let members = [["name", "allowed_domain", "header_name", "api_key"], ["name", "allowed_domain", "username", "password"],
            ["name", "allowed_domain", "other", "token"]][usize::from(of)];
        let right = ["mine", "api.example.com", "x-key", "secret"];
        // One at a time, and all at once.
        let mut lines = vec![serde_json::Map::from_iter(members.iter().zip(&texts).map(|(member, text)| ((*member).into(), text.clone().into())))];
        for place in 0..4 {
            let value = |at: usize| if at == place { texts[at].clone() } else { right[at].to_owned() };
            lines.push((0..4).map(|at| (members[at].to_owned(), value(at).into())).collect());
        }
        let lines: Vec<_> = lines.into_iter().map(|line| serde_json::Value::Object(line).to_string()).collect();
        let seen = run(&[&[of, check::TEXTS][..], lines.join("\n").as_bytes()].concat());
        prop_assert_eq!(seen.made + seen.refused, 5);
    }
}

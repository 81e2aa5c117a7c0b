//! What the fuzz target `connections` checks.

mod check;

use proptest::prelude::*;

use self::check::{BUILT, HTTP, run, seeds, types};
use crate::{trials, try_findings};

/// Each is a create and changes of one type. All types are there, and each is created, changed and refused.
#[test]
fn seeds_hold_and_reach_every_type() {
    let seen: Vec<_> = seeds::all().iter().map(|(_, bytes)| run(bytes)).collect();
    for (_, credential) in types() {
        let of = || seen.iter().filter(|seen| seen.kind.as_deref() == Some(credential.kind()));
        assert!(of().any(|seen| seen.created > 0), "{} is never created", credential.kind());
        assert!(of().any(|seen| seen.updated > 0), "{} is never changed", credential.kind());
        assert!(of().any(|seen| seen.refused > 0), "{} is never refused", credential.kind());
        let aims = !credential.host_fields().is_empty();
        assert_eq!(of().any(|seen| seen.repointed > 0), aims, "{}", credential.kind());
        let fills = credential.kind() == "HTTPTokenAuth";
        assert_eq!(of().any(|seen| seen.moved > 0), fills, "{}", credential.kind());
    }
    assert_eq!(types().len(), 25);
    assert!(seeds::words().contains("HTTPTokenAuth"));
}

#[test]
fn findings_stay_fixed() {
    try_findings("connections", |bytes| _ = run(bytes));
}

proptest! {
    #![proptest_config(trials())]

    /// Of all types: what the model refuses is refused and changes nothing; what it takes is taken, to the same end.
    #[test]
    fn merging_agrees_with_the_model(mut bytes in prop::collection::vec(any::<u8>(), 2..400)) {
        bytes[0] = if bytes[0] % 2 == 0 { BUILT } else { HTTP };
        run(&bytes);
    }
}

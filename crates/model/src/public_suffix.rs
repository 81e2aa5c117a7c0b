//! Public suffixes: names below which anybody may register, or be given, a name.

use psl::{List, Psl};

/// Whether the names directly below this one belong to different owners: it is a public suffix (`com`, `co.uk`,
/// `myshopify.com`), or the list's own wildcard stands on it (`*.kawasaki.jp`), so that what is below are the suffixes.
///
/// Canonical names only. The list's default holds for what it does not know: a name of one label is a suffix.
pub(crate) fn spans_owners(name: &str) -> bool {
    // No label is `*`, so that nothing in the list answers to it but a wildcard.
    is_suffix(name) || is_suffix(&format!("*.{name}"))
}

fn is_suffix(name: &str) -> bool {
    List.suffix(name.as_bytes()).is_some_and(|suffix| suffix == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_with_its_wildcards_and_exceptions() {
        for name in ["com", "co.uk", "myshopify.com", "ck", "x.ck", "kawasaki.jp", "x.kawasaki.jp", "unheard"]
        {
            assert!(spans_owners(name), "{name}");
        }
        for name in ["example.com", "www.ck", "city.kawasaki.jp", "x.y.kawasaki.jp", "one.unheard"] {
            assert!(!spans_owners(name), "{name}");
        }
    }
}

//! The order of names in lists.

/// The key by which names sort: as bytes, it orders like the vendor's lists.
///
/// Names compare by their case-folded letters and digits alone, so that `[DO NOT DELETE] x` stands beside
/// `ddiner-test`; ties are broken by the whole name. Source: every list that is recorded for the tests of the
/// vendor's Python client is in this order.
pub fn collation_key(name: &str) -> Vec<u8> {
    let folded = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    let mut key: Vec<u8> = folded.collect::<String>().into_bytes();
    key.push(0);
    key.extend_from_slice(name.as_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_punctuation_do_not_count() {
        let mut names = ["tUp", "[DO NOT DELETE] x", "_tDK", "ddiner-test", "SuQ", "ddiner test"];
        names.sort_by_key(|name| collation_key(name));
        assert_eq!(names, ["ddiner test", "ddiner-test", "[DO NOT DELETE] x", "SuQ", "_tDK", "tUp"]);
    }

    #[test]
    fn a_shorter_name_comes_before_its_extension() {
        assert!(collation_key("key") < collation_key("key 1"));
        assert_ne!(collation_key("a-b"), collation_key("ab"));
    }
}

//! The index of names by every three letters in a row, which searches are narrowed with.
//!
//! PostgreSQL's planner uses an index of its own, if it has one; see `postgres/search.rs`.

use rusqlite::Connection;

use super::failure;
use crate::StoreError;

/// More candidates than this, and reading every name of the org is no slower than looking at each of them.
pub(crate) const CANDIDATES_MAX: i64 = 1_000;
/// The most triples of letters that the index is asked for: so many leave few candidates that LIKE refuses.
const TRIGRAMS_MAX: usize = 16;

/// How many the index finds for $1, up to $2.
pub(crate) const COUNT_CANDIDATES: &str =
    "SELECT COUNT(*) FROM (SELECT 1 FROM credential_trigrams WHERE credential_trigrams MATCH $1 LIMIT $2)";

/// The credentials that the index finds for a parameter, as a table. What waits to be indexed is a candidate
/// whatever it says.
pub(crate) fn candidates(parameter: &str) -> String {
    format!(
        "(SELECT n.credential_id AS id FROM credential_trigrams
              CROSS JOIN credential_numbers n ON n.number = credential_trigrams.rowid
              WHERE credential_trigrams MATCH {parameter}
          UNION SELECT n.credential_id FROM credential_trigrams_waiting w
              CROSS JOIN credential_numbers n ON n.number = w.number WHERE w.command IS NULL)"
    )
}

/// What to ask the index for a text; none where the index does not help: it knows nothing shorter than three
/// letters, and its language cannot say NUL.
pub(crate) fn question(text: &str) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() < 3 || letters.contains(&'\0') {
        return None;
    }
    let quoted = |triple: &[char]| format!("\"{}\"", triple.iter().collect::<String>().replace('"', "\"\""));
    let triples: Vec<_> = letters.windows(3).take(TRIGRAMS_MAX).map(quoted).collect();
    Some(triples.join(" AND "))
}

/// Hands over to the index what waits for it. To be done once, at the end of a transaction.
pub(super) fn index_waiting(connection: &Connection) -> Result<(), StoreError> {
    let run = |sql| connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    let is_any = |sql| connection.prepare_cached(sql).and_then(|mut statement| statement.exists([]));
    if !is_any("SELECT 1 FROM credential_trigrams_waiting LIMIT 1").map_err(failure)? {
        return Ok(());
    }
    // A number is added once and removed at most once, so that all can be added first.
    run("INSERT INTO credential_trigrams (rowid, text)
         SELECT number, text FROM credential_trigrams_waiting WHERE command IS NULL")
    .and_then(|_| {
        run("INSERT INTO credential_trigrams (credential_trigrams, rowid, text)
             SELECT command, number, text FROM credential_trigrams_waiting WHERE command IS NOT NULL")
    })
    .and_then(|_| run("DELETE FROM credential_trigrams_waiting"))
    .map(drop)
    .map_err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_triple_is_asked_for_and_quoted() {
        assert_eq!(question("abcd").as_deref(), Some("\"abc\" AND \"bcd\""));
        assert_eq!(question("a\"b").as_deref(), Some("\"a\"\"b\""));
        assert_eq!(question("éß漢").as_deref(), Some("\"éß漢\""));
        assert_eq!(question("ab"), None);
        assert_eq!(question("abc\0"), None);
    }
}

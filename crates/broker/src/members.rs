//! The members of a JSON object, each as it is written: in their order, with whatever digits a number has, and with two of
//! one name if there are two.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A member.
pub(crate) struct Member<'a> {
    /// What its name stands for.
    pub(crate) name: String,
    /// The name as it is written, in its quotes.
    pub(crate) written_name: &'a str,
    /// The value as it is written.
    pub(crate) value: &'a str,
}

/// All members of an object; none where it is none, or a name is no text.
pub(crate) fn members(json: &[u8]) -> Option<Vec<Member<'_>>> {
    let Pairs(pairs) = serde_json::from_slice(json).ok()?;
    pairs.into_iter().map(Member::new).collect()
}

impl<'a> Member<'a> {
    fn new((written_name, value): Pair<'a>) -> Option<Self> {
        Some(Self { name: serde_json::from_str(written_name).ok()?, written_name, value })
    }
}

/// A name and a value, as they are written.
type Pair<'a> = (&'a str, &'a str);

struct Pairs<'a>(Vec<Pair<'a>>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((name, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
            pairs.push((name.get(), value.get()));
        }
        Ok(Pairs(pairs))
    }
}

//! Tags of connections: `key:value`.

use std::fmt;
use std::str::FromStr;

/// How many tags one connection may have.
pub const TAGS_MAX: usize = 100;
/// The longest tag, in bytes, as the vendor's tags have it elsewhere.
const TAG_BYTES_MAX: usize = 200;

/// One tag. Source: what the vendor's Terraform provider takes for a tag of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag(String);

/// Why a text is no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagError {
    /// Not `key:value` of letters, digits, `.`, `_`, `/` and `-`, or too long.
    Malformed,
    /// The key is reserved.
    Reserved,
}

impl Tag {
    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let is_part = |part: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-');
            !part.is_empty() && part.bytes().all(fits)
        };
        match text.split_once(':') {
            Some(("default", _)) => Err(TagError::Reserved),
            Some((key, value)) if text.len() <= TAG_BYTES_MAX && is_part(key) && is_part(value) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(TagError::Malformed),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => write!(
                f,
                "must be key:value of letters, digits, '.', '_', '/' and '-', of at most {TAG_BYTES_MAX} characters"
            ),
            Self::Reserved => f.write_str("has the key default, which is reserved"),
        }
    }
}

impl std::error::Error for TagError {}

/// The tags of a connection, in the order in which they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(Vec<Tag>);

impl Tags {
    /// Keeps the order, and the first of what is given twice.
    pub fn new(given: impl IntoIterator<Item = Tag>) -> Self {
        let mut tags = Vec::<Tag>::new();
        for tag in given {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        Self(tags)
    }

    /// Each of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Tag> {
        self.0.iter()
    }
}

/// As they are kept: parted by spaces.
impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, tag) in self.iter().enumerate() {
            write!(f, "{}{tag}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl FromStr for Tags {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        text.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_keys_and_values() {
        let read: Tags = "env:test team/a:b.c-d_e".parse().unwrap();
        assert_eq!((read.iter().len(), read.to_string().as_str()), (2, "env:test team/a:b.c-d_e"));
        for text in ["", "env", "env:", ":test", "env:a:b", "e nv:x", "é:x"] {
            assert_eq!(text.parse::<Tag>(), Err(TagError::Malformed), "{text:?}");
        }
        assert_eq!("default:x".parse::<Tag>(), Err(TagError::Reserved));
        assert_eq!(format!("a:{}", "x".repeat(199)).parse::<Tag>(), Err(TagError::Malformed));
    }

    #[test]
    fn a_tag_given_twice_is_there_once() {
        let given = ["a:1", "b:2", "a:1"].map(|text| text.parse().unwrap());
        assert_eq!(Tags::new(given).to_string(), "a:1 b:2");
    }
}

//! Where an action goes, in the words of whoever asks for it: below the connection's base URL, or a whole URL.

use claviger_model::{Origin, Target, TargetError};

use crate::address::{check_characters, check_path};
use crate::query;
use crate::refusal::PathFault;

/// The longest path with its query. The connection adds its own to both, and what HTTP's library takes of a request's
/// target ends at 64 KiB.
const BYTES_MAX: usize = 16 * 1024;

/// A place, under the rules of the door: what servers are known to read in two ways is none.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    origin: Option<Origin>,
    path: String,
    query: Option<String>,
}

/// Why a text names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceFault {
    /// It is no URL that could be called.
    Url(TargetError),
    /// A path that does not begin with a slash.
    NoSlash,
    /// The path, or the query.
    Path(PathFault),
    /// Path and query together.
    Long,
}

impl PlaceFault {
    /// A name for programs, that does not change.
    pub fn code(self) -> &'static str {
        match self {
            Self::Url(error) => error.code(),
            Self::NoSlash => "path_no_slash",
            Self::Path(fault) => fault.told().0,
            Self::Long => "path_long",
        }
    }
}

/// What is wrong, to be read by itself.
impl std::fmt::Display for PlaceFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(error) => write!(f, "The URL {error}"),
            Self::NoSlash => f.write_str("The path must begin with a slash"),
            Self::Path(fault) => f.write_str(fault.told().1),
            Self::Long => write!(f, "Path and query are longer than {BYTES_MAX} bytes"),
        }
    }
}

impl Place {
    /// A path below the connection's base URL, with a query or without: empty, or beginning with a slash.
    ///
    /// # Errors
    /// [`PlaceFault`].
    pub fn below(path: &str) -> Result<Self, PlaceFault> {
        match path.is_empty() || path.starts_with(['/', '?']) {
            true => Self::new(None, path),
            false => Err(PlaceFault::NoSlash),
        }
    }

    /// A whole URL; its path is from the host's root. Whether the connection allows the host is asked at the call.
    ///
    /// # Errors
    /// [`PlaceFault`].
    pub fn at(url: &str) -> Result<Self, PlaceFault> {
        let target: Target = url.parse().map_err(PlaceFault::Url)?;
        Self::new(Some(target.origin().clone()), &target.path_and_query())
    }

    fn new(origin: Option<Origin>, path: &str) -> Result<Self, PlaceFault> {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        check_path(path).map_err(PlaceFault::Path)?;
        query.map_or(Ok(()), check_characters).map_err(PlaceFault::Path)?;
        let place = Self { origin, path: path.to_owned(), query: query.map(str::to_owned) };
        place.measured()
    }

    /// The same with a further parameter, written so that it is one to whoever reads it.
    ///
    /// # Errors
    /// [`PlaceFault::Long`].
    pub fn with_parameter(mut self, name: &str, value: &str) -> Result<Self, PlaceFault> {
        let query = self.query.get_or_insert_default();
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&query::pair(name, value));
        self.measured()
    }

    fn measured(self) -> Result<Self, PlaceFault> {
        let length = self.path.len() + self.query.as_ref().map_or(0, String::len);
        if length <= BYTES_MAX { Ok(self) } else { Err(PlaceFault::Long) }
    }

    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(place: Result<Place, PlaceFault>) -> (String, String, String) {
        let place = place.unwrap_or_else(|fault| panic!("{fault}"));
        let origin = place.origin().map(ToString::to_string).unwrap_or_default();
        (origin, place.path().to_owned(), place.query().unwrap_or("none").to_owned())
    }

    #[test]
    fn a_place_is_taken_apart_byte_for_byte() {
        let check = |place, origin: &str, path: &str, query: &str| {
            assert_eq!(parts(place), (origin.to_owned(), path.to_owned(), query.to_owned()));
        };
        check(Place::below(""), "", "", "none");
        check(Place::below("/a%20b/?x=%2F..&x"), "", "/a%20b/", "x=%2F..&x");
        check(Place::below("?x"), "", "", "x");
        check(Place::at("HTTPS://Api.Example.COM.:443/a?b=c"), "https://api.example.com", "/a", "b=c");
        check(Place::at("https://bücher.example"), "https://xn--bcher-kva.example", "/", "none");
        check(Place::at("http://git.house:8080?x"), "http://git.house:8080", "/", "x");
        let place = Place::below("/a").and_then(|it| it.with_parameter("a b", "&=é")?.with_parameter("", ""));
        check(place, "", "/a", "a%20b=%26%3D%C3%A9&=");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_place() {
        let long = format!("/{}", "x".repeat(BYTES_MAX));
        for (path, code) in [
            ("a", "path_no_slash"),
            ("@evil.example/", "path_no_slash"),
            (".evil.example/", "path_no_slash"),
            ("https://evil.example/", "path_no_slash"),
            ("//evil.example/", "path_empty_segment"),
            ("/a/../b", "path_dots"),
            ("/a/%2e%2E/b", "path_dots"),
            ("/a%2fb", "path_encoded_slash"),
            ("/\\evil.example", "path_backslash"),
            ("/a#b", "path_characters"),
            ("/a\r\nHost: evil.example", "path_characters"),
            ("/a?b\r\nc", "path_characters"),
            ("/a?%zz", "path_escape"),
            (&long, "path_long"),
        ] {
            assert_eq!(Place::below(path).map_err(PlaceFault::code).err(), Some(code), "{path}");
        }
        for (url, code) in [
            ("/a", "url_scheme"),
            ("//evil.example/", "url_scheme"),
            ("ftp://evil.example/", "url_scheme"),
            ("https://user:pw@api.example.com/", "url_userinfo"),
            ("https://api.example.com@evil.example/", "url_userinfo"),
            ("https://api.example.com/#@evil.example", "url_fragment"),
            ("https://api.example.com\\@evil.example/", "url_characters"),
            ("https://2130706433/", "host_number"),
            ("https://api.example.com//evil.example/", "path_empty_segment"),
            ("https://api.example.com/a/%2e%2e/b", "path_dots"),
            ("https://api.example.com/a%2Fb", "path_encoded_slash"),
            ("https://api.example.com/a?%", "path_escape"),
        ] {
            assert_eq!(Place::at(url).map_err(PlaceFault::code).err(), Some(code), "{url}");
        }
        let parameter = "ü".repeat(BYTES_MAX / 6 + 1);
        let long = Place::below("/").and_then(|place| place.with_parameter("a", &parameter));
        assert_eq!(long.err(), Some(PlaceFault::Long));
    }
}

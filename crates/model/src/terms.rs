//! On what terms a connection is used: what its callers may ask of the third party, how their calls are recorded, tried
//! again and limited, and how often the server itself looks whether the credential is still good.

use std::fmt;
use std::str::FromStr;

use crate::Host;

/// The most rules of one connection: more than people keep in mind, and few enough to be compared with every call.
pub const TERMS_RULES_MAX: usize = 50;
/// The longest path of a rule, in bytes.
pub const RULE_PATH_BYTES_MAX: usize = 1_024;
/// The most times that a call is tried again.
pub const RETRIES_MAX: u8 = 3;
/// The most calls of one connection at once, also where nobody set a limit.
pub const CONCURRENCY_MAX: u16 = 2_048;
/// The shortest and the longest time between two tests that the server makes by itself, in seconds: five minutes and
/// thirty days.
pub const CHECK_SECONDS: std::ops::RangeInclusive<u32> = 300..=2_592_000;

/// The shortest and the longest time that a third party may be given to begin its answer, in seconds: ten minutes, as
/// long as the slowest calls that are answered in one piece are known to take.
pub const TIMEOUT_SECONDS: std::ops::RangeInclusive<u16> = 1..=600;

/// See the module's documentation. The default asks for nothing.
///
/// Written as words: `audit=strict retries=2 concurrency=16 timeout=300 check=3600 rule=GET,PUT|api.example.com|/v1/orders`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// What may be asked: one of them must hold. None, and everything may.
    pub rules: Vec<CallRule>,
    /// When a call is written down.
    pub audit: Audit,
    /// How often a call is tried again that failed for a moment and does no harm twice; callers may ask for it too.
    pub retries: u8,
    /// How many calls there may be at once; none for [`CONCURRENCY_MAX`].
    pub concurrency: Option<u16>,
    /// How many seconds the third party may take to begin its answer; none for as many as it usually may.
    pub timeout_seconds: Option<u16>,
    /// How many seconds after a test the server makes the next by itself; none for never.
    pub check_seconds: Option<u32>,
}

/// When calls are written to the usage log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Audit {
    /// With others, at least every second: a crash may lose that second.
    #[default]
    Batched,
    /// Before they are made.
    Strict,
}

impl Audit {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Batched => "batched",
            Self::Strict => "strict",
        }
    }
}

impl FromStr for Audit {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        let all = [Self::Batched, Self::Strict];
        all.into_iter().find(|audit| audit.as_str() == text).ok_or(TermsError::Audit)
    }
}

/// Something that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRule {
    /// By these methods; empty for any.
    pub methods: Vec<RuleMethod>,
    /// Of this host; none for each that the connection allows.
    pub host: Option<Host>,
    /// At this path and below it.
    pub path: RulePath,
}

impl CallRule {
    /// Whether a call is what this rule speaks of. `path` is the one that the third party sees, byte for byte.
    pub fn admits(&self, method: &str, host: &Host, path: &str) -> bool {
        let is_method = self.methods.is_empty() || self.methods.iter().any(|it| it.admits(method));
        is_method && self.host.as_ref().is_none_or(|it| it == host) && self.path.admits(path)
    }
}

/// A method that rules know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleMethod {
    /// GET, and HEAD, which is GET without the body.
    Get,
    /// HEAD alone.
    Head,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// OPTIONS.
    Options,
}

impl RuleMethod {
    /// All.
    pub const ALL: [Self; 7] =
        [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Options];

    /// The name, as in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// Whether a request by this method is meant.
    fn admits(self, method: &str) -> bool {
        self.as_str() == method || (self == Self::Get && method == Self::Head.as_str())
    }
}

impl FromStr for RuleMethod {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        Self::ALL.into_iter().find(|method| method.as_str() == text).ok_or(TermsError::Method)
    }
}

/// Where a rule holds: `/repos/acme` is that path and all below it, and not `/repos/acme-corp`; `/repos/acme/` is what
/// is below it alone; `/` is everything.
///
/// Compared byte for byte: another spelling of the same path is not admitted, so that no two readings of one can differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulePath(String);

impl RulePath {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn admits(&self, path: &str) -> bool {
        // Asked for without any path, the root is meant.
        let path = if path.is_empty() { "/" } else { path };
        match path.strip_prefix(self.as_str()) {
            Some(rest) => rest.is_empty() || self.0.ends_with('/') || rest.starts_with('/'),
            None => false,
        }
    }
}

impl fmt::Display for RulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RulePath {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        let is_written_plainly = text.bytes().all(|byte| byte.is_ascii_graphic());
        let means_something_else = text.contains(['?', '#', '\\', '|', '*', ';']) || text.contains("//");
        let has_dots = text.split('/').any(|segment| matches!(segment, "." | ".."));
        match text.starts_with('/') && is_written_plainly && !means_something_else && !has_dots {
            _ if text.len() > RULE_PATH_BYTES_MAX => Err(TermsError::LongPath),
            true => Ok(Self(text.to_owned())),
            false => Err(TermsError::Path),
        }
    }
}

/// What is wrong with terms, to be read after the name of the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermsError {
    /// No word for when calls are written down.
    Audit,
    /// No method.
    Method,
    /// No path.
    Path,
    /// A path that is too long.
    LongPath,
    /// Words that are not understood.
    Words,
}

impl fmt::Display for TermsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audit => f.write_str("must be batched or strict"),
            Self::Method => f.write_str("must be one of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS"),
            Self::Path => f.write_str(
                "must begin with a slash and be a plain path: without query, dot segments, empty segments, \
                 semicolons, wildcards, backslashes and spaces",
            ),
            Self::LongPath => write!(f, "must have at most {RULE_PATH_BYTES_MAX} bytes"),
            Self::Words => f.write_str("are not understood"),
        }
    }
}

impl std::error::Error for TermsError {}

impl Terms {
    /// Whether they ask for nothing.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a call may be made, by the rules. `path` is the one that the third party sees.
    pub fn admit(&self, method: &str, host: &Host, path: &str) -> bool {
        self.rules.is_empty() || self.rules.iter().any(|rule| rule.admits(method, host, path))
    }
}

impl fmt::Display for CallRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, method) in self.methods.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { "," }, method.as_str())?;
        }
        f.write_str("|")?;
        if let Some(host) = &self.host {
            write!(f, "{host}")?;
        }
        write!(f, "|{}", self.path)
    }
}

impl FromStr for CallRule {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        let mut parts = text.splitn(3, '|');
        let mut next = || parts.next().ok_or(TermsError::Words);
        let (methods, host, path) = (next()?, next()?, next()?);
        let methods = methods.split(',').filter(|name| !name.is_empty());
        let host = Some(host).filter(|host| !host.is_empty()).map(str::parse).transpose();
        Ok(Self {
            methods: methods.map(str::parse).collect::<Result<_, _>>()?,
            host: host.map_err(|_| TermsError::Words)?,
            path: path.parse()?,
        })
    }
}

/// As they are kept; what is as usual is left out.
impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if self.audit != Audit::default() {
            words.push(format!("audit={}", self.audit.as_str()));
        }
        if self.retries > 0 {
            words.push(format!("retries={}", self.retries));
        }
        words.extend(self.concurrency.map(|most| format!("concurrency={most}")));
        words.extend(self.timeout_seconds.map(|seconds| format!("timeout={seconds}")));
        words.extend(self.check_seconds.map(|seconds| format!("check={seconds}")));
        words.extend(self.rules.iter().map(|rule| format!("rule={rule}")));
        f.write_str(&words.join(" "))
    }
}

impl FromStr for Terms {
    type Err = TermsError;

    fn from_str(text: &str) -> Result<Self, TermsError> {
        let mut terms = Self::default();
        for word in text.split_ascii_whitespace() {
            let (name, value) = word.split_once('=').ok_or(TermsError::Words)?;
            match name {
                "audit" => terms.audit = value.parse()?,
                "retries" => terms.retries = value.parse().map_err(|_| TermsError::Words)?,
                "concurrency" => {
                    terms.concurrency = Some(value.parse().map_err(|_| TermsError::Words)?);
                }
                "timeout" => terms.timeout_seconds = Some(value.parse().map_err(|_| TermsError::Words)?),
                "check" => terms.check_seconds = Some(value.parse().map_err(|_| TermsError::Words)?),
                "rule" => terms.rules.push(value.parse()?),
                _ => return Err(TermsError::Words),
            }
        }
        Ok(terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_as_they_were_written() {
        for text in [
            "",
            "audit=strict",
            "retries=2 concurrency=16 timeout=600 check=3600",
            "audit=strict retries=3 rule=GET,POST|api.example.com|/v1/orders rule=||/ rule=DELETE|[2001:db8::1]|/a=b",
        ] {
            let terms: Terms = text.parse().unwrap();
            assert_eq!(terms.to_string(), text);
            assert_eq!(terms.is_default(), text.is_empty());
        }
        for text in [
            "audit",
            "audit=some",
            "retries=x",
            "rule=GET",
            "rule=GET||a",
            "rule=get||/",
            "timeout=x",
            "more=1",
        ] {
            assert!(text.parse::<Terms>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_rule_holds_at_its_path_and_below() {
        let host: Host = "api.example.com".parse().unwrap();
        for (rule, path, holds) in [
            ("/repos/acme", "/repos/acme", true),
            ("/repos/acme", "/repos/acme/", true),
            ("/repos/acme", "/repos/acme/x/y", true),
            ("/repos/acme", "/repos/acme-corp", false),
            ("/repos/acme", "/repos/acme;x", false),
            ("/repos/acme", "/repos/ACME", false),
            ("/repos/acme", "/repos/%61cme", false),
            ("/repos/acme", "/repos", false),
            ("/repos/acme/", "/repos/acme", false),
            ("/repos/acme/", "/repos/acme/x", true),
            ("/", "", true),
            ("/", "/anything", true),
            ("/a", "", false),
        ] {
            let terms: Terms = format!("rule=||{rule}").parse().unwrap();
            assert_eq!(terms.admit("GET", &host, path), holds, "{rule} {path}");
        }
    }

    #[test]
    fn a_rule_holds_for_its_methods_and_host() {
        let host = |text: &str| text.parse::<Host>().unwrap();
        let terms: Terms = "rule=GET|one.example|/ rule=POST,PUT||/a rule=HEAD||/h".parse().unwrap();
        for (method, at, path, holds) in [
            ("GET", "one.example", "/x", true),
            ("HEAD", "one.example", "/x", true),
            ("GET", "two.example", "/x", false),
            ("POST", "one.example", "/x", false),
            ("POST", "two.example", "/a/b", true),
            ("PUT", "two.example", "/a", true),
            ("DELETE", "two.example", "/a", false),
            ("HEAD", "two.example", "/h", true),
            ("GET", "two.example", "/h", false),
            // Methods are as they are written (RFC 9110, 9.1): this one is another.
            ("get", "one.example", "/x", false),
        ] {
            assert_eq!(terms.admit(method, &host(at), path), holds, "{method} {at} {path}");
        }
        assert!(Terms::default().admit("PROPFIND", &host("any.example"), "/x"));
    }

    #[test]
    fn a_path_that_could_be_read_otherwise_is_none() {
        for path in
            ["", "a", "/a?b", "/a#b", "/a b", "/a//b", "/a/../b", "/./a", "/a|b", "/*", "/a;b", "/a\\b", "/ü"]
        {
            assert_eq!(path.parse::<RulePath>(), Err(TermsError::Path), "{path}");
        }
        let long = format!("/{}", "a".repeat(RULE_PATH_BYTES_MAX));
        assert_eq!(long.parse::<RulePath>(), Err(TermsError::LongPath));
    }
}

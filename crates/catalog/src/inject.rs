//! Where a credential stands in a request, as data: the broker carries it out.

use regex::Regex;
use serde_json::Value;

use crate::placeholder::Text;

/// Something that is added to a request.
#[derive(Debug)]
pub struct Injection {
    /// What.
    pub what: Presentation,
    /// Only where the caller sent no such header.
    pub if_absent: bool,
    /// Only for some requests.
    pub when: Option<When>,
}

/// A way to present a credential. In the texts, `{field}` is a field of the connection, `{token}` what the exchange
/// yielded.
#[derive(Debug)]
pub enum Presentation {
    /// A header, in place of the caller's of that name.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: Text,
    },
    /// A parameter of the query, in place of the caller's of that name.
    Query {
        /// Its name.
        name: String,
        /// Its value.
        value: Text,
    },
    /// `Authorization: Bearer …`.
    Bearer(Text),
    /// `Authorization: Basic …`, the base64 of both with a colon between.
    Basic {
        /// Before the colon.
        user: Text,
        /// After it.
        password: Text,
    },
    /// An AWS signature with the keys that the exchange yielded.
    AwsSignature,
    /// The headers, URL parameters and body of an HTTP connection.
    HttpTemplate,
}

/// A condition.
#[derive(Debug)]
pub struct When {
    pub(crate) test: Test,
    /// Whether the test must fail.
    pub(crate) not: bool,
}

#[derive(Debug)]
pub(crate) enum Test {
    Field { name: String, matches: Regex },
    Url(String),
}

/// A read-only call that proves a credential.
#[derive(Debug)]
pub struct Probe {
    /// GET unless the entry says otherwise.
    pub method: String,
    /// Relative to the base URL.
    pub path: String,
    /// Statuses that prove it.
    pub ok: Vec<u16>,
    /// Statuses that disprove it.
    pub bad: Vec<u16>,
    /// Statuses of a real credential that may not do this.
    pub limited: Vec<u16>,
    /// With an `ok` status: where in the body which value must stand, else the credential is bad.
    pub check: Option<(String, Value)>,
    /// Only for some credentials.
    pub when: Option<When>,
}

/// What of the caller's request never goes out, beside what no request takes along.
#[derive(Debug, Default)]
pub struct Strip {
    /// Names of headers, in lower case.
    pub headers: Vec<String>,
    /// Names of parameters of the query.
    pub query: Vec<String>,
}

/// How a service says "slow down".
#[derive(Debug)]
pub struct Retry {
    /// The statuses after which a call may be repeated.
    pub statuses: Vec<u16>,
    /// Headers that say how long to wait.
    pub waits: Vec<Wait>,
    /// Of several such headers, whether the longest wait counts, not the first.
    pub longest: bool,
}

/// A header that says how long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Its name, in lower case.
    pub header: String,
    /// What its value means.
    pub unit: WaitUnit,
}

/// What a wait is written in. The services differ, and mixing units up is the usual mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitUnit {
    /// Seconds from now.
    Seconds,
    /// Seconds from now, or a date as HTTP writes it.
    SecondsOrDate,
    /// Milliseconds from now.
    Millis,
    /// A date as HTTP writes it.
    HttpDate,
    /// Unix time in seconds.
    EpochSeconds,
    /// Unix time in milliseconds.
    EpochMillis,
    /// A duration such as `1s` or `6m0s`.
    Duration,
}

impl When {
    /// Whether the condition holds for a call to `url` of a connection whose fields `value_of` gives.
    pub fn holds<'v>(&self, url: &str, value_of: impl Fn(&str) -> Option<&'v str>) -> bool {
        let passed = match &self.test {
            Test::Field { name, matches } => value_of(name).is_some_and(|value| matches.is_match(value)),
            Test::Url(prefix) => url.starts_with(prefix.as_str()),
        };
        passed != self.not
    }
}

impl Presentation {
    /// The texts that stand in it.
    pub(crate) fn texts(&self) -> Vec<&Text> {
        match self {
            Self::Header { value, .. } | Self::Query { value, .. } | Self::Bearer(value) => vec![value],
            Self::Basic { user, password } => vec![user, password],
            Self::AwsSignature | Self::HttpTemplate => Vec::new(),
        }
    }
}

impl Retry {
    /// What holds unless an entry says otherwise.
    pub(crate) fn usual_statuses() -> Vec<u16> {
        vec![429, 502, 503, 504]
    }

    /// What holds unless an entry says otherwise.
    pub(crate) fn usual_waits() -> Vec<Wait> {
        vec![Wait { header: "retry-after".to_owned(), unit: WaitUnit::SecondsOrDate }]
    }
}

//! Headers in which no connection carries a secret, each with its reason.
//!
//! The vendor's list for connections is here whole, and beside it what would break the call or mislead whoever receives
//! it. The vendor's list lacks `authorization` and `content-type`, and so does this one.

use std::fmt;

use HeaderRefusal::{Cookie, Description, Framing, Host, Link, Ours, Vendor, Whence};

/// Why a header does not carry a connection's secret; to be read after "a header that".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeaderRefusal {
    /// It decides how a message is sent and where it ends: the sender's alone, since two readings are two requests.
    Framing,
    /// It is about one connection of the way, not about the request.
    Link,
    /// It says whom the request is for: the connection's host, which was checked.
    Host,
    /// It says whom a request is from and through whom: the broker's to say.
    Whence,
    /// It is between Claviger and its callers.
    Ours,
    /// It carries sessions.
    Cookie,
    /// It describes the request or its answer, and is read by others than those who know the secret.
    Description,
    /// It is the vendor's, or of the vendor's cloud.
    Vendor,
}

impl HeaderRefusal {
    /// Whether such a header, set by a connection or its caller, makes another request of the one that was checked: for
    /// headers that carry no secret, this matters alone.
    pub fn breaks_requests(self) -> bool {
        match self {
            Framing | Link | Host | Whence | Ours => true,
            Cookie | Description | Vendor => false,
        }
    }

    /// A name for programs, that does not change.
    pub fn code(self) -> &'static str {
        match self {
            Framing => "header_of_framing",
            Link => "header_of_link",
            Host => "header_of_host",
            Whence => "header_of_whence",
            Ours => "header_of_claviger",
            Cookie => "header_of_cookies",
            Description => "header_of_description",
            Vendor => "header_of_vendor",
        }
    }
}

impl fmt::Display for HeaderRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Framing => "decides how a message is sent",
            Link => "is about one link of the way only",
            Host => "says which host a request is for",
            Whence => "says where a request comes from",
            Ours => "is reserved for Claviger",
            Cookie => "carries cookies",
            Description => "describes a request or an answer",
            Vendor => "is reserved by the platform",
        })
    }
}

/// In lower case, with `-` for `_`.
const NAMES: [(&str, HeaderRefusal); 37] = [
    ("accept", Description),
    ("accept-charset", Description),
    ("accept-encoding", Description),
    ("accept-language", Description),
    ("cache-control", Description),
    ("connection", Link),
    ("content-length", Framing), // not on the vendor's list
    ("content-md5", Description),
    ("cookie", Cookie),
    ("date", Description),
    ("expect", Framing),
    ("forwarded", Whence), // not on the vendor's list
    ("from", Description),
    ("host", Host),
    ("http2-settings", Link), // not on the vendor's list
    ("if-match", Description),
    ("if-modified-since", Description),
    ("if-none-match", Description),
    ("if-range", Description),
    ("if-unmodified-since", Description),
    ("keep-alive", Link), // not on the vendor's list
    ("max-forwards", Description),
    ("pragma", Description),
    ("proxy-authenticate", Link),
    ("proxy-authorization", Link),
    ("proxy-connection", Link), // not on the vendor's list
    ("range", Description),
    ("referer", Description),
    ("server", Description),
    ("te", Link),
    ("trailer", Framing),
    ("transfer-encoding", Framing),
    ("upgrade", Link),
    ("user-agent", Description),
    ("via", Whence),
    ("warning", Description),
    ("www-authenticate", Description),
];

/// As [`NAMES`].
const PREFIXES: [(&str, HeaderRefusal); 5] = [
    ("claviger-", Ours), // not on the vendor's list
    ("x-amz-", Vendor),
    ("x-amzn-", Vendor),
    ("x-forwarded-", Whence),
    ("x-zis-", Vendor), // the platform proves itself in one of these
];

/// Why a header is refused, if it is.
///
/// Servers of the CGI kind hand `-` and `_` to the program as one and the same, so both are one here too: `X_Forwarded_For`
/// would otherwise be a way round.
pub(crate) fn find(name: &str) -> Option<HeaderRefusal> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let named = NAMES.iter().find(|(refused, _)| *refused == name);
    let found = named.or_else(|| PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix)));
    found.map(|(_, refusal)| *refusal)
}

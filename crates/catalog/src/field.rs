//! The fields of connections: where they stand, what they hold, what they stand for in hosts and URLs.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;

use crate::format::Format;

/// A field of a connection.
#[derive(Debug, Clone)]
pub struct Field {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) secret: bool,
    pub(crate) required: bool,
    pub(crate) shape: Shape,
    pub(crate) hint: Option<Regex>,
}

/// Where a field stands in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Beside `credentials`.
    Integration,
    /// Among them.
    Credentials,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub enum Shape {
    /// A text.
    Text {
        /// What it must look like.
        format: Arc<Format>,
        /// What it stands for in hosts and URLs.
        stands_for: StandsFor,
    },
    /// Named values.
    List {
        /// What the names must look like.
        names: Arc<Format>,
        /// What the values must look like.
        values: Arc<Format>,
    },
    /// The body of an HTTP connection.
    HttpBody,
    /// A text that the server makes.
    Made(Made),
}

/// What a text stands for in hosts and URLs.
#[derive(Debug, Clone)]
pub enum StandsFor {
    /// Itself.
    Itself,
    /// What its row says; another text is refused.
    Row(BTreeMap<String, String>),
    /// A host below one of these; a bare label is below the first.
    HostBelow(Vec<String>),
}

/// What the server makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// What AWS calls ExternalId: 32 hexadecimal digits, new on request.
    ExternalId,
    /// The AWS account that assumes the role: the operator's.
    PrincipalId,
}

impl Field {
    /// Its name on the wire.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Whether it is sealed and never shown; of a list, its values.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether a connection cannot be made without it.
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// What it holds.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whether a text could still be given today.
    pub(crate) fn fits(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Text { format, stands_for } => format.accepts(text) && stands_for.refusal(text).is_none(),
            Shape::Made(_) => true,
            Shape::List { .. } | Shape::HttpBody => false,
        }
    }

    /// What a text of this field stands for in hosts and URLs. Hosts are compared in lower case.
    pub(crate) fn stands_for(&self, text: &str) -> String {
        match &self.shape {
            Shape::Text { stands_for: StandsFor::Row(rows), .. } => {
                rows.get(text).map_or_else(|| text.to_owned(), Clone::clone)
            }
            Shape::Text { stands_for: StandsFor::HostBelow(suffixes), .. } => {
                let host = text.to_ascii_lowercase();
                if host.contains('.') { host } else { host + &suffixes[0] }
            }
            _ => text.to_owned(),
        }
    }
}

impl StandsFor {
    /// Why a text that fits the format is refused all the same.
    pub(crate) fn refusal(&self, text: &str) -> Option<String> {
        match self {
            Self::Itself => None,
            Self::Row(rows) => (!rows.contains_key(text)).then(|| {
                let known: Vec<&str> = rows.keys().map(String::as_str).collect();
                format!("must be one of {}", known.join(", "))
            }),
            Self::HostBelow(suffixes) => (!is_below(text, suffixes))
                .then(|| format!("must be a single label or end in {}", suffixes.join(" or "))),
        }
    }
}

fn is_below(text: &str, suffixes: &[String]) -> bool {
    let host = text.to_ascii_lowercase();
    let below = |suffix: &String| host.strip_suffix(suffix.as_str()).is_some_and(|rest| !rest.is_empty());
    !host.contains('.') || suffixes.iter().any(below)
}

impl Made {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "external_id" => Some(Self::ExternalId),
            "principal_id" => Some(Self::PrincipalId),
            _ => None,
        }
    }
}

//! What personal and service access tokens have in common on the wire, as recorded.

use claviger_engine::{CredentialPage, Shown, SortKey, TokenPatch};
use claviger_http::openapi::Named;
use claviger_http::{BodyError, Json as Body, SecretText};
use claviger_model::{Credential, Name, Scopes, Timestamp, TokenExpiry};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{check_id, fitting};
use crate::schema::{Fit, Kind, Member};
use crate::wire::{Many, One, PageMeta, Relation};
use crate::{Error, times};

/// By what lists of tokens can be sorted.
pub(super) const SORT_KEYS: &[(&str, SortKey)] = &[
    ("name", SortKey::Name),
    ("created_at", SortKey::CreatedAt),
    ("expires_at", SortKey::ExpiresAt),
    ("last_used_at", SortKey::LastUsedAt),
];

/// What can be changed of a token. Its end cannot, but may be sent back as it was read.
pub(super) const UPDATED: Kind = Kind::Open(&[
    Member::optional("name", Kind::Text),
    Member::optional("scopes", Kind::Texts),
    Member::nullable("expires_at", Kind::Text),
]);

/// As which type a service shows tokens, and as which their owners.
#[derive(Clone, Copy)]
pub(super) struct Family {
    pub(super) token: &'static str,
    pub(super) owner: &'static str,
}

pub(super) fn one_token() -> Named {
    Named::of::<One<Token>>("AccessToken")
}

pub(super) fn many_tokens() -> Named {
    Named::of::<Many<Token, Meta>>("AccessTokens")
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Token {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    attributes: Attributes,
    relationships: Relationships,
}

/// In the order of their names.
#[derive(Serialize, JsonSchema)]
struct Attributes {
    created_at: String,
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<SecretText>,
    /// Left out, or null, or the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_at: Option<String>,
    name: String,
    public_portion: String,
    scopes: Vec<&'static str>,
}

#[derive(Serialize, JsonSchema)]
struct Relationships {
    owned_by: Relation<Owner>,
}

/// Unlike elsewhere, the id comes first.
#[derive(Serialize, JsonSchema)]
struct Owner {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Meta {
    page: PageMeta,
}

/// Which answer a token stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Create,
    Read,
    Update,
}

/// A token that was just made, with its secret: the only answer that has it.
pub(super) fn created(shown: Shown, family: Family) -> One<Token> {
    One { data: wire(shown, family, Answer::Create), included: None }
}

/// A token as it is read.
pub(super) fn read(credential: Credential, family: Family) -> One<Token> {
    let shown = Shown { credential, secret: None };
    One { data: wire(shown, family, Answer::Read), included: None }
}

/// A token that was just changed.
pub(super) fn updated(credential: Credential, family: Family) -> One<Token> {
    let shown = Shown { credential, secret: None };
    One { data: wire(shown, family, Answer::Update), included: None }
}

/// A page of tokens.
pub(super) fn many(page: CredentialPage, family: Family) -> Many<Token, Meta> {
    let item = |credential| wire(Shown { credential, secret: None }, family, Answer::Read);
    Many {
        data: page.items.into_iter().map(item).collect(),
        included: None,
        meta: Meta { page: PageMeta { total_filtered_count: page.total } },
    }
}

fn wire(shown: Shown, family: Family, answer: Answer) -> Token {
    let Shown { credential, secret } = shown;
    let is_modified = answer == Answer::Update || credential.revision > 1;
    let detail = &credential.detail;
    let owner = detail.owner().map(|owner| owner.to_string());
    Token {
        id: credential.id.to_string(),
        kind: family.token,
        attributes: Attributes {
            created_at: match answer {
                Answer::Create => times::nanos(credential.created_at),
                Answer::Read | Answer::Update => times::trimmed(credential.created_at),
            },
            expires_at: credential.expiry.timestamp().map(times::trimmed),
            key: secret.map(SecretText::from),
            last_used_at: (answer != Answer::Create).then(|| credential.last_used.map(times::nanos)),
            modified_at: is_modified.then(|| times::trimmed(credential.modified_at)),
            public_portion: detail.public_portion().unwrap_or_default().to_owned(),
            scopes: detail.scopes().into_iter().flat_map(Scopes::iter).map(|scope| scope.name()).collect(),
            name: credential.name,
        },
        relationships: Relationships {
            owned_by: Relation { data: Owner { id: owner.unwrap_or_default(), kind: family.owner } },
        },
    }
}

/// What the body of a new token says of it.
pub(super) struct NewToken {
    pub(super) name: Name,
    pub(super) scopes: Scopes,
    /// None where it says nothing of an end, or null.
    pub(super) expiry: Option<TokenExpiry>,
}

/// A new token by a body; every bad value is named.
pub(super) fn new_token(
    body: Result<Body, BodyError>,
    schema: Kind,
    now: Timestamp,
) -> Result<NewToken, Error> {
    let body = fitting(body, schema)?;
    let mut given = Given::of(&body);
    let expiry = match given.expires_at.flatten().map(|end| TokenExpiry::check(end, now)) {
        Some(Err(error)) => given.fault(format!("'expires_at' {error}")),
        Some(Ok(expiry)) => Some(expiry),
        None => None,
    };
    match (given.name, given.scopes) {
        (Some(name), Some(scopes)) if given.faults.is_empty() => Ok(NewToken { name, scopes, expiry }),
        _ => Err(Error::invalid(given.faults)),
    }
}

/// Changes of a token by a body; every bad value is named.
pub(super) fn token_patch(
    body: Result<Body, BodyError>,
    schema: Kind,
    id: &str,
) -> Result<TokenPatch, Error> {
    let body = fitting(body, schema)?;
    check_id(&body, id)?;
    let Given { name, scopes, expires_at, faults } = Given::of(&body);
    if faults.is_empty() { Ok(TokenPatch { name, scopes, expires_at }) } else { Err(Error::invalid(faults)) }
}

/// What a body that fits its schema says of a token.
struct Given {
    name: Option<Name>,
    scopes: Option<Scopes>,
    expires_at: Option<Option<Timestamp>>,
    faults: Vec<String>,
}

impl Given {
    fn of(body: &Value) -> Self {
        let attributes = Fit::attributes(body);
        let mut given = Self { name: None, scopes: None, expires_at: None, faults: Vec::new() };
        given.name = match attributes.text("name").map(Name::parse) {
            Some(Err(error)) => given.fault(format!("'name' {error}")),
            Some(Ok(name)) => Some(name),
            None => None,
        };
        given.scopes = match attributes.texts("scopes").map(Scopes::parse) {
            Some(Err(error)) => given.fault(error.to_string()),
            Some(Ok(None)) => given.fault("'scopes' must have at least one scope".to_owned()),
            Some(Ok(scopes)) => scopes,
            None => None,
        };
        given.expires_at = match attributes.nullable_text("expires_at") {
            Some(Some(text)) => match Timestamp::parse_rfc3339(text) {
                None => given.fault("'expires_at' must be an RFC 3339 time".to_owned()),
                end => Some(end),
            },
            Some(None) => Some(None),
            None => None,
        };
        given
    }

    /// Notes what is wrong in place of a value.
    fn fault<T>(&mut self, text: String) -> Option<T> {
        self.faults.push(text);
        None
    }
}

//! Members of flat bodies. Every bad one is named, none of a secret's text is told, and what nobody knows is passed over.

use claviger_catalog::SecretText;
use claviger_engine::{FieldError, NewZisOAuthClient, ZisOAuthClientPatch};
use claviger_model::{AllowedDomain, Target, TargetError, ZisConnectionName};
use claviger_oauth::Beginning;
use serde_json::{Map, Value, json};

use crate::error::Error;

/// The longest secret and the longest id of a client: the vendor names no limits.
const TEXT_BYTES_MAX: usize = 4096;

/// Members on their way to being understood.
pub(super) struct Members {
    object: Map<String, Value>,
    faults: Vec<FieldError>,
}

impl Members {
    pub(super) fn of(object: Map<String, Value>) -> Self {
        Self { object, faults: Vec::new() }
    }

    pub(super) fn fault(&mut self, field: &str, reason: impl Into<String>) {
        self.faults.push(FieldError { field: field.to_owned(), reason: reason.into() });
    }

    /// Whether it is there, as whatever.
    fn has(&self, field: &str) -> bool {
        self.object.contains_key(field)
    }

    /// A text that may be missing.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        match self.object.remove(field)? {
            Value::String(text) => Some(text),
            _ => {
                self.fault(field, "must be a string");
                None
            }
        }
    }

    /// The same that means something.
    pub(super) fn parsed<T, E: ToString>(
        &mut self,
        field: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let parsed = parse(&self.text(field)?);
        parsed.map_err(|error| self.fault(field, error.to_string())).ok()
    }

    /// The same of one that must be there.
    fn required<T, E: ToString>(
        &mut self,
        field: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if !self.has(field) {
            self.fault(field, "is missing");
        }
        self.parsed(field, parse)
    }

    pub(super) fn flag(&mut self, field: &str) -> Option<bool> {
        match self.object.remove(field)? {
            Value::Bool(flag) => Some(flag),
            _ => {
                self.fault(field, "must be true or false");
                None
            }
        }
    }

    /// Members that nothing is said of by null, as by being missing.
    fn without_nulls(mut self) -> Self {
        self.object.retain(|_, value| !value.is_null());
        self
    }

    pub(super) fn refusal(self) -> Error {
        Error::invalid(self.faults)
    }

    fn finish(self) -> Result<(), Error> {
        if self.faults.is_empty() { Ok(()) } else { Err(self.refusal()) }
    }
}

/// Characters that the standard lets an id or a secret of a client have (RFC 6749, appendix A).
fn client_text(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("must not be empty"),
        _ if text.len() > TEXT_BYTES_MAX => Err("must not be longer than 4096 bytes"),
        _ if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) => {
            Err("must not contain control characters or anything beyond ASCII")
        }
        _ => Ok(text.to_owned()),
    }
}

fn client_secret(text: &str) -> Result<SecretText, &'static str> {
    client_text(text).map(SecretText::new)
}

/// An address that can stand in a header.
fn address(text: &str) -> Result<Target, String> {
    match text.is_ascii() {
        true => text.parse().map_err(|error: TargetError| error.to_string()),
        false => Err("must be in ASCII, with international names in their xn-- form".to_owned()),
    }
}

/// What client is to be made of a body.
pub(super) fn new_client(object: Map<String, Value>) -> Result<NewZisOAuthClient, Error> {
    let mut members = Members::of(object).without_nulls();
    let name = members.parsed("name", str::parse);
    let auth_url = members.parsed("auth_url", str::parse);
    let token_url = members.required("token_url", str::parse);
    let client_id = members.required("client_id", client_text);
    let secret = members.required("client_secret", client_secret);
    let default_scopes = members.parsed("default_scopes", str::parse).unwrap_or_default();
    let grant = members.parsed("grant_type", str::parse).unwrap_or_default();
    let allowed_domain = members.parsed("allowed_domain", str::parse::<AllowedDomain>);
    match (token_url, client_id, secret, members.faults.is_empty()) {
        (Some(token_url), Some(client_id), Some(client_secret), true) => Ok(NewZisOAuthClient {
            name,
            auth_url,
            token_url,
            client_id,
            client_secret,
            default_scopes,
            grant,
            allowed_domain,
        }),
        _ => Err(members.refusal()),
    }
}

/// What of a client is to be changed by a body.
pub(super) fn client_patch(mut object: Map<String, Value>) -> Result<ZisOAuthClientPatch, Error> {
    // Where it is null, the host of the token address is meant again.
    let is_default_domain = object.get("allowed_domain").is_some_and(Value::is_null);
    if is_default_domain {
        object.remove("allowed_domain");
    }
    let mut members = Members::of(object);
    let domain = members.parsed("allowed_domain", str::parse::<AllowedDomain>).map(Some);
    let patch = ZisOAuthClientPatch {
        name: members.parsed("name", str::parse),
        auth_url: members.parsed("auth_url", str::parse),
        token_url: members.parsed("token_url", str::parse),
        client_id: members.parsed("client_id", client_text),
        client_secret: members.parsed("client_secret", client_secret),
        default_scopes: members.parsed("default_scopes", str::parse),
        grant: members.parsed("grant_type", str::parse),
        allowed_domain: if is_default_domain { Some(None) } else { domain },
    };
    members.finish()?;
    Ok(patch)
}

/// What is to be begun by a body, and with which client: by name, by id, or by both.
pub(super) struct Start {
    pub(super) beginning: Beginning,
    pub(super) client_name: Option<String>,
    pub(super) client_uuid: Option<String>,
}

pub(super) fn start(object: Map<String, Value>) -> Result<Start, Error> {
    let mut members = Members::of(object).without_nulls();
    let name = members.required("name", ZisConnectionName::parse);
    let names_client = ["oauth_client_name", "oauth_client_uuid"].iter().any(|it| members.has(it));
    let (client_name, client_uuid) = (members.text("oauth_client_name"), members.text("oauth_client_uuid"));
    if !names_client {
        members.fault("oauth_client_name", "is missing, and so is oauth_client_uuid");
    }
    // An empty one is what forms send of a field that was left out.
    let subdomain = members.parsed("oauth_url_subdomain", |text| match text {
        "" => Ok(None),
        text => text.parse().map(Some),
    });
    let grant = members.parsed("grant_type", str::parse);
    let scopes = members.parsed("permission_scopes", str::parse);
    let redirect_url = members.parsed("origin_oauth_redirect_url", address);
    let is_offline = members.flag("allow_offline_access").unwrap_or_default();
    match (name, members.faults.is_empty()) {
        (Some(name), true) => Ok(Start {
            beginning: Beginning {
                name,
                grant,
                scopes,
                subdomain: subdomain.flatten(),
                redirect_url,
                is_offline,
            },
            client_name,
            client_uuid,
        }),
        _ => Err(members.refusal()),
    }
}

fn texts(names: &[&str]) -> Map<String, Value> {
    names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect()
}

const CLIENT: [&str; 6] = ["name", "auth_url", "token_url", "client_id", "client_secret", "default_scopes"];

fn client_members() -> Map<String, Value> {
    let mut members = texts(&CLIENT);
    let grants = ["authorization_code", "client_credentials"];
    members.insert("grant_type".to_owned(), json!({ "type": "string", "enum": grants }));
    members.insert("allowed_domain".to_owned(), json!({ "type": ["string", "null"] }));
    members
}

pub(super) fn new_client_schema() -> Value {
    let required = ["token_url", "client_id", "client_secret"];
    json!({ "type": "object", "properties": client_members(), "required": required })
}

pub(super) fn client_patch_schema() -> Value {
    json!({ "type": "object", "properties": client_members() })
}

pub(super) fn start_schema() -> Value {
    let mut members = texts(&[
        "name",
        "oauth_client_name",
        "oauth_client_uuid",
        "grant_type",
        "permission_scopes",
        "oauth_url_subdomain",
        "origin_oauth_redirect_url",
    ]);
    members.insert("allow_offline_access".to_owned(), json!({ "type": "boolean" }));
    json!({ "type": "object", "properties": members, "required": ["name"] })
}

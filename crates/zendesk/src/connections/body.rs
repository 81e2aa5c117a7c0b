//! Bodies of connections: flat objects. Every bad member is named, none of a secret's text is told, and what nobody
//! knows is passed over (fact sheet, choices U4 to U10).

use claviger_catalog::{SecretText, ZisSettings, ZisType};
use claviger_engine::{FieldError, NewZisConnection, ZisConnectionPatch};
use claviger_http::{BodyError, Json as Body};
use claviger_model::{AllowedDomain, InjectedHeader, ZisConnectionName};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use crate::error::Error;

/// The longest secret, and the longest name of a user: the vendor names no limits.
const TEXT_BYTES_MAX: usize = 4096;

/// The name that the vendor keeps for its own OAuth connections. Live accounts have it for the other types.
const RESERVED: &str = "zendesk";

/// The body of a request, where it says that it is JSON or does not say what it is.
pub(crate) fn json(headers: &HeaderMap, body: Result<Body, BodyError>) -> Result<Map<String, Value>, Error> {
    let said = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default().to_ascii_lowercase());
    let essence = said.as_deref().map(|said| said.split(';').next().unwrap_or_default().trim());
    if essence.is_some_and(|essence| essence != "application/json" && !essence.ends_with("+json")) {
        return Err(Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"));
    }
    match body?.0 {
        Value::Object(members) => Ok(members),
        _ => Err(Error::invalid(vec![FieldError {
            field: "body".to_owned(),
            reason: "must be an object".to_owned(),
        }])),
    }
}

/// The member beside the domain that only some types have, and that is no secret.
pub(crate) fn clear_member(of: ZisType) -> Option<&'static str> {
    match of {
        ZisType::ApiKey => Some("header_name"),
        ZisType::BasicAuth => Some("username"),
        ZisType::BearerToken | ZisType::OAuth => None,
    }
}

/// Members on their way to being understood.
struct Members {
    object: Map<String, Value>,
    is_new: bool,
    faults: Vec<FieldError>,
}

impl Members {
    fn fault(&mut self, field: &str, reason: impl Into<String>) {
        self.faults.push(FieldError { field: field.to_owned(), reason: reason.into() });
    }

    /// A text. In a new connection, none may be missing.
    fn text(&mut self, field: &'static str) -> Option<String> {
        match self.object.remove(field) {
            Some(Value::String(text)) => return Some(text),
            None if self.is_new => self.fault(field, "is missing"),
            None => {}
            Some(_) => self.fault(field, "must be a string"),
        }
        None
    }

    fn parsed<T, E: ToString>(
        &mut self,
        field: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let parsed = parse(&self.text(field)?);
        parsed.map_err(|error| self.fault(field, error.to_string())).ok()
    }

    fn secret(&mut self, of: ZisType) -> Option<SecretText> {
        let text = SecretText::new(self.text(of.secret())?);
        let fault = match text.reveal() {
            "" => "must not be empty",
            secret if secret.len() > TEXT_BYTES_MAX => "must not be longer than 4096 bytes",
            // It becomes a header as it is; a password is encoded before.
            secret if of != ZisType::BasicAuth && !is_header_value(secret) => {
                "must not contain control characters or anything beyond ASCII"
            }
            _ => return Some(text),
        };
        self.fault(of.secret(), fault);
        None
    }

    fn finish(self) -> Result<(), Error> {
        if self.faults.is_empty() { Ok(()) } else { Err(Error::invalid(self.faults)) }
    }
}

fn is_header_value(secret: &str) -> bool {
    secret.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// A colon would end it where its base64 is taken apart.
fn username(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("must not be empty"),
        _ if text.len() > TEXT_BYTES_MAX => Err("must not be longer than 4096 bytes"),
        _ if text.contains(|c: char| c == ':' || c.is_control()) => {
            Err("must not contain a colon or control characters")
        }
        _ => Ok(text.to_owned()),
    }
}

/// What is to be made of a body.
pub(crate) fn new_connection(of: ZisType, object: Map<String, Value>) -> Result<NewZisConnection, Error> {
    let mut members = Members { object, is_new: true, faults: Vec::new() };
    let name = members.parsed("name", |text| match of == ZisType::ApiKey && text == RESERVED {
        true => Err(format!("must not be {RESERVED}, which is reserved")),
        false => ZisConnectionName::parse(text).map_err(|error| error.to_string()),
    });
    let domain = members.parsed("allowed_domain", str::parse::<AllowedDomain>);
    let settings = match of {
        ZisType::ApiKey => {
            let header = members.parsed("header_name", str::parse::<InjectedHeader>);
            domain.zip(header).map(|(domain, header)| ZisSettings::api_key(&domain, &header))
        }
        ZisType::BasicAuth => {
            let username = members.parsed("username", username);
            domain.zip(username).map(|(domain, username)| ZisSettings::basic_auth(&domain, &username))
        }
        ZisType::BearerToken => domain.map(|domain| ZisSettings::bearer_token(&domain)),
        ZisType::OAuth => {
            members.fault("type", "oauth is begun with an OAuth client, not made by a body");
            None
        }
    };
    match (name, settings, members.secret(of)) {
        (Some(name), Some(settings), Some(secret)) => Ok(NewZisConnection { name, of, settings, secret }),
        _ => Err(Error::invalid(members.faults)),
    }
}

/// What is to be changed by a body.
pub(crate) fn patch(of: ZisType, object: Map<String, Value>) -> Result<ZisConnectionPatch, Error> {
    let mut members = Members { object, is_new: false, faults: Vec::new() };
    let name = members.text("name");
    let domain = members.parsed("allowed_domain", str::parse::<AllowedDomain>);
    let header = (of == ZisType::ApiKey).then(|| members.parsed("header_name", str::parse::<InjectedHeader>));
    let username = (of == ZisType::BasicAuth).then(|| members.parsed("username", username));
    let secret = members.secret(of);
    members.finish()?;
    let allowed_domain = domain.map(|domain| domain.to_string());
    Ok(ZisConnectionPatch {
        name,
        allowed_domain,
        header: header.flatten(),
        username: username.flatten(),
        secret,
    })
}

fn schema(of: ZisType) -> Map<String, Value> {
    let names = ["name", "allowed_domain", of.secret()].into_iter().chain(clear_member(of));
    names.map(|name| (name.to_owned(), json!({ "type": "string" }))).collect()
}

pub(crate) fn new_schema(of: ZisType) -> Value {
    let members = schema(of);
    let required: Vec<_> = members.keys().cloned().collect();
    json!({ "type": "object", "properties": members, "required": required })
}

pub(crate) fn patch_schema(of: ZisType) -> Value {
    json!({ "type": "object", "properties": schema(of) })
}

//! Bodies of ZIS connections: flat objects, taken apart into settings and a secret, or every bad member is named.
//! What a member must be say the vendor's guide "Understanding connections" and its article "Creating connections to
//! integrate with external services"; of how long a secret may be they say nothing. None of a secret's text is told,
//! and what nobody knows is passed over.

use claviger_model::{AllowedDomain, InjectedHeader, ZisConnectionName};
use serde_json::Value;

use crate::Faults;
use crate::adopt::TO_BE_FILLED_IN;
use crate::secret::{SecretJson, SecretText};
use crate::zis::{ZisSettings, ZisType};

/// The longest secret, and the longest name of a user: the vendor names no limits.
const TEXT_BYTES_MAX: usize = 4096;

/// The name that the vendor keeps for its own OAuth connections. Live accounts have it for the other types.
const RESERVED: &str = "zendesk";

/// What is to be made of a body.
#[derive(Debug)]
pub struct NewZis {
    /// The name.
    pub name: ZisConnectionName,
    /// What is no secret.
    pub settings: ZisSettings,
    /// The secret.
    pub secret: SecretText,
}

/// How a body differs from a connection.
#[derive(Debug)]
pub struct ZisCompared {
    /// Where it differs beside its secret, as pointers into the body.
    pub differing: Vec<String>,
    /// The secret, where it gives one: to be compared with the one that is kept.
    pub secret: Option<SecretText>,
}

/// What is to be changed by a body; what is none stays.
#[derive(Debug, Default)]
pub struct ZisPatch {
    /// What the caller believes the name to be.
    pub name: Option<String>,
    /// What the caller believes the allowed domain to be.
    pub allowed_domain: Option<AllowedDomain>,
    /// The header that its key goes in.
    pub header: Option<InjectedHeader>,
    /// Whose its password is.
    pub username: Option<String>,
    /// The secret.
    pub secret: Option<SecretText>,
}

impl ZisType {
    /// The types of connections that a body makes, whole.
    pub const BY_BODY: [Self; 3] = [Self::ApiKey, Self::BasicAuth, Self::BearerToken];

    /// The member of a body that only some types have, beside the domain, and that is no secret.
    pub const fn clear_member(self) -> Option<&'static str> {
        match self {
            Self::ApiKey => Some("header_name"),
            Self::BasicAuth => Some("username"),
            Self::BearerToken | Self::OAuth => None,
        }
    }

    /// Understands the body of a new connection.
    ///
    /// # Errors
    /// With every bad member; the pointers lead into the body.
    pub fn read_new(self, body: SecretJson) -> Result<NewZis, Faults> {
        self.read(body, "must not be empty")
    }

    /// Like [`ZisType::read_new`], for a connection that was made elsewhere: of an empty secret it is said that it must
    /// be filled in.
    ///
    /// # Errors
    /// As there.
    pub fn adopt(self, body: SecretJson) -> Result<NewZis, Faults> {
        self.read(body, TO_BE_FILLED_IN)
    }

    fn read(self, body: SecretJson, of_empty_secret: &'static str) -> Result<NewZis, Faults> {
        let mut members = Members { of_empty_secret, ..Members::of(body, true)? };
        let name = members.parsed("name", |text| match self == Self::ApiKey && text == RESERVED {
            true => Err(format!("must not be {RESERVED}, which is reserved")),
            false => ZisConnectionName::parse(text).map_err(|error| error.to_string()),
        });
        let domain = members.parsed("allowed_domain", str::parse::<AllowedDomain>);
        let settings = match self {
            Self::ApiKey => {
                let header = members.parsed("header_name", str::parse::<InjectedHeader>);
                domain.zip(header).map(|(domain, header)| ZisSettings::api_key(&domain, &header))
            }
            Self::BasicAuth => {
                let username = members.parsed("username", username);
                domain.zip(username).map(|(domain, username)| ZisSettings::basic_auth(&domain, &username))
            }
            Self::BearerToken => domain.map(|domain| ZisSettings::bearer_token(&domain)),
            Self::OAuth => {
                members
                    .fault("type", "must be of another type: OAuth connections begin with an OAuth client");
                None
            }
        };
        match (name, settings, members.secret(self)) {
            (Some(name), Some(settings), Some(secret)) => Ok(NewZis { name, settings, secret }),
            _ => Err(members.faults),
        }
    }

    /// Sets a body against what a connection keeps in clear. An empty secret says nothing.
    ///
    /// # Errors
    /// With every member that is no text.
    pub fn compare(self, kept: &ZisSettings, body: SecretJson) -> Result<ZisCompared, Faults> {
        let mut members = Members::of(body, false)?;
        let mut differing = Vec::new();
        let domain = members.text("allowed_domain");
        // As it is kept, it stays the same even where it would be refused today.
        let is_kept = |given: &str| {
            given == kept.allowed_domain()
                || given.parse::<AllowedDomain>().is_ok_and(|it| it.to_string() == kept.allowed_domain())
        };
        if !domain.is_some_and(|given| is_kept(given.reveal())) {
            differing.push("/allowed_domain".to_owned());
        }
        if let Some(member) = self.clear_member() {
            let there = kept.header_name().or(kept.username());
            if members.text(member).as_ref().map(SecretText::reveal) != there {
                differing.push(format!("/{member}"));
            }
        }
        let secret = members.text(self.secret()).filter(|secret| !secret.reveal().is_empty());
        members.faults.or(ZisCompared { differing, secret })
    }

    /// Understands the body of a change.
    ///
    /// # Errors
    /// With every bad member; the pointers lead into the body.
    pub fn read_patch(self, body: SecretJson) -> Result<ZisPatch, Faults> {
        let mut members = Members::of(body, false)?;
        let patch = ZisPatch {
            name: members.text("name").map(|text| text.reveal().to_owned()),
            allowed_domain: members.parsed("allowed_domain", str::parse),
            header: match self {
                Self::ApiKey => members.parsed("header_name", str::parse),
                Self::BasicAuth | Self::BearerToken | Self::OAuth => None,
            },
            username: match self {
                Self::BasicAuth => members.parsed("username", username),
                Self::ApiKey | Self::BearerToken | Self::OAuth => None,
            },
            secret: members.secret(self),
        };
        members.faults.or(patch)
    }
}

/// Members on their way to being understood. What is not taken is cleared.
struct Members {
    body: SecretJson,
    is_new: bool,
    of_empty_secret: &'static str,
    faults: Faults,
}

impl Members {
    fn of(body: SecretJson, is_new: bool) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        if !body.value().is_object() {
            faults.push("", "must be an object");
        }
        let body = faults.or(body)?;
        Ok(Self { body, is_new, of_empty_secret: "must not be empty", faults: Faults::default() })
    }

    fn fault(&mut self, member: &str, reason: impl Into<String>) {
        self.faults.push(format!("/{member}"), reason);
    }

    /// A text. In a new connection, none may be missing.
    fn text(&mut self, member: &'static str) -> Option<SecretText> {
        match self.body.value().get(member) {
            Some(Value::String(text)) => return Some(SecretText::new(text.clone())),
            None if self.is_new => self.fault(member, "is missing"),
            None => {}
            Some(_) => self.fault(member, "must be a string"),
        }
        None
    }

    fn parsed<T, E: ToString>(
        &mut self,
        member: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let parsed = parse(self.text(member)?.reveal());
        parsed.map_err(|error| self.fault(member, error.to_string())).ok()
    }

    fn secret(&mut self, of: ZisType) -> Option<SecretText> {
        let text = self.text(of.secret())?;
        let fault = match text.reveal() {
            "" => self.of_empty_secret,
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

//! The types of ZIS connections, as data: what each keeps in clear, which secret it has, where that may go and how it
//! stands in a request. Sources: the pages "API Key", "Basic Authentication", "Bearer Token" and "OAuth Connections"
//! of the vendor's API reference, and its article "Creating connections to integrate with external services".

use claviger_model::{AllowedDomain, AllowedDomainError, HeaderNameError, InjectedHeader};
use serde::{Deserialize, Serialize};

use crate::inject::Presentation;
use crate::placeholder::Text;
use crate::secret::SecretName;

/// What the `integration` of every ZIS connection is: its third party is whoever its allowed domain belongs to.
pub const ZIS_INTEGRATION: &str = "zis";

/// A type of ZIS connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ZisType {
    /// A key in a header that its maker names.
    ApiKey,
    /// A user's name and password.
    BasicAuth,
    /// A token that is not refreshed.
    BearerToken,
    /// A token that an authorization server gives, and renews.
    OAuth,
}

impl ZisType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ApiKey, Self::BasicAuth, Self::BearerToken, Self::OAuth];

    /// The name, as paths and bodies have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::BasicAuth => "basic_auth",
            Self::BearerToken => "bearer_token",
            Self::OAuth => "oauth",
        }
    }

    /// The type of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    /// The member of a body that is its secret; of an OAuth connection the one that goes into requests.
    pub const fn secret(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::BasicAuth => "password",
            Self::BearerToken => "token",
            Self::OAuth => "access_token",
        }
    }

    /// The name under which its secret is kept.
    pub fn secret_name(self) -> SecretName {
        SecretName::field(self.secret())
    }
}

/// What a ZIS connection keeps in clear. Its JSON is what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZisSettings {
    /// Kept as text: what a list of public suffixes admitted once, a newer one may refuse.
    allowed_domain: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oauth: Option<ZisOAuthSettings>,
}

/// What an OAuth connection keeps in clear beside that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZisOAuthSettings {
    /// The id of the client that it was made with.
    pub client: String,
    /// How it came by its tokens.
    pub grant_type: String,
    /// What was asked for.
    pub requested_scope: String,
    /// What was given, as far as the authorization server said so.
    pub scope: String,
    /// What stands in the place of the subdomain in the client's addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdomain: Option<String>,
    /// What kind of token it is, as the authorization server said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// When the token ends, in RFC 3339 and whole seconds; none where the authorization server did not say, and where there
    /// is no token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_expiry: Option<String>,
}

impl ZisSettings {
    /// Those of tokens of an authorization server.
    pub fn of_oauth(domain: &AllowedDomain, oauth: ZisOAuthSettings) -> Self {
        Self { allowed_domain: domain.to_string(), header_name: None, username: None, oauth: Some(oauth) }
    }

    /// The same with other tokens of an authorization server.
    pub fn with_oauth(self, oauth: ZisOAuthSettings) -> Self {
        Self { oauth: Some(oauth), ..self }
    }

    /// What an OAuth connection keeps beside where its token may go.
    pub fn oauth(&self) -> Option<&ZisOAuthSettings> {
        self.oauth.as_ref()
    }

    /// Those of an API key.
    pub fn api_key(domain: &AllowedDomain, header: &InjectedHeader) -> Self {
        let header_name = Some(header.as_str().to_owned());
        Self { allowed_domain: domain.to_string(), header_name, username: None, oauth: None }
    }

    /// Those of a user's name and password.
    pub fn basic_auth(domain: &AllowedDomain, username: &str) -> Self {
        let username = Some(username.to_owned());
        Self { allowed_domain: domain.to_string(), header_name: None, username, oauth: None }
    }

    /// Those of a token.
    pub fn bearer_token(domain: &AllowedDomain) -> Self {
        Self { allowed_domain: domain.to_string(), header_name: None, username: None, oauth: None }
    }

    /// The names of the settings that others have otherwise.
    pub fn differing_from(&self, other: &Self) -> Vec<String> {
        let Self { allowed_domain, header_name, username, oauth } = self;
        let all = [
            ("allowed_domain", *allowed_domain != other.allowed_domain),
            ("header_name", *header_name != other.header_name),
            ("username", *username != other.username),
            ("oauth", *oauth != other.oauth),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
    }

    /// Where its secret may go, as it is shown.
    pub fn allowed_domain(&self) -> &str {
        &self.allowed_domain
    }

    /// Where its secret may go.
    ///
    /// # Errors
    /// When it may not go there any more.
    pub fn domain(&self) -> Result<AllowedDomain, AllowedDomainError> {
        self.allowed_domain.parse()
    }

    /// In which header its key goes, where it is one.
    pub fn header_name(&self) -> Option<&str> {
        self.header_name.as_deref()
    }

    /// Whose its password is, where it is one.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// Names another header; only an API key has one.
    pub fn set_header(&mut self, header: &InjectedHeader) {
        self.header_name = Some(header.as_str().to_owned());
    }

    /// Names another user; only a password has one.
    pub fn set_username(&mut self, username: &str) {
        self.username = Some(username.to_owned());
    }

    /// How its secret stands in a request: `{username}` is that of these settings, the other field the secret.
    ///
    /// # Errors
    /// When its header is none that a secret may be sent in.
    pub fn presentation(&self, of: ZisType) -> Result<Presentation, HeaderNameError> {
        let text = |text| Text::parse(text).expect("these texts name fields as they are to be named");
        Ok(match of {
            ZisType::ApiKey => {
                let header: InjectedHeader = self.header_name.as_deref().unwrap_or_default().parse()?;
                Presentation::Header { name: header.as_str().to_owned(), value: text("{api_key}") }
            }
            ZisType::BasicAuth => {
                Presentation::Basic { user: text("{username}"), password: text("{password}") }
            }
            ZisType::BearerToken => Presentation::Bearer(text("{token}")),
            ZisType::OAuth => Presentation::Bearer(text("{access_token}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_their_json_and_say_how_a_secret_is_sent() {
        let domain: AllowedDomain = "*.Example.com".parse().unwrap();
        let header: InjectedHeader = "X-Api-Key".parse().unwrap();
        for (of, settings, json, fields) in [
            (
                ZisType::ApiKey,
                ZisSettings::api_key(&domain, &header),
                r#"{"allowed_domain":"*.example.com","header_name":"X-Api-Key"}"#,
                vec!["api_key"],
            ),
            (
                ZisType::BasicAuth,
                ZisSettings::basic_auth(&domain, "ada"),
                r#"{"allowed_domain":"*.example.com","username":"ada"}"#,
                vec!["username", "password"],
            ),
            (
                ZisType::BearerToken,
                ZisSettings::bearer_token(&domain),
                r#"{"allowed_domain":"*.example.com"}"#,
                vec!["token"],
            ),
            (
                ZisType::OAuth,
                ZisSettings::of_oauth(
                    &domain,
                    ZisOAuthSettings {
                        client: "a".to_owned(),
                        grant_type: "client_credentials".to_owned(),
                        requested_scope: "read".to_owned(),
                        scope: "read".to_owned(),
                        subdomain: None,
                        token_type: None,
                        token_expiry: Some("2026-03-04T05:06:07Z".to_owned()),
                    },
                ),
                r#"{"allowed_domain":"*.example.com","oauth":{"client":"a","grant_type":"client_credentials","requested_scope":"read","scope":"read","token_expiry":"2026-03-04T05:06:07Z"}}"#,
                vec!["access_token"],
            ),
        ] {
            assert_eq!(ZisType::parse(of.as_str()), Some(of));
            assert_eq!(serde_json::to_string(&settings).unwrap(), json);
            assert_eq!(serde_json::from_str::<ZisSettings>(json).unwrap(), settings);
            assert_eq!(settings.domain(), Ok(domain.clone()));
            let presentation = settings.presentation(of).unwrap();
            let named: Vec<_> = presentation.texts().into_iter().flat_map(Text::fields).collect();
            assert_eq!(named, fields);
            assert!(named.contains(&of.secret()));
        }
        assert_eq!(ZisType::parse("other"), None);
    }

    #[test]
    fn what_is_stored_is_checked_again_before_it_is_used() {
        let edited = r#"{"allowed_domain":"*.com","header_name":"Host"}"#;
        let settings: ZisSettings = serde_json::from_str(edited).unwrap();
        assert!(settings.domain().is_err());
        assert!(settings.presentation(ZisType::ApiKey).is_err());
    }
}

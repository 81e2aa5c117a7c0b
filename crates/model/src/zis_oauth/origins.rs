//! Where browsers are sent on to.

use std::fmt;
use std::str::FromStr;

use super::ZisOAuthError;
use crate::{Origin, Target};

/// The most origins that an integration may send browsers on to.
pub const REDIRECT_ORIGINS_MAX: usize = 20;

/// The origins that an integration sends browsers on to, each once, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RedirectOrigins(Vec<Origin>);

impl RedirectOrigins {
    /// Reads each.
    ///
    /// # Errors
    /// When one is none, has a path, or is in clear and not of this machine; when they are too many.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ZisOAuthError> {
        let mut origins = Vec::new();
        for text in texts {
            let target: Target = text.parse().map_err(|_| ZisOAuthError::Origin)?;
            let is_bare = target.as_str().split("://").nth(1).is_some_and(|rest| !rest.contains(['/', '?']));
            if !is_bare || !is_for_browsers(target.origin()) {
                return Err(ZisOAuthError::Origin);
            }
            if !origins.contains(target.origin()) {
                origins.push(target.origin().clone());
            }
        }
        if origins.len() > REDIRECT_ORIGINS_MAX { Err(ZisOAuthError::Origins) } else { Ok(Self(origins)) }
    }

    /// Whether browsers may be sent to an address.
    pub fn admit(&self, target: &Target) -> bool {
        self.0.contains(target.origin())
    }

    /// As they are written.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Over TLS, or on the browser's own machine, as where somebody develops.
fn is_for_browsers(origin: &Origin) -> bool {
    let host = origin.host();
    origin.is_tls() || host.name() == Some("localhost") || host.address().is_some_and(|it| it.is_loopback())
}

/// As they are kept: parted by spaces.
impl fmt::Display for RedirectOrigins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().join(" "))
    }
}

impl FromStr for RedirectOrigins {
    type Err = ZisOAuthError;

    fn from_str(text: &str) -> Result<Self, ZisOAuthError> {
        Self::parse(text.split_ascii_whitespace())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_sent_to_known_origins_alone() {
        let texts = ["https://app.example.com", "https://App.example.com:443", "http://localhost:3000"];
        let origins = RedirectOrigins::parse(texts).unwrap();
        assert_eq!(origins.to_string(), "https://app.example.com http://localhost:3000");
        assert_eq!(origins.to_string().parse(), Ok(origins.clone()));
        let admitted = |text: &str| origins.admit(&text.parse().unwrap());
        assert!(admitted("https://app.example.com/done?x=1") && admitted("http://localhost:3000"));
        for text in [
            "https://app.example.com.evil.example/",
            "http://app.example.com/",
            "https://app.example.com:8443/",
            "http://localhost/",
            "https://evil.example/?https://app.example.com",
        ] {
            assert!(!admitted(text), "{text}");
        }
        for text in [
            "http://app.example.com",
            "https://a.example/",
            "https://a.example/b",
            "*",
            "https://*.a.example",
            "",
        ] {
            assert_eq!(RedirectOrigins::parse([text]), Err(ZisOAuthError::Origin), "{text}");
        }
        let many: Vec<_> = (0..=REDIRECT_ORIGINS_MAX).map(|n| format!("https://a{n}.example")).collect();
        let many = many.iter().map(String::as_str);
        assert_eq!(RedirectOrigins::parse(many.clone()), Err(ZisOAuthError::Origins));
        assert!(RedirectOrigins::parse(many.skip(1)).is_ok());
    }
}

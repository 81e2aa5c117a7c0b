//! Sessions in requests: the cookie, and the proof that a request comes from a page of the session's own.
//!
//! A session is taken by the routes that were made to take it ([`Route::taking_sessions`](crate::Route::taking_sessions)),
//! and by nothing else: not by those of the vendor's keys, not by what answers verifications, where a browser's cookie
//! would speak for whoever made the browser ask, and never by what calls third parties on a caller's behalf. Where a
//! request presents any other credential, good or bad, that one decides.
//!
//! SameSite keeps the cookie out of requests that other sites' pages make. Browsers may be older or wrong, and pages of
//! other subdomains are of the same site, so that every request with a session is also asked where it comes from
//! (`Sec-Fetch-Site`, `Origin`), and one that may change something for the CSRF token.

use claviger_engine::{AuthFailure, AuthReason, Caller, Proof};
use claviger_model::OrgId;
use claviger_vault::{CsrfToken, IssuedSecret};
use http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method, request};

use crate::{App, presented, whence};

/// The header that proves that a request comes from a page of the session's own.
pub const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The cookie of a session: what it is called, and how it is given and taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCookie {
    name: &'static str,
}

impl SessionCookie {
    /// For a server that browsers reach over TLS, by itself or behind a proxy: by its name no other host and no plain
    /// HTTP can set it.
    pub const OVER_TLS: Self = Self { name: "__Host-claviger-session" };
    /// For a server that browsers reach in clear, on their own machine: the prefix needs TLS, and nothing but it is
    /// missing. Browsers take cookies that are `Secure` from `localhost`, as most do from 127.0.0.1.
    pub const IN_CLEAR: Self = Self { name: "claviger-session" };

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The header that gives a browser a session for so many seconds.
    pub fn set(self, token: &IssuedSecret, seconds: u64) -> HeaderValue {
        let text = format!("{}={}; Max-Age={seconds}; {ATTRIBUTES}", self.name, token.reveal());
        let mut value = HeaderValue::from_str(&text).expect("a session's secret is letters, digits and `_`");
        value.set_sensitive(true);
        value
    }

    /// The header that takes it away.
    pub fn clear(self) -> HeaderValue {
        let text = format!("{}=; Max-Age=0; {ATTRIBUTES}", self.name);
        HeaderValue::from_str(&text).expect("it is ASCII")
    }

    /// What a request's cookies say: none where there is no such cookie.
    fn find(self, headers: &HeaderMap) -> Option<Result<&[u8], AuthReason>> {
        let cookies =
            headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        let mut found = cookies.filter_map(|cookie| {
            let cookie = cookie.trim_ascii();
            let rest = cookie.strip_prefix(self.name.as_bytes())?;
            rest.strip_prefix(b"=")
        });
        let token = found.next()?;
        // Two of a name are one of the server's and one that somebody else has set.
        Some(if found.next().is_some() { Err(AuthReason::Unknown) } else { Ok(token) })
    }
}

/// `Strict`: nothing that takes a session is reached by a link from elsewhere.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// The admin whose session a request presents, of an org where one is named; none where it presents none, or any other
/// credential, or the route takes no sessions.
///
/// # Errors
/// [`AuthFailure::Session`]: with [`AuthReason::Forged`] where a good session comes without proof that the request comes
/// from a page of its own, and with [`AuthReason::NotAdmin`] where its owner is no admin any more.
pub fn session(app: &App, parts: &request::Parts, org: Option<OrgId>) -> Option<Result<Caller, AuthFailure>> {
    let token = token(parts)?;
    Some(token.map_err(AuthFailure::Session).and_then(|token| {
        let caller = app.engine().authenticate_session(org, token, &whence(app, parts));
        let is_proven = !changes(&parts.method) || has_csrf_token(&parts.headers, token);
        match caller {
            // Whoever has no session does not learn what else is wrong.
            Ok(_) | Err(AuthFailure::Session(AuthReason::NotAdmin)) if !is_proven || !is_own(parts) => {
                Err(AuthFailure::Session(AuthReason::Forged))
            }
            caller => caller,
        }
    }))
}

/// Of whoever has just been let in by a session, or by credentials in their usual places: what it takes to ask again
/// whether those still live.
pub fn proof(app: &App, parts: &request::Parts) -> Proof {
    let presented = presented(&parts.headers);
    app.engine().proof_of(match (token(parts), presented.bearer) {
        (Some(token), _) => [token.ok(), None],
        (None, Some(token)) => [Some(token), None],
        (None, None) => [presented.api_key, presented.application_key],
    })
}

/// The session that a request presents, where nothing else decides.
fn token(parts: &request::Parts) -> Option<Result<&[u8], AuthReason>> {
    let cookie = parts.extensions.get::<SessionCookie>()?;
    match presents_another(&parts.headers) {
        true => None,
        false => cookie.find(&parts.headers),
    }
}

/// The CSRF token of the session that a request presents.
pub fn csrf_token(parts: &request::Parts) -> Option<CsrfToken> {
    let cookie = parts.extensions.get::<SessionCookie>()?;
    Some(CsrfToken::of(cookie.find(&parts.headers)?.ok()?))
}

fn presents_another(headers: &HeaderMap) -> bool {
    ["dd-api-key", "dd-application-key"].iter().any(|name| headers.contains_key(*name))
        || headers.contains_key(AUTHORIZATION)
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn has_csrf_token(headers: &HeaderMap, session: &[u8]) -> bool {
    headers.get(CSRF_TOKEN).is_some_and(|token| CsrfToken::of(session).matches(token.as_bytes()))
}

/// Whether a request, as far as its browser says, comes from a page of the host that it goes to, or from no page.
pub fn is_own(parts: &request::Parts) -> bool {
    let mut sites = parts.headers.get_all(SEC_FETCH_SITE).iter();
    let is_site_own = sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    let mut origins = parts.headers.get_all(ORIGIN).iter();
    is_site_own && origins.all(|origin| is_host_of(parts, origin.as_bytes()))
}

/// Whether an origin's host and port are those that the request goes to. Whether TLS was spoken before a proxy is not
/// known here, so that schemes are not compared.
fn is_host_of(parts: &request::Parts, origin: &[u8]) -> bool {
    let named = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let Some(host) = named.or_else(|| parts.headers.get(HOST).map(HeaderValue::as_bytes)) else {
        return false;
    };
    let schemes: [(&[u8], &[u8]); 2] = [(b"https://", b":443"), (b"http://", b":80")];
    schemes.iter().any(|(scheme, port)| {
        let without = |text: &[u8]| text.strip_suffix(*port).unwrap_or(text).to_ascii_lowercase();
        origin.strip_prefix(*scheme).is_some_and(|origin| without(origin) == without(host))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(lines: &[&str]) -> request::Parts {
        let mut request = http::Request::builder().uri("/x");
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_request_is_its_pages_own_unless_the_browser_says_otherwise() {
        for lines in [
            &["host: a.example"][..],
            &["host: a.example", "sec-fetch-site: same-origin"],
            &["host: a.example", "sec-fetch-site: none"],
            &["host: a.example", "origin: https://a.example"],
            &["host: A.example:443", "origin: https://a.example"],
            &["host: localhost:7070", "origin: http://localhost:7070", "sec-fetch-site: same-origin"],
        ] {
            assert!(is_own(&parts(lines)), "{lines:?}");
        }
        for lines in [
            &["host: a.example", "sec-fetch-site: same-site"][..],
            &["host: a.example", "sec-fetch-site: cross-site"],
            &["host: a.example", "sec-fetch-site: same-origin", "sec-fetch-site: cross-site"],
            &["host: a.example", "origin: https://b.example"],
            &["host: a.example", "origin: https://a.example.b.example"],
            &["host: a.example", "origin: https://a.example:8443"],
            &["host: a.example:80", "origin: https://a.example"],
            &["host: a.example", "origin: null"],
            &["host: a.example", "origin: "],
            &["origin: https://a.example"],
        ] {
            assert!(!is_own(&parts(lines)), "{lines:?}");
        }
    }

    #[test]
    fn the_cookie_is_one_and_has_the_whole_name() {
        let find = |cookie: SessionCookie, lines: &[&str]| {
            let parts = parts(lines);
            cookie
                .find(&parts.headers)
                .map(|found| found.map(|token| String::from_utf8_lossy(token).into_owned()))
        };
        let (tls, clear) = (SessionCookie::OVER_TLS, SessionCookie::IN_CLEAR);
        assert_eq!(find(clear, &[]), None);
        assert_eq!(find(clear, &["cookie: a=b; claviger-session=x; c=d"]), Some(Ok("x".to_owned())));
        assert_eq!(find(clear, &["cookie: a=b", "cookie: claviger-session=x"]), Some(Ok("x".to_owned())));
        // Each server takes the one that it gives.
        assert_eq!(find(tls, &["cookie: claviger-session=x"]), None);
        assert_eq!(find(clear, &["cookie: __Host-claviger-session=x"]), None);
        assert_eq!(
            find(tls, &["cookie: claviger-session=x; __Host-claviger-session=y"]),
            Some(Ok("y".to_owned()))
        );
        assert_eq!(find(clear, &["cookie: claviger-sessions=x; claviger-session"]), None);
        let two = Some(Err(AuthReason::Unknown));
        assert_eq!(find(clear, &["cookie: claviger-session=x; claviger-session=x"]), two);
        assert_eq!(find(clear, &["cookie: claviger-session=x", "cookie: claviger-session=y"]), two);
    }
}

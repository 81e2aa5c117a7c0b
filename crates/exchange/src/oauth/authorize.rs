//! Where a browser is sent.

use std::borrow::Cow;

use claviger_egress::Target;

use crate::percent;

/// The address that a browser is sent to for the provider's word (RFC 6749, section 4.1.1).
///
/// What the provider's address has of a query stays, byte for byte, except for parameters that are set here: of two with
/// one name, providers heed the first or the last, and it could be neither our state nor our redirect. `extra` are a
/// provider's own, such as `access_type=offline`; they cannot take the place of those of the standard. `scopes` and
/// `challenge` are left out if they are not there.
pub fn authorize_url(
    auth_url: &Target,
    client_id: &str,
    redirect_uri: &str,
    state: &str,
    scopes: &str,
    challenge: Option<&str>,
    extra: &[(&str, &str)],
) -> String {
    let mut set = vec![("response_type", "code"), ("client_id", client_id), ("redirect_uri", redirect_uri)];
    set.push(("state", state));
    set.extend((!scopes.is_empty()).then_some(("scope", scopes)));
    if let Some(challenge) = challenge {
        set.extend([("code_challenge", challenge), ("code_challenge_method", "S256")]);
    }
    for (name, value) in extra {
        if !set.iter().any(|(standard, _)| standard == name) {
            set.push((name, value));
        }
    }
    let (place, query) = auth_url.as_str().split_once('?').unwrap_or((auth_url.as_str(), ""));
    let kept =
        query.split('&').filter(|pair| !pair.is_empty() && !set.iter().any(|(name, _)| named(pair, name)));
    let ours = set.iter().map(|(name, value)| {
        let (name, value) = (percent::encode(name.as_bytes()), percent::encode(value.as_bytes()));
        Cow::Owned(format!("{name}={value}"))
    });
    let pairs: Vec<Cow<'_, str>> = kept.map(Cow::Borrowed).chain(ours).collect();
    format!("{place}?{}", pairs.join("&"))
}

/// Whether a pair has this name, however it is written.
fn named(pair: &str, name: &str) -> bool {
    form_urlencoded::parse(pair.as_bytes()).next().is_some_and(|(it, _)| it == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(auth_url: &str, scopes: &str, challenge: Option<&str>, extra: &[(&str, &str)]) -> String {
        authorize_url(
            &auth_url.parse().unwrap(),
            "id&1",
            "https://a.example/b?c=d",
            "s",
            scopes,
            challenge,
            extra,
        )
    }

    const OURS: &str =
        "response_type=code&client_id=id%261&redirect_uri=https%3A%2F%2Fa.example%2Fb%3Fc%3Dd&state=s";

    #[test]
    fn what_the_address_has_stays() {
        for (auth_url, begins) in [
            ("https://p.example/auth", "https://p.example/auth?"),
            ("https://p.example", "https://p.example?"),
            ("https://p.example/auth?", "https://p.example/auth?"),
            ("https://p.example/a?tenant=%7e+x&b", "https://p.example/a?tenant=%7e+x&b&"),
            ("https://p.example/a?scope=theirs", "https://p.example/a?scope=theirs&"),
        ] {
            assert_eq!(url(auth_url, "", None, &[]), format!("{begins}{OURS}"));
        }
    }

    #[test]
    fn nothing_is_said_twice() {
        let url = url(
            "https://p.example/a?state=theirs&x=1&%73tate=theirs&st%61te&scope=s&redirect_uri=https://evil.example",
            "read write",
            Some("abc"),
            &[("access_type", "offline"), ("state", "extra"), ("access_type", "online")],
        );
        let expected = format!(
            "https://p.example/a?x=1&{OURS}&scope=read%20write&code_challenge=abc&code_challenge_method=S256\
             &access_type=offline"
        );
        assert_eq!(url, expected);
    }
    proptest! {
        /// A reader of the query finds each of ours once, and all that was there beside.
        #[test]
        fn any_value_arrives(
            own in prop::collection::vec(("[a-z_]{1,6}|state|scope", "[a-z0-9]{0,6}"), 0..6),
            client_id in "\\PC{0,12}",
            state in "\\PC{1,12}",
            scopes in "\\PC{0,12}",
        ) {
            let query: Vec<String> = own.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let auth_url = format!("https://p.example/a?{}", query.join("&")).parse().unwrap();
            let made = authorize_url(&auth_url, &client_id, "https://a.example/", &state, &scopes, Some("c"), &[]);
            let (_, query) = made.split_once('?').unwrap();
            let read: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            let ours = [
                ("client_id", client_id.as_str()),
                ("state", &state),
                ("scope", &scopes),
                ("code_challenge", "c"),
                ("response_type", "code"),
            ];
            let is_ours = |name: &str| {
                ours.iter().any(|(it, value)| *it == name && !(name == "scope" && value.is_empty()))
            };
            for (name, value) in ours.into_iter().filter(|(name, _)| is_ours(name)) {
                let found: Vec<&str> = read.iter().filter(|it| it.0 == name).map(|it| it.1.as_str()).collect();
                prop_assert_eq!(found, [value]);
            }
            let kept: Vec<_> = own.into_iter().filter(|(name, _)| !is_ours(name)).collect();
            prop_assert_eq!(&read[..kept.len()], kept);
        }
    }
}

//! The server's API, as its own clients call it.

use std::time::Duration;

use bytes::Bytes;
use claviger_egress::{Egress, Policy, Roots};
use claviger_model::Target;
use claviger_outbound::{Client as Outbound, Request};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use crate::CliError;
use crate::profile::Profile;

/// How long one request may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// The largest answer that is read: a page of a list is far smaller.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The largest page that the API gives.
const PAGE_SIZE: usize = 100;

/// A server, and who calls it.
pub(crate) struct Client {
    outbound: Outbound,
    url: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Client {
    pub(crate) fn new(profile: &Profile) -> Result<Self, CliError> {
        let url = profile.url.trim_end_matches('/').to_owned();
        let parsed: Target =
            url.parse().map_err(|error| CliError::Usage(format!("the address {url} {error}")))?;
        let host = parsed.origin().host();
        let is_here = host.name() == Some("localhost") || host.address().is_some_and(|ip| ip.is_loopback());
        if !parsed.origin().is_tls() && !is_here {
            return Err(CliError::InClear(url));
        }
        let roots = match &profile.ca {
            _ if !parsed.origin().is_tls() => Roots::none(),
            None => Roots::of_system()?,
            Some(path) => {
                let pem =
                    std::fs::read(path).map_err(|source| CliError::Read { path: path.clone(), source })?;
                Roots::parse(&pem)?
            }
        };
        let outbound =
            Outbound::new(Egress::trusting(roots), Policy::private_too(), DEADLINE, ANSWER_BYTES_MAX);
        Ok(Self { outbound, url, headers: credentials(profile)? })
    }

    /// Asks for something.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, CliError> {
        self.send(Method::GET, path, None).await
    }

    /// Every page of a list, as one.
    pub(crate) async fn list(&self, path: &str, filter: Option<&str>) -> Result<Vec<Value>, CliError> {
        let mut all = Vec::new();
        for number in 0.. {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("page[size]", &PAGE_SIZE.to_string());
            query.append_pair("page[number]", &number.to_string());
            if let Some(filter) = filter {
                query.append_pair("filter", filter);
            }
            let page = self.get(&format!("{path}?{}", query.finish())).await?;
            let items = page["data"].as_array().ok_or_else(|| CliError::Answer(self.url.clone()))?;
            all.extend(items.iter().cloned());
            if items.len() < PAGE_SIZE {
                break;
            }
        }
        Ok(all)
    }

    /// Sends a document of one resource, and gives back the resource that is answered, if any.
    pub(crate) async fn put_resource(
        &self,
        method: Method,
        path: &str,
        data: Value,
    ) -> Result<Value, CliError> {
        let mut answer = self.send(method, path, Some(json!({ "data": data }))).await?;
        Ok(answer["data"].take())
    }

    /// Deletes something.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), CliError> {
        self.send(Method::DELETE, path, None).await.map(drop)
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, CliError> {
        let url = format!("{}{path}", self.url);
        let url: Target = url.parse().map_err(|error| CliError::Usage(format!("{path} {error}")))?;
        let mut headers = self.headers.clone();
        headers.push((ACCEPT, HeaderValue::from_static("application/json")));
        let body = match body {
            None => Bytes::new(),
            Some(body) => {
                headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
                Bytes::from(body.to_string())
            }
        };
        let sent = self.outbound.send(Request { method, url, headers, body }).await;
        let answer = sent.map_err(|source| CliError::Unreachable { url: self.url.clone(), source })?;
        let status = answer.status;
        if !status.is_success() {
            return Err(CliError::Refused { status: status.as_u16(), reasons: reasons(&answer.body) });
        }
        match answer.body.is_empty() {
            true => Ok(Value::Null),
            false => serde_json::from_slice(&answer.body).map_err(|_| CliError::Answer(self.url.clone())),
        }
    }
}

fn credentials(profile: &Profile) -> Result<Vec<(HeaderName, HeaderValue)>, CliError> {
    let value = |secret: &str| -> Result<HeaderValue, CliError> {
        let mut value = HeaderValue::from_str(secret)
            .map_err(|_| CliError::Usage("a secret of this profile has characters that none has".into()))?;
        value.set_sensitive(true);
        Ok(value)
    };
    match (&profile.token, &profile.api_key, &profile.application_key) {
        (Some(token), _, _) => Ok(vec![(AUTHORIZATION, value(&format!("Bearer {token}"))?)]),
        (None, Some(api_key), Some(application_key)) => Ok(vec![
            (HeaderName::from_static("dd-api-key"), value(api_key)?),
            (HeaderName::from_static("dd-application-key"), value(application_key)?),
        ]),
        _ => Err(CliError::Usage("a profile needs api_key and application_key, or token".into())),
    }
}

/// What a refusal says, in whichever of the API's forms.
fn reasons(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let reason = |error: &Value| {
        let text = |name: &str| error[name].as_str().map(str::to_owned);
        let said = error.as_str().map(str::to_owned).or_else(|| text("detail")).or_else(|| text("title"));
        match (text("field").filter(|field| !field.is_empty()), said) {
            (Some(field), Some(said)) => Some(format!("{field} {said}")),
            (_, said) => said,
        }
    };
    let errors: Vec<_> = body["errors"].as_array().into_iter().flatten().filter_map(reason).collect();
    let errors = if errors.is_empty() { vec!["it does not say why".to_owned()] } else { errors };
    // What comes from elsewhere does not steer the terminal.
    errors.join("; ").chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_apis_words() {
        let check = |body: &str, expected: &str| assert_eq!(reasons(body.as_bytes()), expected);
        check(r#"{"errors":["API key not found"]}"#, "API key not found");
        check(r#"{"errors":[{"code":"invalid","detail":"is required","field":"url"}]}"#, "url is required");
        check(r#"{"errors":[{"title":"Generic Error","detail":"a"},"b\u001b[2J"]}"#, "a; b [2J");
        check("<html>", "it does not say why");
    }

    #[test]
    fn secrets_go_in_clear_to_this_machine_alone() {
        let check = |url: &str| {
            let mut profile = Profile::default();
            (profile.url, profile.token) = (url.into(), Some("x".into()));
            Client::new(&profile).is_ok()
        };
        assert!(check("http://localhost:7070") && check("http://127.0.0.1:7070/") && check("http://[::1]:1"));
        assert!(!check("http://keys.example.com") && !check("http://192.0.2.1"));
    }
}

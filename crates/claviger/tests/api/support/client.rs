//! A plain HTTP client: what it is told to send, it sends.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// The credentials that a client presents.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    pub(crate) api_key: Option<String>,
    pub(crate) application_key: Option<String>,
    pub(crate) bearer: Option<String>,
}

impl Keys {
    /// The keys with which an org begins.
    pub(crate) fn of(founded: &claviger_engine::Founded) -> Self {
        Self {
            api_key: Some(founded.api_key.reveal().to_owned()),
            application_key: Some(founded.application_key.reveal().to_owned()),
            bearer: None,
        }
    }
}

/// A client with its credentials. It keeps its connections.
#[derive(Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    keys: Keys,
    http: HyperClient<HttpConnector, Full<Bytes>>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {:?}", self.text))
    }

    /// Checks the status, and goes on.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// A header's text; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr, keys: Keys) -> Self {
        Self { address, keys, http: HyperClient::builder(TokioExecutor::new()).build_http() }
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None::<String>).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None::<String>).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body.to_string())).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, &[], Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, &[], Some(body.to_string())).await
    }

    /// Sends anything, with the client's credentials and further headers.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<impl Into<Bytes>>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        let Keys { api_key, application_key, bearer } = &self.keys;
        for (name, value) in [("dd-api-key", api_key), ("dd-application-key", application_key)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let is_typed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if body.is_some() && !is_typed {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Full::new(body.map(Into::into).unwrap_or_default())).unwrap();
        let response = self.http.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }
}

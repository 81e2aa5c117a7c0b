//! A product with one connection, and who calls through it.

use std::net::SocketAddr;
use std::path::Path;

use crate::Result;
use crate::fill::{self, Admin};
use crate::load::{Connection, status};
use crate::options::Options;
use crate::server::Server;

/// What the connection adds to requests, in the header `X-Key`.
pub(crate) const SECRET: &str = "bench-7Qx2-third-party-secret";
/// Where the third party is said to be; in truth it is wherever the operator says.
const HOST: &str = "third-party.test";

/// See the module's documentation.
pub(crate) struct User {
    pub(crate) product: Server,
    admin: Admin,
    /// The connection's id.
    connection: String,
}

impl User {
    /// Starts a product on these cores, with all that it has in a folder, and makes a connection to a third party.
    pub(crate) fn start(
        options: &Options,
        cores: &str,
        folder: &Path,
        third_party: SocketAddr,
    ) -> Result<Self> {
        let (data, settings) = (folder.join("data"), folder.join("claviger.toml"));
        let admin = fill::empty(options, &data)?;
        let upstream = format!("[[broker.upstream]]\nhost = \"{HOST}\"\naddress = \"{third_party}\"\n");
        std::fs::write(&settings, upstream)?;
        let product = Server::product_with(options, cores, &data, &["--config".as_ref(), settings.as_ref()])?;
        let mut user = Self { product, admin, connection: String::new() };
        let reach = format!(r#"{{"private_reach":["http://{HOST}"]}}"#);
        user.ask("PATCH", &format!("/claviger/v1/orgs/{}", user.admin.org), &reach, 200)?;
        let made = user.ask("POST", "/api/v2/actions/connections", &connection(), 201)?;
        user.connection = made["data"]["id"].as_str().ok_or("no id was told")?.to_owned();
        Ok(user)
    }

    /// A request of a path of the third party's, through the connection.
    pub(crate) fn call(&self, path: &str) -> String {
        self.request("GET", &format!("/broker/{}{path}", self.connection), "")
    }

    /// The newest calls that are recorded.
    pub(crate) fn recorded(&self, limit: usize) -> Result<Vec<serde_json::Value>> {
        let path = format!("/claviger/v1/connections/{}/calls?limit={limit}", self.connection);
        let mut told = self.ask("GET", &path, "", 200)?;
        Ok(told["calls"].as_array_mut().map(std::mem::take).ok_or("no calls are told")?)
    }

    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> String {
        let (api_key, application_key) = &self.admin.pair;
        let body_headers = match body.len() {
            0 => String::new(),
            length => format!("content-type: application/json\r\ncontent-length: {length}\r\n"),
        };
        format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:7070\r\nuser-agent: bench\r\naccept: */*\r\n\
             dd-api-key: {api_key}\r\ndd-application-key: {application_key}\r\n{body_headers}\r\n{body}"
        )
    }

    fn ask(&self, method: &str, path: &str, body: &str, wanted: u16) -> Result<serde_json::Value> {
        let mut connection = Connection::open(self.product.address)?;
        connection.send(self.request(method, path, body).as_bytes())?;
        let answer = connection.receive()?;
        let text = String::from_utf8_lossy(answer);
        let (_, body) = text.split_once("\r\n\r\n").ok_or("an answer has no end of headers")?;
        match status(answer) == wanted {
            true => Ok(serde_json::from_str(body)?),
            false => Err(format!("{method} {path}: an answer was not {wanted}: {text}").into()),
        }
    }
}

fn connection() -> String {
    let token = serde_json::json!({ "name": "t", "type": "SECRET", "value": SECRET });
    let credentials = serde_json::json!({
        "type": "HTTPTokenAuth",
        "tokens": [token],
        "headers": [{ "name": "X-Key", "value": "{{ t }}" }],
    });
    let base_url = format!("http://{HOST}");
    let integration = serde_json::json!({ "type": "HTTP", "base_url": base_url, "credentials": credentials });
    let attributes = serde_json::json!({ "name": "bench", "integration": integration });
    serde_json::json!({ "data": { "type": "action_connection", "attributes": attributes } }).to_string()
}

//! nginx, twice: as the third party, and as the proxy that the broker is compared with.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use super::user::SECRET;
use crate::Result;
use crate::process::pinned;
use crate::server::{Server, free_address};

/// Where the third party has 200 bytes.
pub(crate) const SMALL: &str = "/small";
/// Where it has 100,000.
pub(crate) const BIG: &str = "/big";
/// Where it gives the secret back.
pub(crate) const ECHO: &str = "/echo";

/// Connections between requests: as many as the broker keeps.
const KEPT: usize = 128;

/// A third party that answers nobody without the secret.
pub(crate) fn third_party(core: &str, folder: &Path) -> Result<Server> {
    for (path, length) in [(SMALL, 200), (BIG, 100_000)] {
        fs::write(folder.join(&path[1..]), text(length))?;
    }
    let root = folder.display();
    start(core, folder, "third-party", |address| {
        format!(
            "open_file_cache max=10;\n\
             server {{\nlisten {address};\ndefault_type text/plain;\n\
             location / {{ if ($http_x_key != {SECRET}) {{ return 403; }} root {root}; }}\n\
             location = {ECHO} {{ return 200 $http_x_key; }}\n\
             location = /readyz {{ return 200; }}\n}}\n"
        )
    })
}

/// A proxy that adds the secret, as its documentation says how to keep connections between requests.
pub(crate) fn proxy(core: &str, folder: &Path, third_party: SocketAddr) -> Result<Server> {
    start(core, folder, "proxy", |address| {
        format!(
            "upstream third_party {{ server {third_party}; keepalive {KEPT}; keepalive_requests 1000000000; }}\n\
             server {{\nlisten {address};\n\
             location / {{\nproxy_pass http://third_party;\nproxy_http_version 1.1;\n\
             proxy_set_header Connection \"\";\nproxy_set_header X-Key {SECRET};\n}}\n}}\n"
        )
    })
}

/// One process: with more, who is asked for its processor time would not be who works.
fn start(
    core: &str,
    folder: &Path,
    name: &str,
    servers: impl FnOnce(SocketAddr) -> String,
) -> Result<Server> {
    let folder = folder.join(name);
    fs::create_dir(&folder)?;
    let (address, shown) = (free_address()?, folder.display());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {shown}/{kind};\n"))
        .concat();
    let configuration = format!(
        "daemon off;\nmaster_process off;\npid {shown}/pid;\nerror_log stderr warn;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\naccess_log off;\nsendfile on;\nkeepalive_requests 1000000000;\n{temporary}{}}}\n",
        servers(address)
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration)?;
    // Debian keeps it where only root's search path leads.
    let places = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].map(Path::new);
    let program = places.into_iter().find(|place| place.exists()).unwrap_or(Path::new("nginx"));
    let mut command = pinned(core, program);
    command.args(["-e", "stderr", "-p"]).arg(&folder).arg("-c").arg(&file);
    Server::listening(command, address, &folder.join("log"))
}

/// What answers are often made of.
fn text(length: usize) -> String {
    let mut text = String::with_capacity(length + 64);
    for number in (0_usize..).map(|number| number * 7919 % 10_007) {
        if text.len() >= length {
            break;
        }
        text.push_str(&format!(r#"{{"id":{number},"name":"item {number}","is_active":true}},"#));
    }
    text.truncate(length);
    text
}

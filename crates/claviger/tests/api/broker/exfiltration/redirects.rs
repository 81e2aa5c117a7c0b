//! Third parties that send the caller elsewhere: the answer is handed back, and nobody goes there.

use super::judge::SPOKEN;
use super::{Call, Case, Kind};
use crate::support::third_party::Reply;

macro_rules! replies {
    ($($status:literal $headers:literal),* $(,)?) => {
        [$(($status, $headers, (|| Reply::with($status, $headers, "moved")) as fn() -> Reply)),*]
    };
}

pub(crate) fn cases() -> Vec<Case> {
    let replies = replies![
        "301 Moved Permanently" "location: https://thief.example/x\r\n",
        "302 Found" "location: https://thief.example/x\r\n",
        "303 See Other" "location: https://thief.example/x\r\n",
        "307 Temporary Redirect" "location: https://thief.example/x\r\n",
        "308 Permanent Redirect" "location: https://thief.example/x\r\n",
        "302 Found" "location: //thief.example/x\r\n",
        "302 Found" "location: http://gitlab.com/api/v4/x\r\n",
        "302 Found" "location: https://gitlab.com:8443/x\r\n",
        "302 Found" "location: https://gitlab.com@thief.example/\r\n",
        "302 Found" "location: https://gitlab.com/elsewhere\r\n",
        "302 Found" "location: https://169.254.169.254/latest/meta-data/\r\n",
        "302 Found" "location: /elsewhere\r\n",
        "300 Multiple Choices" "location: https://thief.example/\r\n",
        "305 Use Proxy" "location: https://thief.example/\r\n",
        "201 Created" "location: https://thief.example/\r\n",
        "200 OK" "refresh: 0;url=https://thief.example/\r\n",
        "200 OK" "content-location: https://thief.example/\r\n",
        "200 OK" "alt-svc: h2=\"thief.example:443\"; ma=3600; persist=1\r\n",
        "200 OK" "link: <https://thief.example/>; rel=preload\r\n",
        "401 Unauthorized" "www-authenticate: Basic realm=\"https://thief.example\"\r\n",
        "407 Proxy Authentication Required" "proxy-authenticate: Basic\r\n",
        "421 Misdirected Request" "location: https://thief.example/\r\n",
        "425 Too Early" "retry-after: 0\r\n",
        "503 Service Unavailable" "retry-after: 0\r\n",
        "200 OK" "set-cookie: claviger_session=thief-speaks; path=/\r\n",
        "200 OK" "set-cookie2: a=thief-speaks\r\n",
        "200 OK" "claviger-error: thief-speaks\r\n",
        "200 OK" "clear-site-data: \"thief-speaks\"\r\n",
        "200 OK" "content-security-policy: thief-speaks\r\n",
        "200 OK" "x-content-type-options: thief-speaks\r\n",
        "200 OK" "connection: x-speak\r\nx-speak: thief-speaks\r\n",
        "101 Switching Protocols" "connection: upgrade\r\nupgrade: thief-speaks\r\n",
        "200 thief-speaks" "x-a: b\r\n",
    ];
    let mut cases = Vec::new();
    for kind in Kind::KEPT {
        for (status, headers, reply) in replies {
            let technique =
                match (headers.starts_with("location"), (status.to_owned() + headers).contains(SPOKEN)) {
                    (true, _) => "redirect",
                    (false, true) => "answers that speak for us",
                    (false, false) => "answers that point elsewhere",
                };
            let mut case =
                Case::new(technique, format!("{status} {}", headers.trim()), kind, Call::plain(kind));
            case.answer = Some(reply);
            cases.push(case);
        }
    }
    cases
}

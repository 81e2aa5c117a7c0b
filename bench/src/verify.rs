//! Verification beside a bare server that gives the same bytes.

use std::time::Duration;

use crate::Result;
use crate::fill::{self, Filled, Shape};
use crate::load::{self, Requests, Turn};
use crate::options::Options;
use crate::process::{ANY_CORE, LOAD_CORE, SERVER_CORE, anonymous_megabytes, pin_this_thread};
use crate::server::Server;
use crate::table::{Report, heading, middle};

/// Keys of each kind that are used, out of all that the directory has. The server takes so many notes of use between
/// two writes of them that after one round no more are written for a minute.
const KEYS_USED: usize = 32_768;

/// Longer than the server takes to write buffered last-used times.
const LAST_USED_WRITTEN: Duration = Duration::from_secs(8);

/// One kind of request, and the share of bare hyper's speed that it must have.
struct Case {
    name: &'static str,
    requests: Requests,
    wanted: Option<f64>,
}

pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    heading("Verification: 64 connections, server and load generator on one core each");
    let filled = fill::directory(options, Shape::mixed(options.directory_keys()))?;
    let product = Server::product(options, SERVER_CORE, &filled.data, None)?;
    pin_this_thread(LOAD_CORE)?;
    println!(
        "{:<54} {:>10} {:>10} {:>8} {:>8} {:>8} {:>8}",
        "", "bare req/s", "req/s", "bare µs", "µs CPU", "ratio", "by CPU"
    );
    let mut accepted = Vec::new();
    for mut case in cases(&filled) {
        let (bare, ours) = compare(options, &product, &mut case)?;
        let ratio = ours.per_second / bare.per_second;
        println!(
            "{:<54} {:>10.0} {:>10.0} {:>8.2} {:>8.2} {:>8.2} {:>8.2}",
            case.name,
            bare.per_second,
            ours.per_second,
            bare.cpu_micros,
            ours.cpu_micros,
            ratio,
            bare.cpu_micros / ours.cpu_micros,
        );
        match case.wanted {
            Some(wanted) => {
                report.at_least(&format!("{}: of bare hyper's requests/s", case.name), ratio, wanted, "");
                accepted.push((case.name, ours.cpu_micros));
            }
            None => {
                let of = case.name.trim_end_matches(", unknown");
                if let Some((_, known)) = accepted.iter().find(|(name, _)| *name == of) {
                    let what = format!("{}: CPU of that of a known one", case.name);
                    report.at_most(&what, ours.cpu_micros / known, 1.05, "");
                }
            }
        }
    }
    println!("RssAnon after all of this: {:.0} MB", anonymous_megabytes(product.pid())?);
    pin_this_thread(ANY_CORE)?;
    product.stop()
}

/// Both sides in turns, after one round that is not counted.
fn compare(options: &Options, product: &Server, case: &mut Case) -> Result<(Turn, Turn)> {
    let answer = tempfile::NamedTempFile::new()?;
    std::fs::write(answer.path(), load::one(product.address, &mut case.requests)?)?;
    let bare = Server::bare(SERVER_CORE, answer.path())?;
    load::run_through(product, &mut case.requests)?;
    // Until the last-used times of this round are written: they are written once a minute for each key, and which
    // turn they would fall into is chance.
    std::thread::sleep(LAST_USED_WRITTEN);
    load::run(product, &mut case.requests, options.turn() / 4)?;
    load::run(&bare, &mut case.requests, options.turn() / 4)?;
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        theirs.push(load::run(&bare, &mut case.requests, options.turn())?);
        ours.push(load::run(product, &mut case.requests, options.turn())?);
    }
    Ok((middle(&theirs), middle(&ours)))
}

fn cases(filled: &Filled) -> Vec<Case> {
    const VALIDATE: &str = "/api/v2/validate";
    const VERIFY: &str = "/verify?permission=api_keys_read";
    let used = |keys: &[String]| keys.iter().take(KEYS_USED).cloned().collect::<Vec<_>>();
    let (api_keys, application_keys) = (used(&filled.api_keys), used(&filled.application_keys));
    let reversed = |key: &String| key.chars().rev().collect::<String>();
    let alone = |name: &str, keys: &[String], path: &str, status| {
        Requests::new(keys.iter().map(|key| request(path, &[(name, key)])), status)
    };
    let pair = |(api_key, application_key): (&String, &String)| {
        request(VERIFY, &[("dd-api-key", api_key), ("dd-application-key", application_key)])
    };
    let tokens = used(&filled.tokens);
    let unknown_api_keys: Vec<_> = api_keys.iter().map(reversed).collect();
    let unknown_keys: Vec<_> = application_keys.iter().map(reversed).collect();
    let case = |name, requests, wanted| Case { name, requests, wanted };
    vec![
        case("validate", alone("dd-api-key", &api_keys, VALIDATE, 200), Some(0.65)),
        case("validate, unknown", alone("dd-api-key", &unknown_api_keys, VALIDATE, 403), None),
        case(
            "verify, pair",
            Requests::new(api_keys.iter().zip(&application_keys).map(pair), 200),
            Some(0.60),
        ),
        case("verify, application key", alone("x-api-key", &application_keys, VERIFY, 200), Some(0.60)),
        case(
            "verify, token with scopes, allow-list and rate limit",
            alone("x-api-key", &tokens, VERIFY, 200),
            Some(0.55),
        ),
        case("verify, application key, unknown", alone("x-api-key", &unknown_keys, VERIFY, 401), None),
    ]
}

fn request(path: &str, headers: &[(&str, &String)]) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:7070\r\naccept: application/json\r\n{headers}\r\n")
}

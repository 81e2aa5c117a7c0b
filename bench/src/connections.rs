//! Connections: made beside API keys in the same run, and got at half of the rate that they could be. Not pinned.

use std::time::Duration;

use crate::Result;
use crate::creates;
use crate::fill::{self, Shape};
use crate::load::{self, Connection, Requests, status};
use crate::options::Options;
use crate::process::ANY_CORE;
use crate::server::Server;
use crate::table::{Report, heading, middle};

const ALL: &str = "/api/v2/actions/connections";
/// How many of those that were made are got.
const GOT: usize = 1000;

pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    heading("Connections: 64 connections, sealed, fsync before each answer, nothing pinned");
    let filled = fill::directory(options, Shape::users(2))?;
    let product = Server::product(options, ANY_CORE, &filled.data, None)?;
    let (creates, getting) = turns(options, &product, &filled.admin)?;
    report.at_least("connections made, of API keys made", creates, 0.8, "");
    let wanted_ms = 5.0;
    report.at_most("connection got at half the rate, p99", getting, wanted_ms, " ms");
    product.stop()?;

    if let Some(url) = &options.postgres {
        let data = tempfile::tempdir()?;
        let data = data.path().join("data");
        let filled = fill::postgres(options, url, &data, Shape::api_keys(1))?;
        let product = Server::product(options, ANY_CORE, &data, filled.postgres.as_deref())?;
        turns(options, &product, &filled.admin)?;
        product.stop()?;
    }
    Ok(())
}

/// How many connections are made for each API key, and the p99 of getting one in milliseconds.
fn turns(options: &Options, product: &Server, admin: &(String, String)) -> Result<(f64, f64)> {
    let mut connection = Connection::open(product.address)?;
    let mut ask = |text: String, wanted: u16| -> Result<String> {
        connection.send(text.as_bytes())?;
        let answer = connection.receive()?;
        match status(answer) == wanted {
            true => Ok(String::from_utf8_lossy(answer).into_owned()),
            false => Err(format!("an answer was not {wanted}: {}", String::from_utf8_lossy(answer)).into()),
        }
    };
    ask(request(admin, "PATCH", "/claviger/v1/org", r#"{"connections_max":1000000}"#), 200)?;
    let (mut keys, mut connections) = (creates::requests(admin), creating(admin));
    let (mut of_keys, mut of_connections) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        of_keys.push(load::run(product, &mut keys, options.turn())?);
        of_connections.push(load::run(product, &mut connections, options.turn())?);
    }
    let (keys, made) = (middle(&of_keys), middle(&of_connections));
    println!("API keys: {:.0}/s, {:.0} µs CPU each", keys.per_second, keys.cpu_micros);
    println!("connections: {:.0}/s, {:.0} µs CPU each", made.per_second, made.cpu_micros);

    let mut gets = Vec::with_capacity(GOT);
    for number in 0..GOT {
        let answer = ask(request(admin, "POST", ALL, &body(number)), 201)?;
        let id = answer.split("\"id\":\"").nth(1).and_then(|rest| rest.get(..36)).ok_or("no id was told")?;
        gets.push(request(admin, "GET", &format!("{ALL}/{id}"), ""));
    }
    let most = load::run(product, &mut Requests::new(gets.iter().cloned(), 200), options.turn())?;
    let times = load::paced(product.address, &gets, most.per_second / 2.0, options.turn())?;
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (middle, p99) = (ms(times[times.len() / 2]), ms(times[times.len() * 99 / 100]));
    println!(
        "gets: {:.0}/s at most, {:.0} µs CPU each; at half of that median {middle:.2} ms, p99 {p99:.2} ms",
        most.per_second, most.cpu_micros
    );
    Ok((made.per_second / keys.per_second, p99))
}

fn creating(admin: &(String, String)) -> Requests {
    Requests::new((0..10_000).map(|number| request(admin, "POST", ALL, &body(number))), 201)
}

fn body(number: usize) -> String {
    format!(
        r#"{{"data":{{"type":"action_connection","attributes":{{"name":"created {number}","integration":{{"type":"Gitlab","credentials":{{"type":"GitlabAPIKey","api_token":"glpat-of-the-benchmark-{number}"}}}}}}}}}}"#
    )
}

fn request((api_key, application_key): &(String, String), method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:7070\r\ndd-api-key: {api_key}\r\n\
         dd-application-key: {application_key}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

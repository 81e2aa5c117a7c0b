//! Lists of one org with many keys, asked for on one connection. Not pinned.

use std::time::Duration;

use crate::Result;
use crate::fill::{self, Filled, Shape};
use crate::load::{self, Requests};
use crate::options::Options;
use crate::process::ANY_CORE;
use crate::server::Server;
use crate::table::{Report, heading};

/// A list, and how long the slowest in a hundred may take.
struct Case {
    name: &'static str,
    query: String,
    wanted_ms: f64,
}

pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let keys = options.listed_keys();
    heading(&format!("Lists of {keys} keys, one connection: median and p99 in ms"));
    let filled = fill::directory(options, Shape::api_keys(keys))?;
    let product = Server::product(options, ANY_CORE, &filled.data, None)?;
    for case in cases(keys) {
        let p99 = measure_one(options.list_requests(), "SQLite", &product, &filled, &case)?;
        report.at_most(&format!("list: {}", case.name), p99, case.wanted_ms, " ms");
    }
    product.stop()?;

    if let Some(url) = &options.postgres {
        let data = tempfile::tempdir()?;
        let data = data.path().join("data");
        let filled = fill::postgres(options, url, &data, Shape::api_keys(keys))?;
        let product = Server::product(options, ANY_CORE, &data, filled.postgres.as_deref())?;
        for case in cases(keys) {
            measure_one(options.list_requests_on_postgres(), "PostgreSQL", &product, &filled, &case)?;
        }
        product.stop()?;
    }
    Ok(())
}

fn cases(keys: usize) -> Vec<Case> {
    let case = |name, query: &str, wanted_ms| Case { name, query: query.to_owned(), wanted_ms };
    vec![
        case("first page", "", 5.0),
        case("rare term", "?filter=zebra", 10.0),
        case("rare term of three letters", "?filter=zeb", 10.0),
        case("term that nobody has", "?filter=service%20of%20nobody", 10.0),
        case("common term", "?filter=service", 40.0),
        case("term that one in five has", "?filter=eu-west", 40.0),
        case("middle page", &format!("?page%5Bnumber%5D={}", keys / 200), 40.0),
    ]
}

fn measure_one(count: usize, engine: &str, product: &Server, filled: &Filled, case: &Case) -> Result<f64> {
    let (api_key, application_key) = &filled.admin;
    let text = format!(
        "GET /api/v2/api_keys{} HTTP/1.1\r\nhost: 127.0.0.1:7070\r\ndd-api-key: {api_key}\r\n\
         dd-application-key: {application_key}\r\n\r\n",
        case.query
    );
    let mut requests = Requests::new([text], 200);
    load::latencies(product.address, &mut requests, 5)?;
    let times = load::latencies(product.address, &mut requests, count)?;
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (middle, p99) = (ms(times[times.len() / 2]), ms(times[times.len() * 99 / 100]));
    println!("{engine:<12} {:<28} {middle:>8.2} {p99:>8.2}", case.name);
    Ok(p99)
}

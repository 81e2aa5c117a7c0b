//! How fast answers are searched, against copying them, in the same run:
//! `cargo run --release -p claviger-redact --example speed`.
#![allow(clippy::print_stdout, reason = "telling the developer what it measures is its job")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use claviger_redact::{Needles, Redactor};

/// What one read from a connection brings.
const CHUNK: usize = 16 << 10;
const ROUND: Duration = Duration::from_millis(60);
const ROUNDS: usize = 5;

fn main() {
    let token = "ghp-16C7e42F292c6912E7710c838347Ae178B4a".to_owned();
    let phrase = "correct horse battery staple".to_owned();
    let jwt = format!("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.{}", noise(900));
    let one = vec![token.clone()];
    let short = vec!["k7Xq-29z".to_owned()];
    let four = vec![token.clone(), format!("user@example.com:{token}"), phrase, jwt.clone()];
    for (name, secrets) in [("one token", &one), ("8 bytes", &short), ("four secrets", &four)] {
        let needles = Needles::new(secrets);
        let build = per_call(|| drop(black_box(Needles::new(black_box(secrets)))));
        println!("{name}: {:.2} µs to make ready", build * 1e6);
        for (name, body) in bodies(&token, &jwt) {
            measure(name, &needles, &body);
        }
        let values =
            [&b"application/json; charset=utf-8"[..], b"Sat, 21 Nov 2026 12:00:00 GMT", b"nginx", b"102400"];
        let mut redactor = Redactor::new(needles.clone());
        let headers = per_call(|| {
            for value in black_box(&values) {
                black_box(redactor.mask_header(value));
            }
        });
        println!("  {:<38} {:>8.0} ns", "4 header values", headers * 1e9);
    }
}

fn measure(name: &str, needles: &Needles, body: &Bytes) {
    let chunks: Vec<Bytes> = (0..body.len())
        .step_by(CHUNK)
        .map(|start| body.slice(start..(start + CHUNK).min(body.len())))
        .collect();
    let mut copy = vec![0; body.len()];
    let copying = per_call(|| {
        copy.copy_from_slice(black_box(body));
        black_box(&copy);
    });
    let searching = per_call(|| {
        let mut redactor = Redactor::new(needles.clone());
        for chunk in &chunks {
            let mut chunk = chunk.clone();
            while !chunk.is_empty() {
                redactor.push(&mut chunk).for_each(|piece| drop(black_box(piece)));
            }
        }
        redactor.finish().for_each(|piece| drop(black_box(piece)));
    });
    let gigabytes = body.len() as f64 / searching / 1e9;
    let ratio = searching / copying;
    let micros = searching * 1e6;
    println!("  {name:<38} {micros:>8.2} µs  {gigabytes:>6.2} GB/s  {ratio:>6.2} x memcpy");
}

fn bodies(token: &str, jwt: &str) -> Vec<(&'static str, Bytes)> {
    let item = |at: usize| {
        format!(
            r#"{{"id":{},"name":"Project {at}","path_with_namespace":"group/project-{at}","web_url":"https://gitlab.example.com/group/project-{at}","created_at":"2026-01-{:02}T12:34:56.789Z","open_issues_count":{},"sha":"{}","visibility":"private"}},"#,
            at * 7919,
            at % 28 + 1,
            at % 97,
            hex_noise(at),
        )
    };
    let json: String = (0..).map(item).take(400).collect::<String>().chars().take(100_000).collect();
    let nested = serde_json::to_string(&json).unwrap_or_default();
    let escaped: String = json.bytes().take(34_000).map(|byte| format!("%{byte:02x}")).collect();
    let backslashes = r"\".repeat(100_000);
    let near = token[..token.len() - 1].repeat(2_600);
    let near_jwt = jwt[..jwt.len() - 1].repeat(110);
    let echo = format!("{}{token}{}", &json[..50_000], &json[50_000..]);
    let list = vec![
        ("200 B of JSON", json[..200].to_owned()),
        ("100 KB of JSON", json.clone()),
        ("100 KB of JSON in JSON", nested),
        ("100 KB of JSON with an echo", echo),
        ("100 KB of noise in base64", noise(100_000)),
        ("100 KB, every byte percent-encoded", escaped),
        ("100 KB of backslashes", backslashes),
        ("100 KB of all but the last byte", near),
        ("100 KB of all but a JWT's last byte", near_jwt),
    ];
    list.into_iter().map(|(name, text)| (name, Bytes::from(text))).collect()
}

/// Letters and digits without a pattern, the same every time.
fn noise(length: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..length as u64).map(|at| char::from(LETTERS[(mixed(at) % 64) as usize])).collect()
}

fn hex_noise(seed: usize) -> String {
    (0..3).map(|part| format!("{:016x}", mixed((seed * 3 + part) as u64))).collect()
}

fn mixed(value: u64) -> u64 {
    let value = (value + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value ^ value >> 29
}

/// Seconds per call, the best of some rounds.
fn per_call(mut call: impl FnMut()) -> f64 {
    let round = |call: &mut dyn FnMut()| {
        let (start, mut calls) = (Instant::now(), 0_u32);
        while start.elapsed() < ROUND {
            (0..8).for_each(|_| call());
            calls += 8;
        }
        start.elapsed().as_secs_f64() / f64::from(calls)
    };
    (0..ROUNDS).map(|_| round(&mut call)).fold(f64::MAX, f64::min)
}

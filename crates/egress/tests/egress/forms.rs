//! Ways to write an address so that one reader sees it and another does not.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A way to write an IPv4 address as a host.
pub(crate) struct Form<A> {
    pub(crate) technique: &'static str,
    pub(crate) write: fn(A) -> String,
    /// What is wrong with it, whatever the address; where nothing is, the address decides.
    pub(crate) code: Option<&'static str>,
}

const fn form<A>(technique: &'static str, write: fn(A) -> String) -> Form<A> {
    Form { technique, write, code: None }
}

const fn wrong<A>(technique: &'static str, code: &'static str, write: fn(A) -> String) -> Form<A> {
    Form { technique, write, code: Some(code) }
}

const NUMBER: &str = "host_number";
const RANGE: &str = "address_not_public";

/// Ways to write an IPv4 address.
pub(crate) static V4: &[Form<Ipv4Addr>] = &[
    form("as it is", |a| a.to_string()),
    form("trailing dot", |a| format!("{a}.")),
    form("fullwidth digits", |a| shifted(a, 0xff10, '.')),
    form("fullwidth digits and dots", |a| shifted(a, 0xff10, '．')),
    form("mathematical digits", |a| shifted(a, 0x1d7ce, '.')),
    form("ideographic dots", |a| a.to_string().replace('.', "。")),
    form("halfwidth ideographic dots", |a| a.to_string().replace('.', "｡")),
    form("circled digits", circled),
    form("soft hyphens", |a| a.to_string().replace('.', "\u{ad}.\u{ad}")),
    form("zero-width spaces", |a| a.to_string().replace('.', ".\u{200b}")),
    form("IPv4-mapped", |a| format!("[::ffff:{a}]")),
    form("IPv4-mapped in hex", |a| format!("[::ffff:{}]", hex(a))),
    form("IPv4-mapped, written out", |a| format!("[0:0:0:0:0:FFFF:{a}]")),
    form("NAT64", |a| format!("[64:ff9b::{a}]")),
    form("NAT64 in hex", |a| format!("[64:ff9b::{}]", hex(a))),
    form("ISATAP", |a| format!("[2600:5afe::5efe:{}]", hex(a))),
    form("ISATAP, universal", |a| format!("[2600:5afe::200:5efe:{}]", hex(a))),
    wrong("IPv4-compatible", RANGE, |a| format!("[::{}]", hex(a))),
    wrong("IPv4-translated", RANGE, |a| format!("[::ffff:0:{a}]")),
    wrong("local-use NAT64", RANGE, |a| format!("[64:ff9b:1::{a}]")),
    wrong("6to4", RANGE, |a| format!("[2002:{}::1]", hex(a))),
    wrong("Teredo server", RANGE, |a| format!("[2001:0:{}:8000:63bf:3fff:fdd2]", hex(a))),
    wrong("Teredo client", RANGE, |a| {
        format!("[2001:0:4136:e378:8000:63bf:{}]", hex(Ipv4Addr::from_bits(!a.to_bits())))
    }),
    wrong("decimal number", NUMBER, |a| a.to_bits().to_string()),
    wrong("decimal number, trailing dot", NUMBER, |a| format!("{}.", a.to_bits())),
    wrong("fullwidth decimal number", NUMBER, |a| fullwidth(&a.to_bits().to_string())),
    wrong("hex number", NUMBER, |a| format!("0x{:x}", a.to_bits())),
    wrong("HEX number", NUMBER, |a| format!("0X{:08X}", a.to_bits())),
    wrong("long hex number", NUMBER, |a| format!("0x{:040x}", a.to_bits())),
    wrong("octal number", NUMBER, |a| format!("0{:o}", a.to_bits())),
    wrong("overflowing number", NUMBER, |a| (u64::from(a.to_bits()) + (1 << 32)).to_string()),
    wrong("hex parts", NUMBER, |a| parts(a, |part| format!("0x{part:x}"))),
    wrong("hex parts with zeros", NUMBER, |a| parts(a, |part| format!("0x{part:06x}"))),
    wrong("octal parts", NUMBER, |a| parts(a, |part| format!("0{part:o}"))),
    wrong("octal parts with zeros", NUMBER, |a| parts(a, |part| format!("000{part:o}"))),
    wrong("parts with zeros", NUMBER, |a| parts(a, |part| format!("0{part}"))),
    wrong("mixed parts", NUMBER, |a| {
        let [a, b, c, d] = a.octets();
        format!("0x{a:x}.0{b:o}.{c}.0x{d:x}")
    }),
    wrong("overflowing parts", NUMBER, |a| parts(a, |part| (u16::from(part) + 256).to_string())),
    wrong("three parts", NUMBER, |a| {
        let [a, b, c, d] = a.octets();
        format!("{a}.{b}.{}", u16::from_be_bytes([c, d]))
    }),
    wrong("two parts", NUMBER, |a| {
        let [a, b, c, d] = a.octets();
        format!("{a}.{}", u32::from_be_bytes([0, b, c, d]))
    }),
    wrong("five parts", NUMBER, |a| format!("{a}.1")),
    wrong("as the last label", NUMBER, |a| format!("www.{}", a.to_bits())),
    wrong("two trailing dots", "host_invalid", |a| format!("{a}..")),
    wrong("percent-encoded", "host_invalid", |a| encoded(&a.to_string())),
    wrong("percent-encoded dots", "host_invalid", |a| a.to_string().replace('.', "%2e")),
    wrong("percent-encoded NUL", "host_invalid", |a| format!("{a}%00.example.com")),
    wrong("in brackets", "host_invalid", |a| format!("[{a}]")),
    wrong("mapped with a zone", "host_zone", |a| format!("[::ffff:{a}%25lo]")),
    wrong("mapped without brackets", "host_invalid", |a| format!("::ffff:{a}")),
    wrong("after a user", "url_userinfo", |a| format!("api.example.com@{a}")),
    wrong("after a user and password", "url_userinfo", |a| format!("api.example.com:443@{a}")),
    wrong("after two users", "url_userinfo", |a| format!("a@api.example.com@{a}")),
    wrong("after a fullwidth at", "host_invalid", |a| format!("api.example.com＠{a}")),
    wrong("before a backslash", "url_characters", |a| format!("{a}\\@api.example.com")),
    wrong("before a fragment", "url_fragment", |a| format!("{a}#@api.example.com")),
    wrong("after a tab", "url_characters", |a| format!("\t{a}")),
    wrong("before a space", "url_characters", |a| format!("{a} .example.com")),
    wrong("before a line", "url_characters", |a| format!("{a}\r\nHost: api.example.com")),
    wrong("before a NUL", "url_characters", |a| format!("{a}\0.example.com")),
    wrong("with a port of words", "url_port", |a| format!("{a}:https")),
    wrong("with two ports", "host_invalid", |a| format!("{a}:443:443")),
];

/// Ways to write an IPv6 address.
pub(crate) static V6: &[Form<Ipv6Addr>] = &[
    form("as it is", |a| format!("[{a}]")),
    form("written out", |a| format!("[{}]", written_out(a))),
    form("WRITTEN OUT", |a| format!("[{}]", written_out(a).to_uppercase())),
    form("ends in an IPv4 address", |a| {
        let [.., high, low] = a.segments();
        let tail = Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
        format!(
            "[{}:{tail}]",
            a.segments()[..6].iter().map(|part| format!("{part:x}")).collect::<Vec<_>>().join(":")
        )
    }),
    wrong("zone", "host_zone", |a| format!("[{a}%lo]")),
    wrong("encoded zone", "host_zone", |a| format!("[{a}%25eth0]")),
    wrong("numeric zone", "host_zone", |a| format!("[{a}%1]")),
    wrong("empty zone", "host_zone", |a| format!("[{a}%]")),
    wrong("without brackets", "host_invalid", |a| a.to_string()),
    wrong("trailing dot", "host_invalid", |a| format!("[{a}].")),
    wrong("with a length", "host_invalid", |a| format!("[{a}/128]")),
    wrong("fullwidth colons", "host_invalid", |a| format!("[{}]", a.to_string().replace(':', "："))),
    wrong("after a user", "url_userinfo", |a| format!("api.example.com@[{a}]")),
    wrong("as a name", "host_invalid", |a| format!("[{a}].example.com")),
];

fn hex(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("{:x}:{:x}", u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

fn parts(address: Ipv4Addr, write: impl Fn(u8) -> String) -> String {
    address.octets().map(write).join(".")
}

/// With other digits, which follow each other from this one on, and other dots.
fn shifted(address: Ipv4Addr, zero: u32, dot: char) -> String {
    let digit = |c: char| c.to_digit(10).map_or(dot, |value| char::from_u32(zero + value).unwrap());
    address.to_string().chars().map(digit).collect()
}

fn fullwidth(digits: &str) -> String {
    digits.chars().map(|c| char::from_u32(0xff10 + c.to_digit(10).unwrap()).unwrap()).collect()
}

fn circled(address: Ipv4Addr) -> String {
    let digits: Vec<_> = "⓪①②③④⑤⑥⑦⑧⑨".chars().collect();
    address.to_string().chars().map(|c| c.to_digit(10).map_or(c, |value| digits[value as usize])).collect()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn written_out(address: Ipv6Addr) -> String {
    address.segments().map(|part| format!("{part:04x}")).join(":")
}

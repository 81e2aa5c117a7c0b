//! A name server: questions and answers as RFC 1035 has them, over UDP, each answer good for no second.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
const INTERNET: u16 = 1;

/// What names are, and who asked.
#[derive(Clone, Default)]
pub(crate) struct NameServer(Arc<Mutex<Zone>>);

#[derive(Default)]
struct Zone {
    names: HashMap<String, Name>,
}

struct Name {
    /// The names that it stands for, one after the other.
    aliases: Vec<String>,
    /// The last one's addresses, for each time that it is asked; the last answer stays.
    answers: Vec<Vec<IpAddr>>,
    /// How often each kind was asked for.
    asked: HashMap<u16, usize>,
}

impl NameServer {
    /// Answers at an address.
    pub(crate) async fn start(address: &str) -> Self {
        let socket = UdpSocket::bind(address).await.unwrap();
        let this = Self::default();
        let serving = this.clone();
        tokio::spawn(async move {
            let mut question = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                if let Some(answer) = serving.answer(&question[..length]) {
                    let _: Result<usize, _> = send(&socket, &answer, from).await;
                }
            }
        });
        this
    }

    /// Says what a name stands for, and which addresses that has, in turn.
    pub(crate) fn say(&self, name: &str, aliases: &[&str], answers: &[Vec<IpAddr>]) {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        let said = Name { aliases, answers: answers.to_vec(), asked: HashMap::new() };
        self.0.lock().unwrap().names.insert(name.to_owned(), said);
    }

    /// How often a name was asked for.
    pub(crate) fn asked(&self, name: &str) -> usize {
        let zone = self.0.lock().unwrap();
        zone.names.get(name).and_then(|name| name.asked.values().max().copied()).unwrap_or(0)
    }

    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        let (name, end) = read_name(question, 12)?;
        let kind = u16::from_be_bytes(question.get(end..end + 2)?.try_into().ok()?);
        let mut records = Vec::new();
        let mut zone = self.0.lock().unwrap();
        let known = zone.names.get_mut(&name);
        let is_known = known.is_some();
        if let Some(known) = known {
            let asked = known.asked.entry(kind).or_default();
            let addresses = &known.answers[(*asked).min(known.answers.len() - 1)];
            *asked += 1;
            let mut of = name;
            for alias in &known.aliases {
                records.push(record(&of, CNAME, &written(alias)));
                of.clone_from(alias);
            }
            for address in addresses {
                match address {
                    IpAddr::V4(address) if kind == A => records.push(record(&of, A, &address.octets())),
                    IpAddr::V6(address) if kind == AAAA => records.push(record(&of, AAAA, &address.octets())),
                    _ => {}
                }
            }
        }
        // An answer, recursion and all; three says that there is no such name.
        let flags: u16 = if is_known { 0x8180 } else { 0x8183 };
        let mut answer = question[..2].to_vec();
        for count in [flags, 1, u16::try_from(records.len()).ok()?, 0, 0] {
            answer.extend_from_slice(&count.to_be_bytes());
        }
        answer.extend_from_slice(question.get(12..end + 4)?);
        records.iter().for_each(|record| answer.extend_from_slice(record));
        Some(answer)
    }
}

async fn send(socket: &UdpSocket, answer: &[u8], to: SocketAddr) -> std::io::Result<usize> {
    socket.send_to(answer, to).await
}

/// A name's labels, and where they end.
fn read_name(message: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8_lossy(message.get(at..at + length)?).to_lowercase());
        at += length;
    }
}

fn written(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// A record that is good for no second.
fn record(of: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = written(of);
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&INTERNET.to_be_bytes());
    bytes.extend_from_slice(&0_u32.to_be_bytes());
    bytes.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

//! Names whose addresses change, or are not what they should be. Each call has a host of its own, since open connections
//! ask no name server.

use super::{Call, Case, Kind, THIEF};

const PUBLIC: &str = "93.184.216.34";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let privates = [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "172.16.0.1",
        "::1",
        "fd00:ec2::254",
        "fe80::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "0.0.0.0",
        "100.64.0.1",
    ];
    for (number, private) in privates.into_iter().enumerate() {
        for (place, (technique, answers)) in [
            ("a name with a private address", vec![vec![private]]),
            ("a name with a public and a private address", vec![vec![PUBLIC, private]]),
            ("a name with a private and a public address", vec![vec![private, PUBLIC]]),
            ("rebinding, private at once", vec![vec![private], vec![PUBLIC], vec![private]]),
            ("rebinding, private later", vec![vec![PUBLIC], vec![private], vec![private]]),
        ]
        .into_iter()
        .enumerate()
        {
            let name: &'static str = format!("n{number}x{place}.zis.example.com").leak();
            let attempt = Call::plain(Kind::Wild).line(format!("Claviger-Host: {name}"));
            let mut case = Case::new(technique, format!("{name} {private} {THIEF}"), Kind::Wild, attempt);
            case.names = vec![(name, answers)];
            cases.push(case);
        }
    }
    cases
}

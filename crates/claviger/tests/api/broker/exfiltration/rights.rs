//! Connections of others, and callers who may not.

use super::call::By;
use super::{Call, Case, Kind};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let people = [
        ("an integration token of another integration", By::OtherIntegration),
        ("a caller whom the restriction keeps out", By::Outsider),
        ("an admin of another org", By::OtherOrg),
        ("a token without the right", By::Rightless),
        ("nobody", By::Nobody),
    ];
    for kind in Kind::KEPT {
        for (technique, by) in people {
            // The restriction is one connection's.
            if by == By::Outsider && kind != Kind::Header {
                continue;
            }
            for path in ["/projects", "", "/", "/a/b?x=1"] {
                cases.push(Case::new(technique, path, kind, Call::plain(kind).by(by).path(path)));
            }
        }
    }
    for kind in [Kind::Header, Kind::Http] {
        let own = Call::plain(kind).by(By::OwnIntegration);
        let mut case = Case::new("an integration token at a connection of the other dialect", "", kind, own);
        case.attempt.by = By::OtherIntegration;
        cases.push(case);
    }
    for name in [
        "zis:other_one:plain",
        "zis:own_one:wilder",
        "zis:OWN_ONE:plain",
        "zis:own_one/plain",
        "zis:own%5Fone:plain",
        "zis:*:plain",
    ] {
        let attempt =
            Call { connection: Some(name.to_owned()), ..Call::plain(Kind::Zis).by(By::OtherIntegration) };
        cases.push(Case::new("names of another integration's connections", name, Kind::Zis, attempt));
    }
    for line in [
        "X-Api-Key: {token}",
        "Api-Key: x",
        "Cookie: token={token}",
        "X-Zis-Authorization: Bearer x",
        "Authorization: Bearer x",
        "Authorization: Basic eDp4",
        "Dd-Api-Key: x",
        "Dd-Application-Key: x",
        "Private-Token: x",
        "Proxy-Authorization: Bearer x",
    ] {
        for kind in Kind::KEPT {
            let attempt = Call::plain(kind).by(By::Nobody).line(line);
            cases.push(Case::new("credentials that are none", line, kind, attempt));
        }
    }
    cases
}

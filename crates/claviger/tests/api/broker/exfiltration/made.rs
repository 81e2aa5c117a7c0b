//! Attempts at connections whose credential is made of what is kept: a part of those that are made at all others, and what
//! their own hosts invite to.

use std::collections::BTreeMap;

use super::{Call, Case, Kind, THIEF};

/// Of each technique's attempts every so manieth is made at a kind, another one at each.
const SHARE: usize = 5;

/// Hosts at which a customer of the same cloud listens, and others that only look like the cloud's.
fn hosts(kind: Kind) -> Vec<String> {
    let own = kind.host();
    let theirs: &[&str] = match kind {
        Kind::Aws => &[
            "amazonaws.com",
            "evil.amazonaws.com",
            "abc123.execute-api.eu-central-1.amazonaws.com",
            "ec2-203-0-113-1.eu-west-1.compute.amazonaws.com",
            "evil-1.us-east-1.elb.amazonaws.com",
            "evil.lambda-url.eu-central-1.on.aws",
            "evil.s3-website.eu-central-1.amazonaws.com",
            "search-evil.eu-west-1.es.amazonaws.com",
            "evil.dynamodb.eu-central-1.amazonaws.com",
            "dynamodb.eu-nowhere.amazonaws.com",
            "dynamodb.cn-north-1.amazonaws.com.cn",
            "dynamodb.eu-central-1.amazonaws.com.cn",
            "evil.eu-central-1.rds.amazonaws.com",
            "d111111abcdef8.cloudfront.net",
            "evil.awsapps.com",
            "evil.appsync-api.eu-west-1.amazonaws.com",
            "evil.iot.eu-west-1.amazonaws.com",
        ],
        Kind::Azure => &[
            "evil.azurewebsites.net",
            "evil.cloudapp.azure.com",
            "evil.westeurope.cloudapp.azure.com",
            "evil.management.azure.com",
            "azure.com",
            "vault.azure.net",
            "evil.web.core.windows.net",
            "evil.file.core.windows.net",
            "evil.azure-api.net",
            "evil.azurefd.net",
            "evil.trafficmanager.net",
            "evil.graph.microsoft.com",
            "login.microsoftonline.com",
            "graph.microsoft.us",
        ],
        Kind::Gcp => &[
            "googleapis.com",
            "evilgoogleapis.com",
            "evil.appspot.com",
            "evil.a.run.app",
            "evil.cloudfunctions.net",
            "evil.web.app",
            "evil.firebaseapp.com",
            "evil.googleusercontent.com",
            "evil.endpoints.project.cloud.goog",
            "storage.cloud.google.com",
            "sites.google.com",
            "metadata.google.internal",
        ],
        _ => &["evil.service-now.com", "service-now.com", "evil.auth.example.com", "example.com"],
    };
    let twisted = [
        format!("{own}.{THIEF}"),
        format!("{own}@{THIEF}"),
        format!("{own}:8443"),
        format!("evil{own}"),
        format!("{own}, {THIEF}"),
        format!("{own}/.{THIEF}"),
        format!("{own}#{THIEF}"),
        format!("{own}%2f.{THIEF}"),
        format!("http://{own}"),
        format!("*.{own}"),
        format!("{own}.."),
        own.replace('.', "-"),
        THIEF.to_owned(),
    ];
    let all = theirs.iter().map(|host| (*host).to_owned()).chain(twisted);
    // All below googleapis.com is Google's.
    all.filter(|host| {
        kind != Kind::Gcp || !host.ends_with("storage.googleapis.com") || host.contains(['/', '%', '*'])
    })
    .collect()
}

pub(crate) fn cases(all: &[Case]) -> Vec<Case> {
    let mut cases = Vec::new();
    let at_one_host = all.iter().filter(|case| case.kind == Kind::Zis);
    let mut numbers = BTreeMap::<_, usize>::new();
    for case in at_one_host {
        let number = numbers.entry(case.technique).or_default();
        for (place, kind) in Kind::MADE.into_iter().enumerate() {
            if *number % SHARE == place || *number == 0 {
                let control = Call { frames: case.control.frames.clone(), ..Call::plain(kind) };
                let (attempt, names) = (case.attempt.clone(), case.names.clone());
                let what = format!("{kind:?}, {}", case.what);
                cases.push(Case { what, kind, attempt, control, names, ..*case });
            }
        }
        *number += 1;
    }
    for kind in Kind::MADE {
        for host in hosts(kind) {
            let attempt = Call::plain(kind).line(format!("Claviger-Host: {host}"));
            cases.push(Case::new("a host of the same cloud, or like it", host, kind, attempt));
        }
        // What would have another token put in, or the signature made for another.
        for line in [
            "X-Amz-Security-Token: mine",
            "X-Amz-Date: 20200101T000000Z",
            "X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "Authorization: AWS4-HMAC-SHA256 Credential=mine",
            "X-Goog-User-Project: mine",
            "X-Goog-Iam-Authorization-Token: mine",
            "X-Ms-Authorization-Auxiliary: Bearer mine",
            "Connection: x-amz-security-token, authorization, host",
        ] {
            let mut attempt = Call::plain(kind).line(line);
            // Its caller's own stands in that header.
            if line.starts_with("Authorization") {
                attempt.by = super::call::By::Nobody;
            }
            cases.push(Case::new("headers of a signature or a token", line, kind, attempt));
        }
        for query in [
            "X-Amz-Security-Token=mine&X-Amz-Signature=x",
            "X-Amz-Host=thief.example",
            "access_token=mine",
            "Action=AssumeRole&Host=thief.example",
        ] {
            let attempt = Call::plain(kind).path(format!("/projects?{query}"));
            cases.push(Case::new("parameters of a signature or a token", query, kind, attempt));
        }
    }
    cases
}

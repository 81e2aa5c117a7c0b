//! Which names under amazonaws.com are services of AWS, and how a request to them is signed.
//!
//! Customers' machines, load balancers, databases and APIs have names there too, and whoever owns one sees the session
//! token of a request. So a name passes only if it is that of a listed service: the end points of botocore 1.44.5,
//! without those whose names are all customers' own.

use claviger_model::Host;

/// Label of the end point, `=`, name for signatures where that differs.
const SERVICES: &str = include_str!("aws_services.txt");

/// Names without a region.
const GLOBAL: [(&str, &str); 8] = [
    ("budgets.amazonaws.com", "budgets"),
    ("cloudfront.amazonaws.com", "cloudfront"),
    ("global.health.amazonaws.com", "health"),
    ("iam.amazonaws.com", "iam"),
    ("route53.amazonaws.com", "route53"),
    ("s3.amazonaws.com", "s3"),
    ("sts.amazonaws.com", "sts"),
    ("waf.amazonaws.com", "waf"),
];
const GLOBAL_REGION: &str = "us-east-1";

/// Services that answer under names of their customers' resources, all of them AWS's own machines.
const WITH_RESOURCE: [(&str, &str); 4] =
    [("s3", "s3"), ("s3-accesspoint", "s3"), ("s3-control", "s3"), ("s3-object-lambda", "s3-object-lambda")];

/// Services behind which a customer's own code or data answers: only where a connection names the very host.
const CUSTOMERS: [(&str, &str); 5] = [
    ("appsync-api", "appsync"),
    ("data.mediastore", "mediastore"),
    ("execute-api", "execute-api"),
    ("iot", "iotdata"),
    ("kinesisvideo", "kinesisvideo"),
];

/// What a signature is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// The service's name in signatures.
    pub service: String,
    /// The region.
    pub region: String,
}

impl Signing {
    fn new(service: &str, region: &str) -> Self {
        Self { service: service.to_owned(), region: region.to_owned() }
    }
}

/// What a request to a host is signed for; none, if it is no service's. `named` are the hosts that the connection
/// names by itself.
pub(crate) fn signing(host: &Host, named: &[Host]) -> Option<Signing> {
    let name = host.name()?;
    if let Some((_, service)) = GLOBAL.iter().find(|(global, _)| *global == name) {
        return Some(Signing::new(service, GLOBAL_REGION));
    }
    if name.ends_with(".s3.amazonaws.com") {
        return Some(Signing::new("s3", GLOBAL_REGION));
    }
    let rest = name.strip_suffix(".amazonaws.com").or_else(|| name.strip_suffix(".api.aws"))?;
    let (rest, region) = rest.rsplit_once('.').filter(|(_, region)| is_region(region))?;
    let rest = rest.strip_suffix(".dualstack").unwrap_or(rest);
    let rest = rest.strip_suffix("-fips").unwrap_or(rest);
    let service = listed(rest).or_else(|| below(rest, &WITH_RESOURCE));
    let service = service.or_else(|| below(rest, &CUSTOMERS).filter(|_| named.contains(host)));
    service.map(|service| Signing::new(service, region))
}

fn listed(label: &str) -> Option<&'static str> {
    let mut services =
        SERVICES.split_ascii_whitespace().map(|entry| entry.split_once('=').unwrap_or((entry, entry)));
    services.find(|(listed, _)| *listed == label).map(|(_, service)| service)
}

fn below(name: &str, services: &[(&'static str, &'static str)]) -> Option<&'static str> {
    let is_below = |label: &str| {
        name.strip_suffix(label).and_then(|rest| rest.strip_suffix('.')).is_some_and(|rest| !rest.is_empty())
    };
    services.iter().find(|(label, _)| is_below(label)).map(|(_, service)| *service)
}

/// Of the commercial partition: `eu-central-1`.
fn is_region(label: &str) -> bool {
    const AREAS: [&str; 9] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];
    let mut parts = label.split('-');
    let (area, place, number) = (parts.next(), parts.next(), parts.next());
    area.is_some_and(|area| AREAS.contains(&area))
        && place.is_some_and(|place| !place.is_empty() && place.chars().all(|c| c.is_ascii_lowercase()))
        && number.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, named: &[&str]) -> Option<String> {
        let named: Vec<Host> = named.iter().map(|name| name.parse().unwrap()).collect();
        signing(&name.parse().unwrap(), &named).map(|s| format!("{}/{}", s.service, s.region))
    }

    #[test]
    fn services_are_known_by_their_names() {
        for (name, expected) in [
            ("dynamodb.eu-central-1.amazonaws.com", "dynamodb/eu-central-1"),
            ("email.us-west-2.amazonaws.com", "ses/us-west-2"),
            ("api.ecr.eu-west-1.amazonaws.com", "ecr/eu-west-1"),
            ("streams.dynamodb.us-east-2.amazonaws.com", "dynamodb/us-east-2"),
            ("kms-fips.us-east-1.amazonaws.com", "kms/us-east-1"),
            ("lambda.eu-west-3.api.aws", "lambda/eu-west-3"),
            ("s3.eu-west-1.amazonaws.com", "s3/eu-west-1"),
            ("a.b.s3.dualstack.eu-west-1.amazonaws.com", "s3/eu-west-1"),
            ("bucket.s3.amazonaws.com", "s3/us-east-1"),
            ("123456789012.s3-control.us-east-1.amazonaws.com", "s3/us-east-1"),
            ("sts.amazonaws.com", "sts/us-east-1"),
        ] {
            assert_eq!(of(name, &[]).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn what_customers_own_is_refused() {
        for name in [
            "amazonaws.com",
            "evil.amazonaws.com",
            "dynamodb.amazonaws.com",
            "dynamodb.eu-central-1.amazonaws.com.evil.example",
            "ec2-203-0-113-1.eu-west-1.compute.amazonaws.com",
            "ec2-203-0-113-1.compute-1.amazonaws.com",
            "name-1.us-east-1.elb.amazonaws.com",
            "name-1.elb.us-east-1.amazonaws.com",
            "db.x.eu-west-1.rds.amazonaws.com",
            "evil.dynamodb.eu-central-1.amazonaws.com",
            "search-x.eu-west-1.es.amazonaws.com",
            "s3.eu-nowhere.amazonaws.com",
            "dynamodb.cn-north-1.amazonaws.com",
            "s3-website.eu-west-1.amazonaws.com",
            "b.s3-website.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(of(name, &[name]), None, "{name}");
        }
    }

    #[test]
    fn a_customers_api_must_be_named() {
        let api = "abc123.execute-api.eu-west-1.amazonaws.com";
        assert_eq!(of(api, &[]), None);
        assert_eq!(of(api, &["other.execute-api.eu-west-1.amazonaws.com"]), None);
        assert_eq!(of(api, &[api]).as_deref(), Some("execute-api/eu-west-1"));
        assert_eq!(of("execute-api.eu-west-1.amazonaws.com", &["execute-api.eu-west-1.amazonaws.com"]), None);
    }

    #[test]
    fn the_list_is_one() {
        let labels: Vec<&str> =
            SERVICES.split_ascii_whitespace().map(|entry| entry.split('=').next().unwrap()).collect();
        assert!(labels.is_sorted_by(|a, b| a < b));
        for (label, _) in CUSTOMERS.iter().filter(|(label, _)| !["iot", "kinesisvideo"].contains(label)) {
            assert!(!labels.contains(label), "{label}");
        }
    }
}

//! The queries of key lists: paging, sorting, filters, includes. Every bad parameter is named at once.

use std::str::FromStr;

use claviger_engine::{CredentialFilter, CredentialSort, Page, SortBy, SortKey};
use claviger_http::openapi::Query;
use claviger_model::{CredentialKind, OrgId, Timestamp, UserId};
use http::Uri;
use serde_json::{Value, json};

use crate::Error;

/// The page size where none is asked for: what the vendor does, whatever its schema says.
const PAGE_SIZE_DEFAULT: i64 = 100;
/// The largest page.
const PAGE_SIZE_MAX: i64 = 100;
/// The last page that can be asked for; far beyond any list.
const PAGE_NUMBER_MAX: i64 = 1_000_000_000;

/// What the filter for owners of tokens is called: in the reference, and by current clients.
const OWNERS: [&str; 2] = ["filter[owner_uuid]", "filter[owned_by]"];
/// The most owners that one list can be asked for: a page's worth.
const OWNERS_MAX: usize = 100;

/// A query on its way to being understood.
pub(crate) struct ListQuery {
    pairs: Vec<(String, String)>,
    faults: Vec<String>,
}

impl ListQuery {
    pub(crate) fn of(uri: &Uri) -> Self {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        Self { pairs: pairs.into_owned().collect(), faults: Vec::new() }
    }

    /// The last value of a parameter; an empty one counts as none.
    fn value(&self, name: &str) -> Option<String> {
        let found = self.pairs.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }

    fn parsed<T>(&mut self, name: &str, must: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.value(name)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.faults.push(format!("{name} must be {must}"));
        }
        parsed
    }

    /// A text to look for. No name holds a control character, and not every database can be asked for one.
    fn text(&mut self, name: &str) -> Option<String> {
        let is_text = |text: &str| (!text.chars().any(char::is_control)).then(|| text.to_owned());
        self.parsed(name, "a text without control characters", is_text)
    }

    /// A flag.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        self.parsed(name, "true or false", |text| text.to_ascii_lowercase().parse().ok())
    }

    /// The page: numbers begin at 0.
    pub(crate) fn page(&mut self) -> Page {
        self.page_of(PAGE_SIZE_MAX)
    }

    /// The page, where it may have so many.
    pub(crate) fn page_of(&mut self, size_max: i64) -> Page {
        let number =
            |low, high| move |text: &str| text.parse().ok().filter(|n: &i64| (low..=high).contains(n));
        let size = self.parsed("page[size]", &format!("a number from 1 to {size_max}"), number(1, size_max));
        let page = self.parsed("page[number]", "a number from 0 on", number(0, PAGE_NUMBER_MAX));
        let limit = size.unwrap_or(PAGE_SIZE_DEFAULT);
        Page { offset: page.unwrap_or(0) * limit, limit }
    }

    /// The order: one of the keys, reversed by a minus before it; by name where none is asked for.
    pub(crate) fn sort(&mut self, keys: &[(&str, SortKey)]) -> CredentialSort {
        let names: Vec<_> = keys.iter().map(|(name, _)| *name).collect();
        let must = format!("one of {}, or one of these after a minus", names.join(", "));
        let sort = self.parsed("sort", &must, |text| {
            let (descending, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
            let (_, key) = keys.iter().find(|(name, _)| *name == text)?;
            Some(CredentialSort { key: *key, descending })
        });
        sort.unwrap_or(CredentialSort { key: SortKey::Name, descending: false })
    }

    /// The same over keys of another kind; `sort_dir` turns it, as the vendor's clients may ask.
    pub(crate) fn sort_by<K: Copy>(&mut self, keys: &[(&str, K)], default: K) -> SortBy<K> {
        let names: Vec<_> = keys.iter().map(|(name, _)| *name).collect();
        let must = format!("one of {}, or one of these after a minus", names.join(", "));
        let sort = self.parsed("sort", &must, |text| {
            let (descending, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
            let (_, key) = keys.iter().find(|(name, _)| *name == text)?;
            Some(SortBy { key: *key, descending })
        });
        let direction = self.parsed("sort_dir", "asc or desc", |text| match text {
            "asc" => Some(false),
            "desc" => Some(true),
            _ => None,
        });
        let sort = sort.unwrap_or(SortBy { key: default, descending: false });
        SortBy { descending: sort.descending || direction.unwrap_or(false), ..sort }
    }

    /// What people and roles are searched by.
    pub(crate) fn search(&mut self) -> Option<String> {
        self.text("filter")
    }

    /// A list of words, parted by commas.
    pub(crate) fn words<T>(&mut self, name: &str, must: &str, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let words = self.parsed(name, must, |text| text.split(',').map(|word| parse(word.trim())).collect());
        words.unwrap_or_default()
    }

    /// The filters that all key lists have.
    pub(crate) fn filter(&mut self, org: OrgId, kind: CredentialKind) -> CredentialFilter {
        let mut moment = |name: &str| self.parsed(name, "an RFC 3339 time", parse_moment);
        let created_from = moment("filter[created_at][start]");
        let created_to = moment("filter[created_at][end]");
        let text = self.text("filter");
        CredentialFilter { text, created_from, created_to, ..CredentialFilter::all(org, kind) }
    }

    /// The filters that only API keys have.
    pub(crate) fn api_key_filter(&mut self, org: OrgId) -> CredentialFilter {
        let filter = self.filter(org, CredentialKind::ApiKey);
        let modified_from = self.parsed("filter[modified_at][start]", "an RFC 3339 time", parse_moment);
        let modified_to = self.parsed("filter[modified_at][end]", "an RFC 3339 time", parse_moment);
        let flag = |text: &str| text.to_ascii_lowercase().parse().ok();
        let remote_config_read = self.parsed("filter[remote_config_read_enabled]", "true or false", flag);
        let category = self.text("filter[category]");
        CredentialFilter { modified_from, modified_to, remote_config_read, category, ..filter }
    }

    /// The owner filter of the org's application keys.
    pub(crate) fn owner(&mut self) -> Option<UserId> {
        self.parsed("filter[owned_by]", "a user's id", |text| text.parse().ok())
    }

    /// The owner filter of tokens, under both of its names: any of these users, where there are any.
    pub(crate) fn owners(&mut self) -> Option<Vec<UserId>> {
        let (mut owners, mut is_asked) = (Vec::new(), false);
        for name in OWNERS {
            let values =
                self.pairs.iter().filter(|(key, _)| key == name).flat_map(|(_, value)| value.split(','));
            let ids: Vec<_> =
                values.map(str::trim).filter(|id| !id.is_empty()).map(UserId::from_str).collect();
            is_asked |= !ids.is_empty();
            let is_bad = ids.iter().any(Result::is_err) || ids.len() > OWNERS_MAX;
            owners.extend(ids.into_iter().flatten());
            if is_bad {
                self.faults.push(format!("{name} must be at most {OWNERS_MAX} users' ids, parted by commas"));
            }
        }
        is_asked.then_some(owners)
    }

    /// Which of the things that may be included are asked for, in the order of `known`.
    pub(crate) fn include<const N: usize>(&mut self, known: [&str; N]) -> [bool; N] {
        let asked = self.value("include").unwrap_or_default();
        let asked: Vec<_> = asked.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if asked.iter().any(|name| !known.contains(name)) {
            self.faults.push(format!("include must be a list of: {}", known.join(", ")));
        }
        known.map(|name| asked.contains(&name))
    }

    /// To be called last: refuses a query with faults.
    pub(crate) fn check(self) -> Result<(), Error> {
        if self.faults.is_empty() { Ok(()) } else { Err(Error::invalid(self.faults)) }
    }
}

/// The parameters of a list, as the API's description has them.
pub(crate) fn list_parameters(sort: &[(&str, SortKey)]) -> Vec<Query> {
    let keys: Vec<_> = sort.iter().flat_map(|(key, _)| [(*key).to_owned(), format!("-{key}")]).collect();
    let mut parameters = page_parameters();
    parameters.extend([
        parameter(
            "sort",
            "By what; reversed by a minus",
            json!({ "type": "string", "enum": keys, "default": "name" }),
        ),
        parameter("filter", "Only those whose name has this in it", json!({ "type": "string" })),
    ]);
    parameters.extend(moments(["filter[created_at][start]", "filter[created_at][end]"]));
    parameters
}

/// The parameters of lists that are paged and nothing else.
pub(crate) fn page_parameters() -> Vec<Query> {
    let number = |low: i64, high: i64, default: i64| json!({ "type": "integer", "minimum": low, "maximum": high, "default": default });
    vec![
        parameter("page[size]", "How many on a page", number(1, PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT)),
        parameter("page[number]", "Which page", number(0, PAGE_NUMBER_MAX, 0)),
    ]
}

/// The parameters of lists of people and of roles.
pub(crate) fn people_parameters<K>(sort: &[(&str, K)], size_max: i64) -> Vec<Query> {
    let keys: Vec<_> = sort.iter().flat_map(|(key, _)| [(*key).to_owned(), format!("-{key}")]).collect();
    let size = json!({ "type": "integer", "minimum": 1, "maximum": size_max, "default": PAGE_SIZE_DEFAULT });
    let number = json!({ "type": "integer", "minimum": 0, "maximum": PAGE_NUMBER_MAX, "default": 0 });
    vec![
        parameter("page[size]", "How many on a page", size),
        parameter("page[number]", "Which page", number),
        parameter(
            "sort",
            "By what; reversed by a minus",
            json!({ "type": "string", "enum": keys, "default": "name" }),
        ),
        parameter("sort_dir", "In which direction", json!({ "type": "string", "enum": ["asc", "desc"] })),
        parameter("filter", "Only those that have this in them", json!({ "type": "string" })),
    ]
}

/// The parameters that only lists of API keys have.
pub(crate) fn api_key_parameters() -> Vec<Query> {
    let mut parameters: Vec<_> = moments(["filter[modified_at][start]", "filter[modified_at][end]"]).into();
    parameters.extend([
        parameter(
            "filter[remote_config_read_enabled]",
            "Only those of this flag",
            json!({ "type": "boolean" }),
        ),
        parameter("filter[category]", "Only those of this category", json!({ "type": "string" })),
    ]);
    parameters
}

/// The owner filter.
pub(crate) fn owner_parameter() -> Query {
    parameter("filter[owned_by]", "Only those of this user", json!({ "type": "string", "format": "uuid" }))
}

/// The owner filter of tokens, under both of its names.
pub(crate) fn owners_parameters() -> Vec<Query> {
    let ids =
        json!({ "type": "array", "items": { "type": "string", "format": "uuid" }, "maxItems": OWNERS_MAX });
    OWNERS.map(|name| parameter(name, "Only those of these users", ids.clone())).into()
}

/// What may be included.
pub(crate) fn include_parameter<const N: usize>(known: [&str; N]) -> Query {
    let description = format!("What else to answer with, parted by commas: {}", known.join(", "));
    parameter("include", &description, json!({ "type": "string" }))
}

fn moments(names: [&'static str; 2]) -> [Query; 2] {
    let moment = json!({ "type": "string", "format": "date-time" });
    let [start, end] = names;
    [
        parameter(start, "Only those from then on", moment.clone()),
        parameter(end, "Only those up to then", moment),
    ]
}

/// One parameter.
pub(crate) fn parameter(name: &'static str, description: &str, schema: Value) -> Query {
    Query { name, description: description.to_owned(), schema }
}

/// A moment of a filter: RFC 3339, or as clients in Python write it, where a plus that was not escaped has become
/// a space.
fn parse_moment(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_rfc3339(&text.replacen(' ', "+", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[(&str, SortKey)] = &[("name", SortKey::Name), ("created_at", SortKey::CreatedAt)];

    fn query(text: &str) -> ListQuery {
        ListQuery::of(&format!("/x?{text}").parse().unwrap())
    }

    #[test]
    fn pages_begin_at_zero_and_have_a_hundred() {
        assert_eq!(query("").page(), Page { offset: 0, limit: 100 });
        assert_eq!(query("page%5Bsize%5D=7&page[number]=3").page(), Page { offset: 21, limit: 7 });
    }

    #[test]
    fn every_bad_parameter_is_named() {
        let mut bad = query(
            "page[size]=101&page[number]=-1&sort=owner&filter[created_at][start]=soon&include=x&filter[owned_by]=me&filter=a%00",
        );
        let org = OrgId::generate(&claviger_model::testing::SeededRandom::new(1));
        bad.page();
        bad.sort(KEYS);
        bad.filter(org, CredentialKind::ApiKey);
        bad.include(["owned_by"]);
        bad.owner();
        let Err(Error::Texts(_, texts)) = bad.check() else { panic!("it must be refused") };
        assert_eq!(texts.len(), 7, "{texts:?}");
    }

    /// What is described is what is read: a value that does not fit is refused for each parameter that has a
    /// form, and those that take any text are the ones that have none.
    #[test]
    fn every_parameter_that_is_described_is_read() {
        let mut parameters = list_parameters(KEYS);
        parameters.extend(api_key_parameters());
        parameters.extend([owner_parameter(), include_parameter(["owned_by"])]);
        parameters.extend(owners_parameters());
        let org = OrgId::generate(&claviger_model::testing::SeededRandom::new(1));
        for parameter in parameters {
            let mut bad = query(&format!("{}=%3F", parameter.name));
            let filter = bad.api_key_filter(org);
            let _ = (bad.page(), bad.sort(KEYS), bad.include(["owned_by"]), bad.owner(), bad.owners());
            let is_refused = match bad.check() {
                Err(Error::Texts(_, texts)) => texts.iter().any(|text| text.starts_with(parameter.name)),
                _ => false,
            };
            let is_taken = [filter.text, filter.category].contains(&Some("?".to_owned()));
            assert!(is_refused != is_taken, "{}", parameter.name);
        }
    }

    #[test]
    fn owners_are_collected_from_both_names() {
        let id = |n| UserId::generate(&claviger_model::testing::SeededRandom::new(n));
        let [one, two, three] = [id(1), id(2), id(3)];
        let mut both = query(&format!(
            "filter[owner_uuid]={one},{two}&filter%5Bowned_by%5D={three}&filter[owner_uuid]="
        ));
        assert_eq!(both.owners(), Some(vec![one, two, three]));
        assert_eq!(query("filter[owner_uuid]=").owners(), None);
        let mut many = query(&format!("filter[owned_by]={}", vec![one.to_string(); 101].join(",")));
        many.owners();
        assert!(many.check().is_err());
    }

    #[test]
    fn a_minus_reverses() {
        let sort = query("sort=-created_at").sort(KEYS);
        assert_eq!(sort, CredentialSort { key: SortKey::CreatedAt, descending: true });
        assert!(query("sort=-created_at&sort=").check().is_ok());
    }

    #[test]
    fn a_plus_that_became_a_space_is_understood() {
        assert_eq!(parse_moment("2025-01-01T00:00:00 00:00"), parse_moment("2025-01-01T00:00:00Z"));
        assert!(parse_moment("2025-01-01T00:00:00 00:00").is_some());
    }
}

//! Entries as they stand in the file. Unknown keys are errors, so that a typo is no silent hole.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::inject::WaitUnit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFormat {
    pub(super) pattern: String,
    #[serde(default = "one")]
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) says: String,
    #[serde(default)]
    pub(super) ignore_case: bool,
    pub(super) check: Option<String>,
}

fn one() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIntegration {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) docs: String,
    pub(super) base_url: Option<String>,
    #[serde(default)]
    pub(super) hosts: Vec<String>,
    pub(super) host_rule: Option<String>,
    pub(super) schemes: Option<Vec<String>>,
    #[serde(default)]
    pub(super) settings: Vec<RawField>,
    #[serde(default)]
    pub(super) strip: RawStrip,
    #[serde(default)]
    pub(super) retry: RawRetry,
    pub(super) credentials: Vec<RawCredentials>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStrip {
    #[serde(default)]
    pub(super) headers: Vec<String>,
    #[serde(default)]
    pub(super) query: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRetry {
    pub(super) statuses: Option<Vec<u16>>,
    pub(super) wait: Option<Vec<RawWait>>,
    #[serde(default)]
    pub(super) longest: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWait {
    pub(super) header: String,
    pub(super) unit: WaitUnit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCredentials {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) settings: Vec<RawField>,
    #[serde(default)]
    pub(super) secrets: Vec<RawField>,
    pub(super) exchange: Option<String>,
    pub(super) inject: Vec<RawInjection>,
    #[serde(default)]
    pub(super) probe: Vec<RawProbe>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawField {
    pub(super) name: String,
    #[serde(default)]
    pub(super) optional: bool,
    pub(super) format: Option<String>,
    pub(super) hint: Option<String>,
    pub(super) values: Option<BTreeMap<String, String>>,
    pub(super) host_suffixes: Option<Vec<String>>,
    pub(super) list: Option<String>,
    pub(super) code: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInjection {
    pub(super) header: Option<String>,
    pub(super) query: Option<String>,
    pub(super) value: Option<String>,
    pub(super) bearer: Option<String>,
    pub(super) basic: Option<[String; 2]>,
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) if_absent: bool,
    pub(super) when: Option<RawWhen>,
    pub(super) unless: Option<RawWhen>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWhen {
    pub(super) field: Option<String>,
    pub(super) matches: Option<String>,
    pub(super) url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProbe {
    pub(super) method: Option<String>,
    pub(super) path: String,
    pub(super) ok: Vec<u16>,
    #[serde(default)]
    pub(super) bad: Vec<u16>,
    #[serde(default)]
    pub(super) limited: Vec<u16>,
    pub(super) check: Option<RawCheck>,
    pub(super) when: Option<RawWhen>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCheck {
    pub(super) pointer: String,
    pub(super) equals: serde_json::Value,
}

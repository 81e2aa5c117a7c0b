//! Where the texts of an HTTP connection put its tokens, and who may move one: only whoever brings it anew.
//!
//! Within the same host, too, its place decides who reads a token: a parameter stands in access logs, and what some
//! bodies hold is published. A text that names a token therefore stays as it is and where it is, or the change brings the
//! token. Texts that name none are the editor's own, and a token may always be named less.

use std::collections::{BTreeMap, BTreeSet};

use claviger_model::excerpt;

use crate::fault::Faults;
use crate::secret::SecretName;
use crate::settings::{Setting, Settings};
use crate::template::{BODY, HEADERS, TOKENS, URL_PARAMETERS, names_in};

/// So many places are told of one token; each is at most an excerpt long.
const PLACES_TOLD: usize = 3;

/// A text, and all that decides how it is read. Two that are equal send the tokens that they name alike.
#[derive(PartialEq)]
struct Text<'s> {
    list: &'static str,
    /// Whose value it is; none of the body.
    item: Option<&'s str>,
    text: &'s str,
    /// The media type of a body.
    media_type: Option<&'s str>,
    /// Headers that say how the body is read. They go beside the media type, or in its place.
    about: BTreeSet<(&'s str, &'s str)>,
}

/// Demands each of the `missing` secrets that a text would name, which before was another one, stood elsewhere, or was
/// not there.
pub(crate) fn demand<'n>(
    before: &Settings,
    after: &Settings,
    missing: impl Iterator<Item = &'n SecretName>,
    faults: &mut Faults,
) {
    let moved = moved(before, after);
    for name in missing {
        let Some((TOKENS, token)) = name.as_str().split_once('/') else { continue };
        let Some(places) = moved.get(token) else { continue };
        let told = places.iter().take(PLACES_TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = match places.len().saturating_sub(PLACES_TOLD) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let reason = format!("must bring {token} anew, since it would be sent otherwise: in {told}{more}");
        faults.push(format!("/credentials/{TOKENS}"), reason);
    }
}

/// The tokens that texts of `after` name which are not so in `before`, each with the places of those texts.
fn moved<'s>(before: &Settings, after: &'s Settings) -> BTreeMap<&'s str, Vec<String>> {
    let known = texts(before);
    let mut moved: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for text in texts(after).iter().filter(|text| !known.contains(text)) {
        // What is no template is refused for that.
        for name in names_in(text.text).unwrap_or_default() {
            moved.entry(name).or_default().push(text.place());
        }
    }
    moved
}

fn texts(settings: &Settings) -> Vec<Text<'_>> {
    let of = |list: &'static str| {
        let values = settings.list(list).iter();
        values.map(|item| (item.name.as_str(), item.value.as_deref().unwrap_or_default()))
    };
    let in_list = |list| {
        of(list).map(move |(name, text)| Text {
            list,
            item: Some(name),
            text,
            media_type: None,
            about: BTreeSet::new(),
        })
    };
    let mut texts: Vec<_> = in_list(HEADERS).chain(in_list(URL_PARAMETERS)).collect();
    if let Some(Setting::Body(body)) = settings.field(BODY)
        && let Some(text) = &body.content
    {
        let about = of(HEADERS).filter(|(name, _)| is_about_the_body(name)).collect();
        let media_type = body.content_type.as_deref();
        texts.push(Text { list: BODY, item: None, text, media_type, about });
    }
    texts
}

/// `Content-Type`, `Content-Encoding` and their like (RFC 9110, 8). To some servers `_` in a name is `-`.
fn is_about_the_body(header: &str) -> bool {
    header.to_ascii_lowercase().replace('_', "-").starts_with("content-")
}

impl Text<'_> {
    /// A name may be a secret in a wrong place, and is cut.
    fn place(&self) -> String {
        match self.item {
            Some(item) => format!("{}/{}", self.list, excerpt(item)),
            None => self.list.to_owned(),
        }
    }
}

//! The secrets to be masked, made ready for searching.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::byte_set::ByteSet;
use crate::escape::ESCAPE_MAX;
use crate::forms::{Forms, LENGTH_MIN};
use crate::sieve::Sieve;
use crate::tree::Tree;

/// The secrets to be masked, in every form in which they are searched. Cheap to clone; wiped when the last one goes.
///
/// Making one takes some microseconds, so that whoever uses the same secrets again should keep it.
#[derive(Clone)]
pub struct Needles(Arc<Inner>);

struct Inner {
    /// None if there is nothing to search.
    searched: Option<Searched>,
    /// The same for texts whose case is lost; none where that changes no secret.
    folded: Option<Searched>,
    unsearched: Vec<usize>,
    held_max: usize,
}

/// What a text is searched by.
pub(crate) struct Searched {
    pub(crate) forms: Forms,
    pub(crate) sieve: Sieve,
    /// How forms begin, and where those that begin alike part.
    pub(crate) tree: Tree,
    /// All that may stand in a form, unescaped.
    pub(crate) bytes: ByteSet,
    /// How many symbols the longest form has.
    pub(crate) longest: usize,
    /// How many beginnings are followed at once.
    pub(crate) followed_max: usize,
}

/// How many beginnings are followed at once: more than all forms of one secret that repeats itself have, and few enough
/// for a byte to cost no more than some microseconds.
pub(crate) const FOLLOWED_MAX: usize = 256;

impl Needles {
    /// Secrets below this length are not searched: they would be found where they are not meant.
    pub const LENGTH_MIN: usize = LENGTH_MIN;

    /// Makes secrets ready, which are named by their index from here on.
    ///
    /// Of several that are equal, the first is the one that is found.
    pub fn new<S: AsRef<[u8]>>(secrets: &[S]) -> Self {
        let searchable = |index: &usize| secrets[*index].as_ref().len() >= LENGTH_MIN;
        let (long, unsearched): (Vec<usize>, Vec<usize>) = (0..secrets.len()).partition(searchable);
        let is_new = |index: &usize| secrets[..*index].iter().all(|s| s.as_ref() != secrets[*index].as_ref());
        let searched: Vec<usize> = long.into_iter().filter(is_new).collect();
        let lower = |index: &usize| Zeroizing::new(secrets[*index].as_ref().to_ascii_lowercase());
        let has_case = |index: &&usize| secrets[**index].as_ref().iter().any(u8::is_ascii_uppercase);
        let folded: Vec<_> = searched.iter().filter(has_case).map(|index| (*index, lower(index))).collect();
        let mut in_lower = Forms::with_room(folded.iter().map(|(_, secret)| secret.as_slice()));
        folded.iter().for_each(|(index, secret)| in_lower.add(*index, secret));
        let folded = (!folded.is_empty()).then(|| Searched::new(in_lower));
        let mut forms = Forms::with_room(searched.iter().map(|index| secrets[*index].as_ref()));
        for index in searched {
            forms.add(index, secrets[index].as_ref());
        }
        let held_max = ESCAPE_MAX * forms.longest();
        let searched = (held_max > 0).then(|| Searched::new(forms));
        Self(Arc::new(Inner { searched, folded, unsearched, held_max }))
    }

    /// The secrets that are not searched since they are too short, by index.
    pub fn unsearched(&self) -> &[usize] {
        &self.0.unsearched
    }

    /// The most bytes that are ever held back: the longest form, with everything in it escaped at the greatest length.
    pub fn held_max(&self) -> usize {
        self.0.held_max
    }

    pub(crate) fn searched(&self) -> Option<&Searched> {
        self.0.searched.as_ref()
    }

    pub(crate) fn folded(&self) -> Option<&Searched> {
        self.0.folded.as_ref()
    }
}

impl Searched {
    fn new(forms: Forms) -> Self {
        Self::following(forms, FOLLOWED_MAX)
    }

    pub(crate) fn following(mut forms: Forms, followed_max: usize) -> Self {
        let tree = Tree::new(&mut forms);
        let (sieve, bytes, longest) = (Sieve::new(&forms), forms.bytes(), forms.longest());
        Self { forms, sieve, tree, bytes, longest, followed_max }
    }
}

impl fmt::Debug for Needles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Needles(..)")
    }
}

//! Names and identities that the server makes up.
//!
//! Upstream: `staging/src/k8s.io/apiserver/pkg/storage/names/generate.go`, `…/apimachinery/pkg/util/rand/rand.go`.

use api::{Key, Kind, Uid};
use base::{Digest, Lookup, Luck, Name};

/// The longest name that is generated, in bytes.
const NAME_LENGTH_MAX: usize = 63;
/// How many letters are appended to a prefix.
const SUFFIX_LENGTH: usize = 5;
/// Without vowels and what looks like them, so that no word comes out.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// The luck of names. It is keyed by kind, namespace and prefix or name, and by how often that was used, so that
/// whatever else is created changes nothing.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    suffixes: Luck,
    uids: Luck,
    /// How often each prefix and each given name was used.
    uses: Lookup<u64, u32>,
}

/// A draw that belongs to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Draw {
    /// Of the prefix or name.
    entity: u64,
    /// Which use of it this is, from 0.
    use_number: u32,
}

impl Names {
    pub(crate) fn new(luck: Luck) -> Self {
        Self { suffixes: luck.narrow("name"), uids: luck.narrow("uid"), uses: Lookup::new() }
    }

    /// The next draw for objects of this kind and namespace, with `key.name` as prefix or name.
    pub(crate) fn draw(&mut self, key: &Key) -> Draw {
        let entity = entity(key);
        if key.kind == Kind::Event {
            return Draw { entity, use_number: 0 }; // Their names are unique already, and there are many.
        }
        let uses = self.uses.entry_or_insert_with(entity, || 0);
        let use_number = *uses;
        *uses += 1;
        Draw { entity, use_number }
    }

    /// `prefix` and five random letters. A prefix too long for that loses its end.
    pub(crate) fn generate(&self, prefix: &str, draw: Draw) -> Name {
        let stem = &prefix[..prefix.floor_char_boundary(NAME_LENGTH_MAX - SUFFIX_LENGTH)];
        let end = stem.len() + SUFFIX_LENGTH;
        let mut name = [0_u8; NAME_LENGTH_MAX];
        name[..stem.len()].copy_from_slice(stem.as_bytes());
        let mut rest = self.suffixes.below(draw.entity, u64::from(draw.use_number), 27_u64.pow(5));
        for letter in &mut name[stem.len()..end] {
            *letter = LETTERS[usize::try_from(rest % 27).expect("it is below 27")];
            rest /= 27;
        }
        Name::new(str::from_utf8(&name[..end]).expect("the stem is text, and the letters are ASCII"))
    }

    pub(crate) fn uid(&self, draw: Draw) -> Uid {
        let number = 2 * u64::from(draw.use_number);
        Uid::random(self.uids.draw(draw.entity, number), self.uids.draw(draw.entity, number + 1))
    }
}

/// The number of an object or prefix, for luck.
pub(crate) fn entity(key: &Key) -> u64 {
    let mut digest = Digest::of_text(&key.kind.plural());
    digest.text(&key.namespace);
    digest.text(&key.name);
    digest.value()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names() -> Names {
        Names::new(Luck::new(42, "test"))
    }

    #[test]
    fn a_generated_name_is_the_prefix_and_five_letters() {
        let mut names = names();
        for prefix in ["web-", "", &"x".repeat(80)] {
            let draw = names.draw(&Key::new(Kind::Pod, "default", prefix));
            let name = names.generate(prefix, draw);
            let (stem, suffix) = name.split_at(name.len() - SUFFIX_LENGTH);
            assert_eq!(stem, &prefix[..prefix.len().min(58)]);
            assert!(suffix.bytes().all(|it| LETTERS.contains(&it)), "{name}");
        }
    }

    #[test]
    fn the_luck_of_one_prefix_is_nobody_elses() {
        let web = Key::new(Kind::Pod, "default", "web-");
        let make = |others: usize| {
            let mut names = names();
            let mut made = Vec::new();
            for _ in 0..5 {
                for _ in 0..others {
                    names.draw(&Key::new(Kind::Pod, "other", "web-"));
                }
                let draw = names.draw(&web);
                made.push((names.generate("web-", draw), names.uid(draw)));
            }
            made
        };
        assert_eq!(make(0), make(3));
        let different: BTreeSet<_> = make(0).into_iter().collect();
        assert_eq!(different.len(), 5);
    }
}

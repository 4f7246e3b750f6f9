//! What the registries hold, as far as a scenario says it, and how a node gets at it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Digest, Name};

use super::reference::Reference;

/// What a node knows of images before it pulls any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageSettings {
    pub catalog: Arc<Catalog>,
    /// How fast the node pulls, in bytes per second, above 0; where it is left out, as behaviours have it by default.
    pub bandwidth: Option<f64>,
    /// On the node from before, in bytes by name; `None` as a size means the one of the catalog, or the default.
    pub preloaded: Vec<(Reference, Option<i64>)>,
}

/// What is known of images and registries, the same for all nodes. What is not in here can be pulled by everyone,
/// and is as large as behaviours say.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    /// By full name.
    pub images: BTreeMap<Name, Listing>,
    /// By host.
    pub registries: BTreeMap<Name, Registry>,
    /// The part of an image that all versions of it have in common, where its layers are not listed: 0 to 1.
    pub base_share: f64,
}

/// One image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// Compressed, in bytes; where layers are given, their sum.
    pub bytes: Option<i64>,
    /// The lowest first.
    pub layers: Vec<Layer>,
    /// Its registry does not have it.
    pub is_missing: bool,
    /// Nobody gets it without a pull secret.
    pub is_private: bool,
}

/// One registry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    /// What it sends to all nodes together, in bytes per second, above 0; `None` means no limit.
    pub bandwidth: Option<f64>,
    /// Nobody gets any of its images without a pull secret.
    pub is_private: bool,
}

/// A part of an image that is fetched by itself, and kept once however many images have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Layer {
    /// Stands for its digest.
    pub id: u64,
    /// Compressed.
    pub bytes: i64,
}

/// Half of an image is what it is built on: a guess, which a scenario can change.
pub const BASE_SHARE: f64 = 0.5;

impl Default for Catalog {
    fn default() -> Self {
        Self { images: BTreeMap::new(), registries: BTreeMap::new(), base_share: BASE_SHARE }
    }
}

impl Layer {
    /// The layer with this digest, or a name that stands for it.
    pub fn new(digest: &str, bytes: i64) -> Self {
        Self { id: Digest::of_text(digest).value(), bytes }
    }
}

impl Catalog {
    pub(crate) fn listing(&self, image: &Reference) -> Option<&Listing> {
        self.images.get(image.full())
    }

    pub(crate) fn is_missing(&self, image: &Reference) -> bool {
        self.listing(image).is_some_and(|it| it.is_missing)
    }

    pub(crate) fn is_private(&self, image: &Reference) -> bool {
        self.listing(image).is_some_and(|it| it.is_private)
            || self.registries.get(image.host()).is_some_and(|it| it.is_private)
    }

    /// The hosts that send only so much, in bytes per second.
    pub fn limits(&self) -> BTreeMap<Name, f64> {
        let limit = |(host, it): (&Name, &Registry)| Some((host.clone(), it.bandwidth?));
        self.registries.iter().filter_map(limit).collect()
    }

    /// The layers of an image of `bytes`, of a repository whose images mostly have `usual_bytes`: those that are
    /// listed, or else what all versions have in common and what is this version's own.
    pub(crate) fn layers(&self, image: &Reference, bytes: i64, usual_bytes: i64) -> Box<[Layer]> {
        if let Some(listing) = self.listing(image).filter(|it| !it.layers.is_empty()) {
            return listing.layers.clone().into();
        }
        let own = |bytes| Layer::new(image.full(), bytes);
        let base = part(usual_bytes, self.base_share);
        if base <= 0 || bytes < base {
            return [own(bytes)].into();
        }
        let mut digest = Digest::of_text(image.repository());
        digest.word(base.unsigned_abs());
        [Layer { id: digest.value(), bytes: base }, own(bytes - base)].into()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
fn part(bytes: i64, share: f64) -> i64 {
    (bytes as f64 * share) as i64
}

/// How many bytes some layers take up, each counted once.
pub(crate) fn distinct_bytes<'a>(layers: impl Iterator<Item = &'a Layer>) -> i64 {
    layers.collect::<BTreeSet<_>>().into_iter().map(|it| it.bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str) -> Reference {
        Reference::parse(name).unwrap()
    }

    #[test]
    fn versions_of_an_image_share_its_base() {
        let catalog = Catalog::default();
        let (old, new) =
            (catalog.layers(&image("web:v1"), 100, 80), catalog.layers(&image("web:v2"), 60, 80));
        assert_eq!((old[0], old[0].bytes), (new[0], 40));
        assert_ne!(old[1].id, new[1].id);
        assert_eq!(distinct_bytes(old.iter().chain(&*new)), 40 + 60 + 20);
        let other = catalog.layers(&image("db:v1"), 100, 80);
        assert_ne!(old[0].id, other[0].id);
        assert_eq!(catalog.layers(&image("web:tiny"), 30, 80).len(), 1, "it is built on something else");
    }

    #[test]
    fn listed_layers_are_taken_as_they_are() {
        let layers = vec![Layer::new("debian", 50), Layer::new("web", 10)];
        let listing = Listing { layers: layers.clone(), ..Listing::default() };
        let images = [(Name::new("docker.io/library/web:v1"), listing)].into();
        let catalog = Catalog { images, ..Catalog::default() };
        assert_eq!(*catalog.layers(&image("web:v1"), 60, 60), layers);
    }
}

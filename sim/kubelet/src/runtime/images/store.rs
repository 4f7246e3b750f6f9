//! The images that are on a node, and the room they take.

use std::collections::BTreeMap;

use base::{Luck, Name, Time};

use crate::images::{Layer, Reference, distinct_bytes};
use crate::text::{hex64, join};

/// Images by full name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    images: BTreeMap<Name, Image>,
    /// Counts the changes.
    pub(crate) version: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// As the runtime reports it: `docker.io/library/web:v1`.
    pub(crate) reference: Reference,
    /// `docker.io/library/web@sha256:…`.
    pub(crate) id: Name,
    /// Compressed.
    pub(crate) bytes: i64,
    layers: Box<[Layer]>,
    pub(crate) came: Time,
    /// When the last container that had it ended, as far as it is gone.
    pub(crate) left: Option<Time>,
}

impl Store {
    pub(crate) fn get(&self, image: &Reference) -> Option<&Image> {
        self.images.get(image.full())
    }

    /// By name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Image> {
        self.images.values()
    }

    pub(crate) fn has_layer(&self, id: u64) -> bool {
        self.images.values().any(|it| it.layers.iter().any(|layer| layer.id == id))
    }

    pub(crate) fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.images.values().flat_map(|it| &*it.layers)
    }

    pub(crate) fn insert(&mut self, reference: &Reference, bytes: i64, layers: Box<[Layer]>, came: Time) {
        let image =
            Image { reference: reference.clone(), id: id_of(reference), bytes, layers, came, left: None };
        self.images.insert(reference.full().clone(), image);
        self.version += 1;
    }

    pub(crate) fn remove(&mut self, image: &Name) {
        if self.images.remove(image).is_some() {
            self.version += 1;
        }
    }

    /// A container of this image has gone, which ended at `end`.
    pub(crate) fn release(&mut self, image: &str, end: Time) {
        if let Some(it) = self.images.get_mut(image) {
            it.left = it.left.max(Some(end));
        }
    }

    /// What all images take up together, layers that several have counted once.
    pub(crate) fn bytes(&self) -> i64 {
        distinct_bytes(self.layers())
    }
}

fn id_of(reference: &Reference) -> Name {
    if reference.is_by_digest() {
        return reference.full().clone();
    }
    join([reference.repository(), "@sha256:", &hex64(Luck::of_text(reference.full()))])
}

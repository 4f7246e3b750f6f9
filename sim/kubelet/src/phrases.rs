//! What is the same for all containers of a name, or of an image, worked out once: every pod of a node says it.

use std::sync::Arc;

use base::Name;

use crate::images::{InvalidName, Reference};
use crate::text::join;

/// Both by name; a node has few of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phrases {
    containers: Vec<Arc<OfContainer>>,
    images: Vec<Arc<OfImage>>,
}

/// Of all containers with a name.
#[derive(Clone, Debug)]
pub(crate) struct OfContainer {
    name: Name,
    /// Where a main container stands in its pod. Upstream: `pkg/kubelet/container/ref.go`, `fieldPath`.
    pub(crate) path: Name,
    pub(crate) created: Name,
    pub(crate) started: Name,
}

/// Of an image, as containers name it.
#[derive(Clone, Debug)]
pub(crate) struct OfImage {
    name: Name,
    pub(crate) reference: Result<Reference, InvalidName>,
    pub(crate) pulling: Name,
    pub(crate) present: Name,
}

impl Phrases {
    pub(crate) fn of_container(&mut self, name: &Name) -> Arc<OfContainer> {
        let found = self.containers.binary_search_by(|it| it.name.cmp(name));
        let at = found.unwrap_or_else(|at| {
            self.containers.insert(at, Arc::new(OfContainer::new(name)));
            at
        });
        Arc::clone(&self.containers[at])
    }

    pub(crate) fn of_image(&mut self, image: &Name) -> Arc<OfImage> {
        let found = self.images.binary_search_by(|it| it.name.cmp(image));
        let at = found.unwrap_or_else(|at| {
            self.images.insert(at, Arc::new(OfImage::new(image)));
            at
        });
        Arc::clone(&self.images[at])
    }
}

impl OfContainer {
    fn new(name: &Name) -> Self {
        Self {
            name: name.clone(),
            path: path("containers", name),
            created: join(["Created container: ", name]),
            started: join(["Started container ", name]),
        }
    }
}

impl OfImage {
    fn new(image: &Name) -> Self {
        Self {
            name: image.clone(),
            reference: Reference::parse(image),
            pulling: join(["Pulling image \"", image, "\""]),
            present: join(["Container image \"", image, "\" already present on machine"]),
        }
    }
}

/// Where a container stands in its pod: in one of the lists of its spec.
pub(crate) fn path(list: &str, container: &str) -> Name {
    join(["spec.", list, "{", container, "}"])
}

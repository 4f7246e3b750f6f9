//! The images that the node's status names: worked out every half minute, reported with the next status.
//!
//! Upstream: `pkg/kubelet/nodestatus/setters.go`, `Images`; `pkg/kubelet/images/image_gc_manager.go`, `imageCache`;
//! `pkg/kubelet/util/sliceutils/sliceutils.go`, `ByImageSize`.

use api::ContainerImage;
use base::Time;

use crate::beat::Beat;
use crate::constants::{IMAGE_LIST, IMAGES_IN_STATUS};
use crate::core::Turn;
use crate::input::Timer;
use crate::runtime::Runtime;

/// What of the images has been reported.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lister {
    /// As the runtime counts its changes.
    reported: u32,
    is_due: bool,
}

impl Lister {
    pub(crate) fn reported(&mut self, version: u32) {
        *self = Self { reported: version, is_due: false };
    }

    pub(crate) fn put_off(&mut self) {
        self.is_due = false;
    }
}

impl Turn<'_> {
    /// Has the list of images reported, if it is not what was reported last.
    pub(crate) fn watch_images(&mut self) {
        let lister = &mut self.core.lister;
        if lister.is_due || lister.reported == self.runtime.image_version() {
            return;
        }
        lister.is_due = true;
        let list = Beat { first: self.core.started, period: IMAGE_LIST };
        let status = self.core.node_status;
        let at: Time = status.from(list.after(self.now));
        self.wake_at(at, Timer::ImageList, 0);
    }
}

impl Runtime {
    /// The images as the node's status lists them: the largest first, by digest and by tag.
    pub(crate) fn image_list(&self) -> Vec<ContainerImage> {
        let mut images: Vec<_> = self.images.iter().collect();
        images.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| b.id.cmp(&a.id)));
        images.truncate(IMAGES_IN_STATUS);
        let listed = images.into_iter().map(|it| {
            let tag = (!it.reference.is_by_digest()).then(|| it.reference.full().clone());
            let names = [it.id.clone()].into_iter().chain(tag).collect();
            ContainerImage { names, size_bytes: it.bytes, ..ContainerImage::default() }
        });
        listed.collect()
    }
}

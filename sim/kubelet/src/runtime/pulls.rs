//! What the kubelet asks of images.

use std::sync::Arc;

use api::Pod;
use base::Time;

use super::Runtime;
use super::images::{Finished, Order};
use crate::images::{Allowance, Conditions, Demand, ImageSettings, Reference};

impl Runtime {
    /// The same with what the scenario says of images.
    #[must_use]
    pub fn with_images(mut self, settings: Arc<ImageSettings>) -> Self {
        self.images.set_up(settings, &self.behaviours);
        self
    }

    /// Puts an image on the node that somebody else brought there, or that has been there from before.
    pub fn preload(&mut self, image: &Reference, bytes: i64) {
        self.images.preload(image, bytes);
    }

    /// What images take up on the disk, in bytes: layers that several of them have counted once, and the parts that
    /// have come of those being pulled.
    pub fn images_bytes(&self, at: Time) -> i64 {
        self.images.bytes(at)
    }

    /// Registries fail, or work again. The kubelet is to be told.
    pub fn set_registries(&mut self, now: Time, conditions: Arc<Conditions>) {
        self.images.set_conditions(now, conditions);
    }

    pub(crate) fn set_allowance(&mut self, now: Time, allowance: Allowance) {
        self.images.set_allowance(now, allowance);
    }

    pub(crate) fn has_image(&self, image: &Reference) -> bool {
        self.images.get(image).is_some()
    }

    /// Counts the changes of the images that are there.
    pub(crate) fn image_version(&self) -> u32 {
        self.images.version()
    }

    /// What it takes to pull the image of a container.
    pub(crate) fn order_image(
        &mut self,
        pod: &Pod,
        container: usize,
        image: Reference,
        has_secret: bool,
    ) -> Order {
        let conduct = self.site.conduct(&self.behaviours, &mut self.used, None, pod, container);
        self.images.order(image, has_secret, &conduct)
    }

    /// Starts a pull. Returns its number.
    pub(crate) fn begin_pull(&mut self, now: Time, order: Order) -> u32 {
        self.images.begin(now, order)
    }

    /// The pulls that are over by `now`, each told once.
    pub(crate) fn finished_pulls(&mut self, now: Time) -> Vec<Finished> {
        self.images.finished(now)
    }

    /// When to ask for them; [`Time::MAX`] while there are none.
    pub(crate) fn next_pull(&self) -> Time {
        self.images.next()
    }

    /// What is to be told to the registries with a limit; `None` where there are none.
    pub(crate) fn pull_demand(&self) -> Option<Demand> {
        self.images.demand()
    }

    /// The image of a container that runs from before is on the node.
    pub(super) fn adopt_image(&mut self, pod: &Pod, container: usize) {
        let conduct = self.site.conduct(&self.behaviours, &mut self.used, None, pod, container);
        let found = pod.spec.all_containers().nth(container).map(|it| Reference::parse(&it.image));
        if let Some(Ok(image)) = found {
            self.images.adopt(&image, &conduct);
        }
    }
}

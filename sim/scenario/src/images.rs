//! What a scenario says of images and of the registries that hold them.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Quantity;
use base::Name;
use kubelet::{BASE_SHARE, Catalog, ImageSettings, Layer, Listing, Reference, Registry};
use manifest::Path;

use crate::document::Problems;
use crate::file;

/// The images and registries that are listed.
pub(crate) fn catalog(cluster: &file::Cluster, problems: &mut Problems) -> Catalog {
    let base_share = cluster.image_base_share.unwrap_or(BASE_SHARE);
    if !(0.0..=1.0).contains(&base_share) {
        problems.add(&Path::parse("spec.cluster.imageBaseShare"), "a share is from 0 to 1");
    }
    let mut catalog = Catalog { base_share, ..Catalog::default() };
    let whole = Path::parse("spec.cluster.images");
    for (n, it) in cluster.images.iter().enumerate() {
        read_image(it, &whole.clone().index(n), &mut catalog.images, problems);
    }
    let whole = Path::parse("spec.cluster.registries");
    for (n, it) in cluster.registries.iter().enumerate() {
        read_registry(it, &whole.clone().index(n), &mut catalog.registries, problems);
    }
    catalog
}

/// How the nodes of a pool come to images.
pub(crate) fn of_pool(
    pool: &file::NodePool,
    catalog: &Arc<Catalog>,
    path: &Path,
    problems: &mut Problems,
) -> ImageSettings {
    let bandwidth = rate(pool.network.pull, &path.clone().key("network").key("pull"), problems);
    let list = path.clone().key("images");
    let names = pool.images.iter().enumerate();
    let preloaded =
        names.filter_map(|(n, it)| Some((reference(it, &list.clone().index(n), problems)?, None)));
    ImageSettings { catalog: Arc::clone(catalog), preloaded: preloaded.collect(), bandwidth }
}

fn read_image(it: &file::Image, path: &Path, images: &mut BTreeMap<Name, Listing>, problems: &mut Problems) {
    let Some(name) = &it.name else {
        problems.add_with_help(path, "this image has no name", "add `name: shop/web:v1`");
        return;
    };
    let here = path.clone().key("name");
    let Some(reference) = reference(name, &here, problems) else { return };
    let layers: Vec<Layer> =
        it.layers.iter().enumerate().filter_map(|(n, it)| layer(it, n, &reference, path, problems)).collect();
    let stated = it.size.and_then(|it| bytes(it, &path.clone().key("size"), problems));
    let sum = layers.iter().map(|it| it.bytes).sum();
    if !layers.is_empty() && stated.is_some_and(|it| it != sum) {
        let message = format!("the layers are {sum} bytes together; leave `size` out, or make it that");
        problems.add(&path.clone().key("size"), message);
    }
    let listing = Listing {
        bytes: if layers.is_empty() { stated } else { Some(sum) },
        layers,
        is_missing: it.missing,
        is_private: it.private,
    };
    if images.insert(reference.full().clone(), listing).is_some() {
        problems.add(&here, format!("there are two images named `{name}`"));
    }
}

/// A layer without a digest is in no other image.
fn layer(
    it: &file::Layer,
    n: usize,
    image: &Reference,
    path: &Path,
    problems: &mut Problems,
) -> Option<Layer> {
    let here = path.clone().key("layers").index(n);
    let Some(size) = it.size else {
        problems.add_with_help(&here, "this layer has no size", "add `size: 30Mi`");
        return None;
    };
    let bytes = bytes(size, &here.key("size"), problems)?;
    let own = || Name::from(format_args!("{image} {n}"));
    Some(Layer::new(&it.digest.clone().unwrap_or_else(own), bytes))
}

fn read_registry(
    it: &file::Registry,
    path: &Path,
    registries: &mut BTreeMap<Name, Registry>,
    problems: &mut Problems,
) {
    let Some(host) = &it.host else {
        problems.add_with_help(path, "this registry has no host", "add `host: docker.io`");
        return;
    };
    let bandwidth = rate(it.bandwidth, &path.clone().key("bandwidth"), problems);
    let registry = Registry { bandwidth, is_private: it.private };
    if registries.insert(host.clone(), registry).is_some() {
        problems.add(&path.clone().key("host"), format!("there are two registries named `{host}`"));
    }
}

fn reference(name: &Name, path: &Path, problems: &mut Problems) -> Option<Reference> {
    let parsed = Reference::parse(name);
    parsed.map_err(|why| problems.add(path, format!("`{name}` names no image: {why}"))).ok()
}

fn bytes(quantity: Quantity, path: &Path, problems: &mut Problems) -> Option<i64> {
    if quantity.sign() < 0 {
        problems.add(path, format!("`{quantity}` is negative; it must be 0 or more"));
        return None;
    }
    Some(quantity.value())
}

/// In bytes per second.
fn rate(quantity: Option<Quantity>, path: &Path, problems: &mut Problems) -> Option<f64> {
    let quantity = quantity?;
    if quantity.sign() <= 0 {
        problems.add(path, format!("`{quantity}` bytes per second is too slow; it must be more than 0"));
        return None;
    }
    Some(quantity.approximate_f64())
}

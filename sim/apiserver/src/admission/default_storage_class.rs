//! DefaultStorageClass: claims that do not say a class get the default one, if there is one.
//!
//! Upstream: `plugin/pkg/admission/storage/storageclass/setdefault/admission.go`, `pkg/volume/util/storageclass.go`

use std::sync::Arc;

use api::{Kind, Meta, Object, StorageClass};

use super::Context;

/// How claims said their class before there was a field for it.
const CLASS: &str = "volume.beta.kubernetes.io/storage-class";

pub(super) fn admit(context: Context<'_>, object: &mut Object) {
    let Object::PersistentVolumeClaim(claim) = object else { return };
    if claim.spec.storage_class_name.is_some() || claim.meta.annotation(CLASS).is_some() {
        return;
    }
    if let Some(class) = default_class(context) {
        Arc::make_mut(claim).spec.storage_class_name = Some(class.name.clone());
    }
}

/// Of several, the youngest; of equally old ones, the first by name.
fn default_class<'a>(context: Context<'a>) -> Option<&'a Meta> {
    let classes = context.storage.scan(&Kind::StorageClass, None).filter_map(Object::get::<StorageClass>);
    let defaults = classes.filter(|it| it.is_default()).map(|it| &it.meta);
    defaults.min_by_key(|it| std::cmp::Reverse(it.created()))
}

//! Whether an object may be stored: the last look before it is.

use api::validation::{FieldError, message, validate, validate_resize, validate_update};
use api::{FieldCause, Object, Reason, Status, Subresource};

/// A new object, complete.
pub(crate) fn check_create(object: &Object) -> Result<(), Status> {
    refuse_if_any(object, &validate(object))
}

/// A change of an object. What a status says is not looked at.
pub(crate) fn check_update(new: &Object, old: &Object, sub: Subresource) -> Result<(), Status> {
    if sub == Subresource::Status && new.meta() == old.meta() {
        return Ok(());
    }
    if let (Subresource::Resize, Object::Pod(resized), Object::Pod(old)) = (sub, new, old) {
        return refuse_if_any(new, &validate_resize(resized, old));
    }
    refuse_if_any(new, &validate_update(new, old))
}

fn refuse_if_any(object: &Object, errors: &[FieldError]) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    let cause = |it: &FieldError| FieldCause { field: it.field.clone(), message: it.body().into() };
    let message = message(&object.kind(), &object.meta().name, errors);
    Err(Status { causes: errors.iter().map(cause).collect(), ..Status::new(Reason::Invalid, message) })
}

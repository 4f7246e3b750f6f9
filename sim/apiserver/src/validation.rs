//! Whether an object may be stored: the last look before it is.

use api::{Object, Status};

use crate::metadata;
use crate::refusal::invalid;

pub(crate) fn check_create(object: &Object) -> Result<(), Status> {
    let causes = metadata::problems(&object.kind(), object.meta());
    if causes.is_empty() { Ok(()) } else { Err(invalid(&object.kind(), &object.meta().name, causes)) }
}

pub(crate) fn check_update(new: &Object, old: &Object) -> Result<(), Status> {
    let causes = metadata::update_problems(new.meta(), old.meta());
    if causes.is_empty() { Ok(()) } else { Err(invalid(&new.kind(), &new.meta().name, causes)) }
}

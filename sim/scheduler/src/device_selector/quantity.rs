//! Quantities as values of CEL.
//!
//! Upstream: `staging/src/k8s.io/apiserver/pkg/cel/quantity.go`.

use std::any::Any;

use api::Quantity;
use cel::common::types::{Kind, Type};
use cel::common::value::{StaticVal, Val};

static QUANTITY_TYPE: Type = quantity_type();

pub(super) const fn quantity_type() -> Type {
    Type::simple_type(Kind::Opaque, "kubernetes.Quantity")
}

#[derive(Clone, Copy, Debug)]
pub(super) struct QuantityVal(pub(super) Quantity);

impl Val for QuantityVal {
    fn get_type(&self) -> &Type {
        &QUANTITY_TYPE
    }

    fn cel_type() -> &'static Type {
        &QUANTITY_TYPE
    }

    fn equals(&self, other: &dyn Val) -> bool {
        other.downcast_ref::<Self>().is_some_and(|other| self.0.cmp(&other.0).is_eq())
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for QuantityVal {}

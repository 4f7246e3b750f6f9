//! What a claim asks for that has no devices yet, ready to be compared with devices.
//!
//! Upstream: `validateDeviceClass`, `requestAccessor`.

use std::sync::Arc;

use api::{DeviceAllocationMode, DeviceClass, DeviceRequest, DeviceSelector as Selector, ResourceClaim};
use base::Name;

use crate::device_selector::DeviceSelector;
use crate::framework::Rejection;
use crate::objects::Objects;

#[derive(Clone, Debug)]
pub(super) struct PendingClaim {
    pub(super) claim: Arc<ResourceClaim>,
    /// `namespace/name`.
    pub(super) full_name: Name,
    pub(super) requests: Vec<Request>,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) name: Name,
    /// Whether it lists several ways to meet it, of which the first that works is taken.
    pub(super) is_list: bool,
    /// One if it is no list.
    pub(super) asks: Vec<Ask>,
}

/// One way to meet a request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// That of the request, or of its subrequest.
    pub(super) name: Name,
    pub(super) class: Arc<DeviceClass>,
    pub(super) class_selectors: Vec<Arc<DeviceSelector>>,
    pub(super) selectors: Vec<Arc<DeviceSelector>>,
    pub(super) mode: DeviceAllocationMode,
    pub(super) count: usize,
    pub(super) admin_access: bool,
}

impl PendingClaim {
    pub(super) fn of(claim: &Arc<ResourceClaim>, objects: &Objects) -> Result<Self, Rejection> {
        let full_name = Name::from(format_args!("{}/{}", claim.meta.namespace, claim.meta.name));
        let requests = claim.spec.devices.requests.iter().map(|it| Request::of(it, &full_name, objects));
        Ok(Self { claim: claim.clone(), requests: requests.collect::<Result<_, _>>()?, full_name })
    }
}

impl Request {
    fn of(request: &DeviceRequest, claim: &Name, objects: &Objects) -> Result<Self, Rejection> {
        let name = request.name.clone();
        if let Some(exactly) = &request.exactly {
            let ask = Ask {
                name: name.clone(),
                class: class_of(&exactly.device_class_name, &name, objects)?,
                class_selectors: Vec::new(),
                selectors: compiled(&exactly.selectors, objects),
                mode: exactly.allocation_mode.clone(),
                count: usize::try_from(exactly.count).unwrap_or(0),
                admin_access: exactly.admin_access == Some(true),
            };
            return Ok(Self { name, is_list: false, asks: vec![ask.with_class_selectors(objects)] });
        }
        if request.first_available.is_empty() {
            let reason = format_args!("resource claim {claim}, request {name}: unknown request type");
            return Err(Rejection::unresolvable(Name::from(reason)));
        }
        let ask = |it: &api::DeviceSubRequest| {
            let full_name = Name::from(format_args!("{name}/{}", it.name));
            let ask = Ask {
                name: it.name.clone(),
                class: class_of(&it.device_class_name, &full_name, objects)?,
                class_selectors: Vec::new(),
                selectors: compiled(&it.selectors, objects),
                mode: it.allocation_mode.clone(),
                count: usize::try_from(it.count).unwrap_or(0),
                admin_access: false,
            };
            Ok(ask.with_class_selectors(objects))
        };
        let asks = request.first_available.iter().map(ask).collect::<Result<_, Rejection>>()?;
        Ok(Self { name, is_list: true, asks })
    }
}

impl Ask {
    fn with_class_selectors(self, objects: &Objects) -> Self {
        Self { class_selectors: compiled(&self.class.spec.selectors, objects), ..self }
    }

    pub(super) fn wants_all(&self) -> bool {
        self.mode == DeviceAllocationMode::All
    }
}

fn class_of(class: &Name, request: &Name, objects: &Objects) -> Result<Arc<DeviceClass>, Rejection> {
    if class.is_empty() {
        return Err(Rejection::error(Name::from(format_args!(
            "request {request}: unsupported request type"
        ))));
    }
    objects.find_cluster::<DeviceClass>(class).cloned().ok_or_else(|| {
        Rejection::unresolvable(Name::from(format_args!(
            "request {request}: device class {class} does not exist"
        )))
    })
}

/// Each has an expression: the API server sees to that.
fn compiled(selectors: &[Selector], objects: &Objects) -> Vec<Arc<DeviceSelector>> {
    let expressions = selectors.iter().filter_map(|it| it.cel.as_ref()).map(|it| &it.expression);
    expressions.map(|it| objects.devices().selector(it)).collect()
}

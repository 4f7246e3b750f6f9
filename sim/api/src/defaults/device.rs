//! Claims of devices.
//!
//! Upstream: `pkg/apis/resource/v1/defaults.go`.

use crate::device_claim::{DeviceAllocationMode, DeviceClaim};

pub(super) fn fill_claim(claim: &mut DeviceClaim) {
    for request in &mut claim.requests {
        if let Some(exactly) = &mut request.exactly {
            fill_count(&mut exactly.allocation_mode, &mut exactly.count);
        }
        for part in &mut request.first_available {
            fill_count(&mut part.allocation_mode, &mut part.count);
        }
    }
}

/// Upstream: `SetDefaults_ExactDeviceRequest`, `SetDefaults_DeviceSubRequest`.
fn fill_count(mode: &mut DeviceAllocationMode, count: &mut i64) {
    if mode.is_unset() {
        *mode = DeviceAllocationMode::ExactCount;
    }
    if *mode == DeviceAllocationMode::ExactCount && *count == 0 {
        *count = 1;
    }
}

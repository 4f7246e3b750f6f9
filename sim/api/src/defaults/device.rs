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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn filled(requests: &Value) -> Value {
        let mut claim: DeviceClaim =
            serde_json::from_value(json!({"requests": requests})).expect("the right types");
        fill_claim(&mut claim);
        serde_json::to_value(claim).expect("it is JSON")["requests"].take()
    }

    #[test]
    fn one_device_is_asked_for_unless_all_are() {
        let table = [
            (json!({}), json!({"allocationMode": "ExactCount", "count": 1})),
            (json!({"count": 3}), json!({"allocationMode": "ExactCount", "count": 3})),
            (json!({"allocationMode": "ExactCount"}), json!({"allocationMode": "ExactCount", "count": 1})),
            (json!({"allocationMode": "All"}), json!({"allocationMode": "All"})),
        ];
        for (stated, expected) in table {
            let both = json!([{"exactly": stated}, {"firstAvailable": [stated]}]);
            assert_eq!(filled(&both), json!([{"exactly": expected}, {"firstAvailable": [expected]}]));
        }
    }
}

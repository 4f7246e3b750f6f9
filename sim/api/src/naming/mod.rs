//! What may be a name. Each check returns what is wrong with a text, in upstream's words; nothing if it is valid.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/util/validation/{validation,ip}.go`, `…/pkg/api/validation`.

mod dns;
mod ip;
#[cfg(test)]
mod tests;
mod words;

pub use self::dns::{
    dns1035_label, dns1123_label, dns1123_subdomain, dns1123_subdomain_with_underscore,
    fully_qualified_domain, mask_trailing_dash, wildcard_dns1123_subdomain,
};
pub use self::ip::{cidr_sloppy, ip_address, ip_address_sloppy};
pub use self::words::{
    ANNOTATIONS_BYTES_MAX, annotations_size, annotations_size_bytes, c_identifier, config_map_key,
    env_var_name, env_var_name_strict, group_id, http_header_name, label_value, path_segment_name,
    path_segment_prefix, percent, port_name, port_number, qualified_name, user_id,
};

/// The longest DNS label, label key (without prefix) and label value, in bytes.
pub const LABEL_LENGTH_MAX: usize = 63;
/// The longest DNS name, and key of a ConfigMap, in bytes.
pub const SUBDOMAIN_LENGTH_MAX: usize = 253;

/// A text that is too long, in bytes although upstream says characters.
fn too_long(text: &str, length_max: usize) -> Option<String> {
    (text.len() > length_max).then(|| format!("must be no more than {length_max} characters"))
}

/// What was expected, examples of it, and the pattern; upstream puts a comma before each `or`.
fn mismatch(expected: &str, pattern: &str, examples: &[&str]) -> String {
    let quoted: Vec<String> = examples.iter().map(|it| format!("'{it}', ")).collect();
    format!("{expected} (e.g. {}regex used for validation is '{pattern}')", quoted.join(" or "))
}

fn out_of_range(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

/// What upstream says of a text that must not be empty.
const EMPTY: &str = "must be non-empty";

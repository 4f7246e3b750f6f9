//! Why a pull failed, in the words of containerd and of the kubelet.
//!
//! Upstream: `pkg/kubelet/images/{types,helpers}.go`; containerd: `core/remotes/docker/{resolver,fetcher}.go`,
//! `internal/cri/server/images/image_pull.go`. The kubelet strips `rpc error: code = Unknown desc = `
//! (`staging/src/k8s.io/cri-client/pkg/remote_image.go`) and leaves other codes in.

use super::reference::Reference;
use crate::text::hex64;

/// Why a pull failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PullError {
    /// The kubelet pulls too many images a second.
    QpsExceeded,
    /// The registry has no such image.
    NotFound,
    /// The registry shows the image to nobody without a pull secret.
    Denied,
    /// The registry is out of order.
    Unavailable,
    /// The registry went out of order while this layer came.
    Interrupted { layer: u64 },
    /// The registry was asked too often.
    TooManyRequests,
}

impl PullError {
    /// As the runtime returns it, and the kubelet shows it.
    pub(crate) fn message(self, image: &Reference) -> String {
        let unpack = format!("failed to pull and unpack image \"{image}\": ");
        let resolve = format!("{unpack}failed to resolve reference \"{image}\": ");
        let url = image.url();
        let head = format!("unexpected status from HEAD request to {url}/manifests/{}", image.version());
        match self {
            Self::QpsExceeded => "pull QPS exceeded".into(),
            Self::NotFound => format!("rpc error: code = NotFound desc = {resolve}{image}: not found"),
            Self::Denied => format!(
                "{resolve}pull access denied, repository does not exist or may require authorization: \
                 server message: insufficient_scope: authorization failed"
            ),
            Self::Unavailable => format!("{resolve}{head}: 503 Service Unavailable"),
            Self::TooManyRequests => format!("{resolve}{head}: 429 Too Many Requests"),
            Self::Interrupted { layer } => format!(
                "{unpack}failed to copy: httpReadSeeker: failed open: unexpected status code \
                 {url}/blobs/sha256:{}: 503 Service Unavailable",
                &*hex64(layer)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_read_as_they_do_in_life() {
        let image = Reference::parse("nginx:nope").unwrap();
        assert_eq!(
            PullError::NotFound.message(&image),
            "rpc error: code = NotFound desc = failed to pull and unpack image \
             \"docker.io/library/nginx:nope\": failed to resolve reference \"docker.io/library/nginx:nope\": \
             docker.io/library/nginx:nope: not found"
        );
        assert_eq!(
            PullError::TooManyRequests.message(&image),
            "failed to pull and unpack image \"docker.io/library/nginx:nope\": failed to resolve reference \
             \"docker.io/library/nginx:nope\": unexpected status from HEAD request to \
             https://registry-1.docker.io/v2/library/nginx/manifests/nope: 429 Too Many Requests"
        );
    }
}

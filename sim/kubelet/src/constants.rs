//! The kubelet's periods and limits, as far as v1.34 does not let its configuration change them.

use base::Span;

/// How often the runtime's containers are listed, so that changes are noticed.
/// Upstream: `pkg/kubelet/kubelet.go`, `genericPlegRelistPeriod`.
pub const RELIST: Span = Span::secs(1);
/// How often pods are picked up whose retry is due. Upstream: `pkg/kubelet/kubelet.go`, `syncLoop`.
pub const SYNC_TICK: Span = Span::secs(1);
/// How often pods are killed that nobody wants. Upstream: `pkg/kubelet/kubelet.go`, `housekeepingPeriod`.
pub const HOUSEKEEPING: Span = Span::secs(2);
/// How often statuses are compared with those of the API server. Upstream: `pkg/kubelet/status/status_manager.go`.
pub const STATUS_SYNC: Span = Span::secs(10);
/// A failed sync is tried again after this long, or up to half as long again.
/// Upstream: `pkg/kubelet/kubelet.go`, `backOffPeriod`; `pkg/kubelet/pod_workers.go`, `completeWork`.
pub const RETRY: Span = Span::secs(10);
pub const RETRY_JITTER: f64 = 0.5;
/// The first and the longest delay before a crashed container is started again, where the kubelet's configuration
/// says nothing else; and how long a container must have run for its crashes to be forgotten.
/// Upstream: `pkg/kubelet/kubelet.go`, `newCrashLoopBackOff`, `MaxCrashLoopBackOff`, `HasExpiredFunc`.
pub const CRASH_BACKOFF_FIRST: Span = Span::secs(10);
pub const CRASH_BACKOFF_MAX: Span = Span::secs(300);
pub const CRASH_BACKOFF_RESET: Span = Span::secs(600);
/// The first and the longest delay before an image is pulled again.
/// Upstream: `pkg/kubelet/kubelet.go`, `backOffPeriod`, `MaxImageBackOff`.
pub const IMAGE_BACKOFF_FIRST: Span = Span::secs(10);
pub const IMAGE_BACKOFF_MAX: Span = Span::secs(300);
/// How often images are looked at for removal. Upstream: `pkg/kubelet/kubelet.go`, `ImageGCPeriod`.
pub const IMAGE_GC: Span = Span::secs(300);
/// How often the list of images is made that the node's status shows.
/// Upstream: `pkg/kubelet/images/image_gc_manager.go`, `Start`.
pub const IMAGE_LIST: Span = Span::secs(30);
/// How many images the node's status shows.
/// Upstream: `pkg/kubelet/apis/config/v1beta1/defaults.go`, `NodeStatusMaxImages`.
pub const IMAGES_IN_STATUS: usize = 50;
/// A container that is asked to stop has at least this long.
/// Upstream: `pkg/kubelet/kuberuntime/kuberuntime_manager.go`, `minimumGracePeriodInSeconds`.
pub const GRACE_MIN: Span = Span::secs(2);
/// Volumes are looked at this often until all are mounted; simple ones are at the second look.
/// Upstream: `pkg/kubelet/volumemanager/volume_manager.go`, `podAttachAndMountRetryInterval`.
pub const VOLUME_POLL: Span = Span::millis(300);
/// How often the volume manager goes over what is to be attached, mounted and unmounted.
/// Upstream: `pkg/kubelet/volumemanager/volume_manager.go`, `reconcilerLoopSleepPeriod`.
pub const VOLUME_LOOP: Span = Span::millis(100);
/// What a driver takes to mount a volume that is attached, or to unmount it: a guess.
pub const DEVICE_MOUNT: Span = Span::millis(500);
/// A sync gives up on volumes that are not mounted after this long.
/// Upstream: `pkg/kubelet/volumemanager/volume_manager.go`, `podAttachAndMountTimeout`.
pub const MOUNT_TIMEOUT: Span = Span::secs(123);
/// The first and the longest pause before a mount that failed is tried again.
/// Upstream: `pkg/util/goroutinemap/exponentialbackoff/exponential_backoff.go`.
pub const MOUNT_RETRY_FIRST: Span = Span::millis(500);
pub const MOUNT_RETRY_MAX: Span = Span::secs(122);
/// How long after a kubelet has started, or has tried last, it tries again to resize the pods for which there was no room.
/// Upstream: `pkg/kubelet/allocation/allocation_manager.go`, `initialRetryDelay`, `retryDelay`.
pub const RESIZE_RETRY_FIRST: Span = Span::secs(30);
pub const RESIZE_RETRY: Span = Span::mins(3);
/// Events about one object at once, and how long until one more is let through.
/// Upstream: `staging/src/k8s.io/client-go/tools/record/events_cache.go`, `defaultSpamBurst`, `defaultSpamQPS`.
pub const SPAM_BURST: u64 = 25;
pub const SPAM_INTERVAL: Span = Span::secs(300);
/// So many messages of one reason about one object are told apart; those that follow are told together.
/// Upstream: `staging/src/k8s.io/client-go/tools/record/events_cache.go`, `defaultAggregateMaxEvents`, less one.
pub const SIMILAR_MAX: usize = 9;
/// From one renewal of the lease to the next is up to this much longer. Upstream: `component-helpers/apimachinery/lease/controller.go`.
pub const LEASE_JITTER: f64 = 0.04;
/// From which priority on a pod is critical. Upstream: `pkg/apis/scheduling/types.go`, `SystemCriticalPriority`.
pub const SYSTEM_CRITICAL: i32 = 2_000_000_000;

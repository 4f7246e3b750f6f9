//! Well-known images, so that a plain manifest already behaves plausibly.

use api::Container;

use crate::kind::AppKind;
use crate::matching::{Role, Subject};

/// By the last part of an image's name, without tag and digest. Small on purpose: what is not here does what all
/// containers do.
const IMAGES: &[(&str, AppKind)] = &[
    ("caddy", AppKind::WebServer),
    ("cassandra", AppKind::Jvm),
    ("elasticsearch", AppKind::Jvm),
    ("envoy", AppKind::WebServer),
    ("haproxy", AppKind::WebServer),
    ("httpd", AppKind::WebServer),
    ("kafka", AppKind::Jvm),
    ("mariadb", AppKind::Database),
    ("memcached", AppKind::WebServer),
    ("mongo", AppKind::Database),
    ("mysql", AppKind::Database),
    ("nginx", AppKind::WebServer),
    ("postgres", AppKind::Database),
    ("redis", AppKind::WebServer),
    ("tomcat", AppKind::Jvm),
    ("traefik", AppKind::WebServer),
    ("valkey", AppKind::WebServer),
    ("zookeeper", AppKind::Jvm),
];

/// What a container is likely to be that runs its image's own program as a service. One with a command of its own
/// may do anything.
pub(crate) fn kind_of(subject: &Subject<'_>) -> Option<AppKind> {
    let runs_its_program = subject.container.command.is_empty() && subject.role() == Role::Service;
    runs_its_program.then(|| by_image(subject.container)).flatten()
}

/// All kinds that images are known to be of, some more than once.
pub(crate) fn kinds() -> impl Iterator<Item = AppKind> {
    IMAGES.iter().map(|it| it.1)
}

fn by_image(container: &Container) -> Option<AppKind> {
    let last = container.image.rsplit('/').next()?;
    let name = last.split([':', '@']).next()?;
    let found = IMAGES.binary_search_by_key(&name, |it| it.0).ok()?;
    Some(IMAGES[found].1)
}

#[cfg(test)]
mod tests {
    use api::Pod;
    use base::Name;

    use super::*;

    #[test]
    fn images_are_known_by_the_last_part_of_their_name() {
        assert!(IMAGES.is_sorted_by_key(|it| it.0), "they are searched");
        let pod = Pod::default();
        for (image, command, kind) in [
            ("nginx", None, Some(AppKind::WebServer)),
            ("docker.io/library/postgres:16@sha256:00", None, Some(AppKind::Database)),
            ("registry:5000/bitnami/kafka:3", None, Some(AppKind::Jvm)),
            ("nginx", Some("sh"), None),
            ("shop/web:v1", None, None),
            ("nginx-exporter", None, None),
        ] {
            let command = command.into_iter().map(Name::new).collect();
            let container = Container { image: Name::new(image), command, ..Container::default() };
            let subject = Subject { pod: &pod, container: &container, is_init: false };
            assert_eq!(kind_of(&subject), kind, "{image}");
        }
    }
}

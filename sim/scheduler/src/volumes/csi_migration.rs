//! The storage plugins that were once part of Kubernetes, and the drivers that have taken their volumes over.
//!
//! Upstream: `staging/src/k8s.io/csi-translation-lib/translate.go` and its `plugins`.

use std::collections::BTreeSet;

use api::{AzureDisk, CSINode, PersistentVolume, Volume};
use base::Name;

use super::topology::{BETA_ZONE, ZONE};

/// Lists, on a CSINode, the plugins whose volumes are left to drivers there. Upstream: `MigratedPluginsAnnotationKey`.
pub(crate) const MIGRATED_PLUGINS: &str = "storage.alpha.kubernetes.io/migrated-plugins";

/// One such plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InTree {
    AwsEbs,
    AzureDisk,
    AzureFile,
    Cinder,
    GcePd,
    Portworx,
    Vsphere,
}

impl InTree {
    const ALL: [Self; 7] = [
        Self::AwsEbs,
        Self::AzureDisk,
        Self::AzureFile,
        Self::Cinder,
        Self::GcePd,
        Self::Portworx,
        Self::Vsphere,
    ];

    /// The plugin of a volume that a pod states itself. Upstream: `IsInlineMigratable`.
    pub(crate) fn of_inline(volume: &Volume) -> Option<Self> {
        let has = |plugin: &Self| match plugin {
            Self::AwsEbs => volume.aws_elastic_block_store.is_some(),
            Self::AzureDisk => volume.azure_disk.is_some(),
            Self::AzureFile => volume.azure_file.is_some(),
            Self::Cinder => volume.cinder.is_some(),
            Self::GcePd => volume.gce_persistent_disk.is_some(),
            Self::Portworx => volume.portworx_volume.is_some(),
            Self::Vsphere => volume.vsphere_volume.is_some(),
        };
        Self::ALL.into_iter().find(has)
    }

    /// Upstream: `IsPVMigratable`.
    pub(crate) fn of_volume(volume: &PersistentVolume) -> Option<Self> {
        let spec = &volume.spec;
        let has = |plugin: &Self| match plugin {
            Self::AwsEbs => spec.aws_elastic_block_store.is_some(),
            Self::AzureDisk => spec.azure_disk.is_some(),
            Self::AzureFile => spec.azure_file.is_some(),
            Self::Cinder => spec.cinder.is_some(),
            Self::GcePd => spec.gce_persistent_disk.is_some(),
            Self::Portworx => spec.portworx_volume.is_some(),
            Self::Vsphere => spec.vsphere_volume.is_some(),
        };
        Self::ALL.into_iter().find(has)
    }

    /// The plugin that a storage class names as its provisioner. Upstream: `IsMigratableIntreePluginByName`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::AwsEbs => "kubernetes.io/aws-ebs",
            Self::AzureDisk => "kubernetes.io/azure-disk",
            Self::AzureFile => "kubernetes.io/azure-file",
            Self::Cinder => "kubernetes.io/cinder",
            Self::GcePd => "kubernetes.io/gce-pd",
            Self::Portworx => "kubernetes.io/portworx-volume",
            Self::Vsphere => "kubernetes.io/vsphere-volume",
        }
    }

    /// The driver that has taken over.
    pub(crate) fn driver(self) -> Name {
        Name::from_static(match self {
            Self::AwsEbs => "ebs.csi.aws.com",
            Self::AzureDisk => "disk.csi.azure.com",
            Self::AzureFile => "file.csi.azure.com",
            Self::Cinder => "cinder.csi.openstack.org",
            Self::GcePd => "pd.csi.storage.gke.io",
            Self::Portworx => "pxd.portworx.com",
            Self::Vsphere => "csi.vsphere.vmware.com",
        })
    }

    /// The label of nodes by which the driver knows zones; `None` if it leaves the affinity of volumes as it is.
    pub(super) fn zone_label(self) -> Option<&'static str> {
        match self {
            Self::AwsEbs => Some("topology.ebs.csi.aws.com/zone"),
            Self::Cinder => Some("topology.cinder.csi.openstack.org/zone"),
            Self::GcePd => Some("topology.gke.io/zone"),
            Self::AzureDisk | Self::AzureFile | Self::Portworx | Self::Vsphere => None,
        }
    }

    /// Whether the scheduler knows of the plugin's migration at all. Upstream: `isCSIMigrationOnForPlugin`.
    pub(crate) fn is_known_to_scheduler(self) -> bool {
        !matches!(self, Self::AzureFile | Self::Vsphere)
    }

    /// Whether a node counts the plugin's volumes as the driver's.
    /// Upstream: `isCSIMigrationOn` in `pkg/scheduler/framework/plugins/nodevolumelimits/utils.go`.
    pub(crate) fn is_counted(self, node: Option<&CSINode>) -> bool {
        match self {
            Self::AwsEbs | Self::AzureDisk | Self::Cinder | Self::GcePd => node.is_some(),
            Self::Portworx => self.is_migrated(node),
            Self::AzureFile | Self::Vsphere => false,
        }
    }

    /// Whether the node leaves the plugin's volumes to the driver. Upstream: `isPluginMigratedToCSIOnNode`.
    pub(crate) fn is_migrated(self, node: Option<&CSINode>) -> bool {
        let listed = node.and_then(|it| it.meta.annotation(MIGRATED_PLUGINS));
        self.is_known_to_scheduler() && listed.is_some_and(|it| it.split(',').any(|name| name == self.name()))
    }

    /// How the driver would name a volume that a pod states itself; an error tells what is wrong with it. Empty for
    /// plugins whose migration the scheduler does not know of.
    /// Upstream: `TranslateInTreeInlineVolumeToCSI`.
    pub(crate) fn inline_handle(volume: &Volume) -> Result<Name, Name> {
        if let Some(disk) = &volume.gce_persistent_disk {
            return Ok(gce_handle("zones/UNSPECIFIED", &disk.pd_name));
        }
        if let Some(disk) = &volume.aws_elastic_block_store {
            return aws_handle(&disk.volume_id);
        }
        if let Some(disk) = &volume.azure_disk {
            return azure_handle(disk);
        }
        let cinder = volume.cinder.as_ref().map(|it| &it.volume_id);
        let portworx = volume.portworx_volume.as_ref().map(|it| &it.volume_id);
        Ok(cinder.or(portworx).cloned().unwrap_or_default())
    }

    /// The same for a PersistentVolume. Upstream: `TranslateInTreePVToCSI`.
    pub(crate) fn handle(volume: &PersistentVolume) -> Result<Name, Name> {
        let spec = &volume.spec;
        if let Some(disk) = &spec.gce_persistent_disk {
            return Ok(gce_handle(&gce_place(volume)?, &disk.pd_name));
        }
        if let Some(disk) = &spec.aws_elastic_block_store {
            return aws_handle(&disk.volume_id);
        }
        if let Some(disk) = &spec.azure_disk {
            return azure_handle(disk);
        }
        let cinder = spec.cinder.as_ref().map(|it| &it.volume_id);
        let portworx = spec.portworx_volume.as_ref().map(|it| &it.volume_id);
        Ok(cinder.or(portworx).cloned().unwrap_or_default())
    }
}

fn gce_handle(place: &str, disk: &Name) -> Name {
    Name::from(format_args!("projects/UNSPECIFIED/{place}/disks/{disk}"))
}

/// The zone of a disk, or the region of one that is in several.
fn gce_place(volume: &PersistentVolume) -> Result<String, Name> {
    let label = |key: &str| volume.meta.label(key).filter(|it| !it.is_empty());
    let Some(label) = label(BETA_ZONE).or_else(|| label(ZONE)) else { return Ok("zones/UNSPECIFIED".into()) };
    let zones: Vec<&str> = label.split("__").collect();
    if let [zone] = zones[..] {
        return Ok(format!("zones/{zone}"));
    }
    let region = gce_region(&zones);
    region
        .map(|it| format!("regions/{it}"))
        .map_err(|it| format!("failed to get region from zones: {it}").into())
}

/// Upstream: `gceGetRegionFromZones`.
fn gce_region(zones: &[&str]) -> Result<String, String> {
    let mut regions = BTreeSet::new();
    for zone in zones {
        let [locale, region, _] = zone.split('-').collect::<Vec<_>>()[..] else {
            return Err(format!(
                "zone in unexpected format, expected: {{locale}}-{{region}}-{{zone}}, got: {zone}"
            ));
        };
        regions.insert(format!("{locale}-{region}"));
    }
    if regions.len() > 1 {
        let listed: Vec<String> = regions.iter().map(|it| format!("{it}:{{}}")).collect();
        return Err(format!("multiple or no regions gotten from zones, got: map[{}]", listed.join(" ")));
    }
    Ok(regions.pop_first().unwrap_or_default())
}

/// Upstream: `KubernetesVolumeIDToEBSVolumeID`.
fn aws_handle(id: &Name) -> Result<Name, Name> {
    let Some(rest) = id.strip_prefix("aws://") else { return Ok(id.clone()) };
    let path = rest.split_once('/').map_or("", |it| it.1).trim_matches('/');
    if path.starts_with("vol-") && !path.contains('/') {
        return Ok(Name::new(path));
    }
    Err(Name::from(format_args!(
        "failed to translate Kubernetes ID to EBS Volume ID Invalid format for AWS volume ({id})"
    )))
}

fn azure_handle(disk: &AzureDisk) -> Result<Name, Name> {
    match disk.rest.get("kind").and_then(|it| it.as_str()) {
        Some(kind) if !kind.eq_ignore_ascii_case("managed") => {
            Err(Name::from(format_args!("kind({kind}) is not supported in csi migration")))
        }
        _ => Ok(disk.disk_uri.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_driver_has_its_own_name_for_a_volume() {
        let gce = |labels: Value| json!({"metadata": {"labels": labels}, "spec": {"gcePersistentDisk": {"pdName": "d"}}});
        let aws = |id: &str| json!({"spec": {"awsElasticBlockStore": {"volumeID": id}}});
        let azure =
            |kind: &str| json!({"spec": {"azureDisk": {"diskName": "d", "diskURI": "/d", "kind": kind}}});
        let table = [
            (gce(json!({})), Ok("projects/UNSPECIFIED/zones/UNSPECIFIED/disks/d")),
            (gce(json!({ZONE: "us-east1-a"})), Ok("projects/UNSPECIFIED/zones/us-east1-a/disks/d")),
            (
                gce(json!({ZONE: "us-east1-a__us-east1-b"})),
                Ok("projects/UNSPECIFIED/regions/us-east1/disks/d"),
            ),
            (gce(json!({BETA_ZONE: "a", ZONE: "b"})), Ok("projects/UNSPECIFIED/zones/a/disks/d")),
            (
                gce(json!({ZONE: "us-east1-a__us-west1-b"})),
                Err(
                    "failed to get region from zones: multiple or no regions gotten from zones, got: map[us-east1:{} us-west1:{}]",
                ),
            ),
            (aws("vol-1"), Ok("vol-1")),
            (aws("aws://us-east-1a/vol-1"), Ok("vol-1")),
            (
                aws("aws://us-east-1a/disk-1"),
                Err(
                    "failed to translate Kubernetes ID to EBS Volume ID Invalid format for AWS volume (aws://us-east-1a/disk-1)",
                ),
            ),
            (azure("Managed"), Ok("/d")),
            (azure("Shared"), Err("kind(Shared) is not supported in csi migration")),
            (json!({"spec": {"cinder": {"volumeID": "c"}}}), Ok("c")),
            (json!({"spec": {"portworxVolume": {"volumeID": "p"}}}), Ok("p")),
        ];
        for (volume, expected) in table {
            let volume: PersistentVolume = serde_json::from_value(volume).unwrap();
            let handle = InTree::handle(&volume);
            assert_eq!(handle.as_ref().map(Name::as_str).map_err(Name::as_str), expected, "{volume:?}");
        }
    }

    #[test]
    fn what_a_node_leaves_to_drivers_is_listed_there() {
        let mut node = CSINode::default();
        node.meta
            .annotations
            .insert(MIGRATED_PLUGINS, "kubernetes.io/portworx-volume,kubernetes.io/azure-file");
        let table = [
            (InTree::GcePd, true, false),
            (InTree::Portworx, true, true),
            (InTree::AzureFile, false, false),
            (InTree::Vsphere, false, false),
        ];
        for (plugin, is_counted, is_migrated) in table {
            assert_eq!(plugin.is_counted(Some(&node)), is_counted, "{plugin:?}");
            assert_eq!(plugin.is_migrated(Some(&node)), is_migrated, "{plugin:?}");
            assert!(!plugin.is_counted(None) && !plugin.is_migrated(None), "{plugin:?}");
        }
    }
}

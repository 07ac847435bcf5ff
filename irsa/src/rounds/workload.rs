//! Workloads, whatever their kind.

use crate::derive::rollout::DEPLOYMENT_REVISION;
use crate::facts::Owner;
use crate::facts::kubernetes::resource::Resource;
use crate::facts::kubernetes::{
    DaemonSet, Deployment, Job, Meta, PodTemplate, ReplicaSet, StatefulSet, WorkloadSpec, WorkloadStatus,
};

/// The workloads with a selector and a template.
pub(super) trait Workload: Resource {
    fn spec(&self) -> &WorkloadSpec;
    fn status(&self) -> &WorkloadStatus;

    /// The revision of the template, by which its pods are told from those of older ones.
    fn revision(&self) -> Option<String> {
        let strategy = &self.spec().update_strategy;
        let replaces = strategy.r#type != "OnDelete" && strategy.rolling_update.partition == 0;
        let annotation = |key: &str| self.meta().annotations.get(key).map(String::from);
        let revision = match Self::KIND {
            "Deployment" => annotation(DEPLOYMENT_REVISION),
            "StatefulSet" => Some(self.status().update_revision.clone()),
            "DaemonSet" => annotation("deprecated.daemonset.template.generation"),
            _ => None,
        };
        revision.filter(|revision| replaces && !revision.is_empty())
    }
}

impl<T: Workload> From<&T> for Owner {
    fn from(workload: &T) -> Self {
        let owner = owner(T::KIND, workload.meta(), &workload.spec().template);
        Self { revision: workload.revision(), ..owner }
    }
}

macro_rules! workloads {
    ($($type:ty),*) => {
        $(impl Workload for $type {
            fn spec(&self) -> &WorkloadSpec {
                &self.spec
            }
            fn status(&self) -> &WorkloadStatus {
                &self.status
            }
        })*
    };
}

workloads!(Deployment, StatefulSet, DaemonSet, ReplicaSet, Job);

pub(super) fn owner(kind: &str, meta: &Meta, template: &PodTemplate) -> Owner {
    Owner {
        kind: kind.to_owned(),
        meta: meta.clone(),
        template_meta: template.metadata.clone(),
        template_spec: template.spec.clone(),
        revision: None,
    }
}

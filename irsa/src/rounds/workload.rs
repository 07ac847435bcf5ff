//! Workloads, whatever their kind.

use crate::facts::Owner;
use crate::facts::kubernetes::resource::Resource;
use crate::facts::kubernetes::{
    DaemonSet, Deployment, Job, Meta, PodTemplate, ReplicaSet, StatefulSet, WorkloadSpec,
};

/// The workloads with a selector and a template.
pub(super) trait Workload: Resource {
    fn spec(&self) -> &WorkloadSpec;
}

macro_rules! workloads {
    ($($type:ty),*) => {
        $(impl Workload for $type {
            fn spec(&self) -> &WorkloadSpec {
                &self.spec
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
    }
}

//! Workloads: Deployments and the like.

use serde::{Deserialize, Serialize};

use super::{LabelSelector, Meta, PodSpec, null_default, outlined};

macro_rules! workload {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(object!(
            $(#[$doc])*
            $name {
                /// Metadata.
                metadata: Meta,
                /// Spec.
                spec: WorkloadSpec,
                /// Status.
                status: WorkloadStatus,
            }
        );)*
    };
}

workload!(
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
    /// A ReplicaSet.
    ReplicaSet,
    /// A Job.
    Job,
);

object!(
    /// What the workloads' specs have in common.
    WorkloadSpec {
        /// Pods it owns.
        selector: Option<LabelSelector>,
        /// Its pods.
        template: PodTemplate,
        /// How many, where it is a number.
        replicas: Option<i32>,
        /// How a StatefulSet or a DaemonSet replaces the pods of an older revision.
        update_strategy: UpdateStrategy,
    }
);

object!(
    /// `updateStrategy`.
    UpdateStrategy {
        /// `RollingUpdate`, or `OnDelete`.
        r#type: String,
        /// `rollingUpdate`.
        rolling_update: RollingUpdate,
    }
);

object!(
    /// `rollingUpdate`.
    RollingUpdate {
        /// Pods of a StatefulSet with a lower number are left as they are.
        partition: i32,
    }
);

object!(
    /// What the workloads' statuses have in common.
    WorkloadStatus {
        /// Replicas that are ready.
        ready_replicas: i32,
        /// The revision of a StatefulSet's template.
        update_revision: String,
    }
);

object!(
    /// `template`.
    PodTemplate {
        /// Labels and annotations of the pods.
        metadata: Meta,
        /// Spec of the pods.
        spec: PodSpec,
    }
);

object!(
    /// A CronJob.
    CronJob {
        /// Metadata.
        metadata: Meta,
        /// Spec.
        spec: CronJobSpec,
    }
);

object!(
    /// `spec` of a CronJob.
    CronJobSpec {
        /// Its jobs.
        job_template: JobTemplate,
    }
);

object!(
    /// `jobTemplate`.
    JobTemplate {
        /// Spec of the jobs.
        spec: WorkloadSpec,
    }
);

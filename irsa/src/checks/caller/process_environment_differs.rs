//! # The process has another environment than the container
//!
//! The container has the variables, and the process that calls AWS does not: it was started by a program that gives it an
//! environment of its own. `envdir`, `env -i`, `su -`, `sudo` without `-E`, cron and s6-overlay do.
//!
//! **You see**: `Unable to locate credentials`, `NoCredentialProviders`, though the container is wired and STS accepts the pod's
//! token; `kubectl exec` works.
//!
//! **Decided by**: a message that says that no credentials were found, along with a process of the container that the probe saw
//! without the variables; or, since only the probe sees processes, the wrapper in the container's command or in the application's
//! log. Whether that process said it is not known, so this is inferred.
//!
//! **Not a fault**: such a wrapper where no credentials are missing.
//!
//! **Repair**: pass the variables on.

use crate::aws_error::Wrapper;
use crate::checks::prelude::*;
use crate::checks::shared::app_errors::{self, UNREPORTED};
use crate::derive::app_errors::AppError;

pub(super) const META: Meta = Meta {
    id: "process-environment-differs",
    step: Step::Caller,
    title: "the process has another environment than the container",
    explains: &[],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let Some(said) = super::found_nothing(derived) else { return UNREPORTED };
    if let Some(finding) = in_pod(derived, said) {
        return finding.into();
    }
    let Some((wrapper, source)) = super::wrapper(derived) else { return UNREPORTED };
    let name = wrapper.label();
    let who = app_errors::speaker(derived);
    let summary = format!("{name} runs a program of {who} without the container's variables");
    super::by_exclusion(&META, derived, said, &summary)
        .seen("started by", name, &source)
        .fix(Fix::advice(format!(
            "pass AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and AWS_REGION on: {}",
            how(wrapper)
        )))
        .into()
}

/// A process of the container without the variables of its first one.
fn in_pod(derived: &Derived<'_>, said: &AppError<'_>) -> Option<Finding> {
    let (seen, index, other) = super::unwired_process(derived)?;
    let lacks = other.lacks.join(" and ");
    let summary = format!("process {} of container {} runs without {lacks}", other.name, seen.container());
    let at = seen.at(&format!("target.others[{index}].lacks"));
    let finding = super::by_exclusion(&META, derived, said, &summary).missing("its environment", &lacks, &at);
    Some(finding.fix(Fix::advice(format!("have whatever starts {} pass {lacks} on to it", other.name))))
}

/// How a wrapper passes variables on.
const fn how(wrapper: Wrapper) -> &'static str {
    match wrapper {
        Wrapper::Envdir => "write each into a file of envdir's directory",
        Wrapper::Env => "leave out -i, or name them after it",
        Wrapper::Sudo => "sudo --preserve-env=AWS_ROLE_ARN,AWS_WEB_IDENTITY_TOKEN_FILE,AWS_REGION",
        Wrapper::Su => "su without -, or with --whitelist-environment",
        Wrapper::Cron => "write them into the crontab, or into /etc/environment, when the container starts",
        Wrapper::S6 => "start the service with with-contenv",
    }
}

//! # The SDK's STS module is missing
//!
//! The SDKs for Java and .NET keep STS in a package of its own. Without it the pod's web identity cannot be used; Java goes on
//! to the next provider, which is the node's role.
//!
//! **You see**: `To use web identity tokens, the 'sts' service module must be on the class path.`, `To use assume role profiles
//! the aws-java-sdk-sts module must be on the class path.` In Java often only at debug level, and then an `AccessDenied` that
//! names the node's role.
//!
//! **Decided by**: the SDK's error message, or the packages that the probe found in the image.
//!
//! **Not a fault**: anything in the role or the cluster: neither needs a change.
//!
//! **Repair**: add `software.amazon.awssdk:sts` (Java v2), `com.amazonaws:aws-java-sdk-sts` (Java v1) or `AWSSDK.SecurityToken`
//! (.NET) in the version of the SDK, and rebuild the image.

use crate::aws_error::{Kind, SdkName};
use crate::checks::prelude::*;
use crate::checks::shared::{app_errors, probed};

pub(super) const META: Meta = Meta {
    id: "sdk-no-sts-module",
    step: Step::Caller,
    title: "the SDK's STS module is missing",
    explains: &["silent-fallback-to-node-role", "app-assumes-with-node-role"],
};

pub(super) fn check(derived: &Derived<'_>) -> Outcome {
    let said = match app_errors::of_irsa(derived, |kind| kind == Kind::NoStsModule) {
        Ok(said) => said,
        Err(outcome) => {
            return in_image(derived)
                .map_or_else(|| probed::or_pass(derived, META.step, outcome), Outcome::from);
        }
    };
    let module = match said.error.sdk.as_ref().map(|sdk| sdk.name) {
        Some(SdkName::JavaV2) => "software.amazon.awssdk:sts",
        Some(SdkName::JavaV1) => "com.amazonaws:aws-java-sdk-sts",
        Some(SdkName::DotNet) => "AWSSDK.SecurityToken",
        _ => {
            "the SDK's STS module (software.amazon.awssdk:sts, com.amazonaws:aws-java-sdk-sts or AWSSDK.SecurityToken)"
        }
    };
    let who = app_errors::speaker(derived);
    app_errors::finding(
        &META,
        derived,
        said,
        &format!("the SDK of {who} cannot use its token without {module}, which is missing"),
    )
    .missing("dependency of the application", module, said.source)
    .fix(Fix::advice(format!(
        "add {module} to the application's dependencies, in the version of its SDK, and rebuild the image"
    )))
    .into()
}

/// The core of an SDK is in the container's file system, its STS module is not. The application may use another SDK.
fn in_image(derived: &Derived<'_>) -> Option<Finding> {
    const MODULES: [(&str, &[&str], &str); 2] = [
        ("aws-java-sdk-core", &["aws-java-sdk-sts", "aws-java-sdk-bundle"], "com.amazonaws:aws-java-sdk-sts"),
        ("AWSSDK.Core", &["AWSSDK.SecurityToken"], "AWSSDK.SecurityToken"),
    ];
    let seen = probed::of_irsa(derived)?;
    let sdks = seen.report().sdks.as_ref().filter(|sdks| sdks.complete)?;
    let at = |package: &str| sdks.found.iter().position(|found| found.package == package);
    let (index, module) = MODULES.iter().find_map(|(core, modules, wanted)| {
        let lacks = modules.iter().all(|module| at(module).is_none());
        at(core).filter(|_| lacks).map(|index| (index, wanted))
    })?;
    let core = &sdks.found[index];
    let summary = format!(
        "container {} has {}, which cannot use its token without {module}",
        seen.container(),
        core.package
    );
    Some(
        probed::finding(&META, derived, seen, summary)
            .severity(Severity::Warning)
            .inferred()
            .seen(&core.package, &core.path, &seen.at(&format!("sdks.found[{index}]")))
            .missing("STS module", *module, &seen.at("sdks"))
            .fix(Fix::advice(format!(
                "if the application uses it: add {module} to its dependencies and rebuild the image"
            ))),
    )
}

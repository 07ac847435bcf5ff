//! The command that looks again.

use super::report::{Reported, Target, Verdict};
use crate::facts::Facts;
use crate::repair::{Fix, Kind as FixKind};
use crate::target::Kind;
use crate::text::shell;

/// The command that diagnoses the same target again, with the same flags. A repair mostly replaces the pod: where there is one to
/// make, its workload is named, also where only a warning offers it.
pub(super) fn rerun(
    verdict: Verdict,
    findings: &[Reported],
    target: &Target,
    facts: &Facts,
) -> Option<String> {
    let request = &facts.request;
    if !request.live {
        return None;
    }
    let workload = || {
        let (kind, name) = target.owner.as_deref()?.split_once('/')?;
        Some(format!("{}/{name}", Kind::of_word(kind)?.word()))
    };
    let changes = |fix: &Fix| matches!(fix.kind(), FixKind::Own | FixKind::Shared | FixKind::Deletion);
    let is_repaired = matches!(verdict, Verdict::Broken | Verdict::Degraded)
        || findings.iter().any(|found| found.fixes.iter().any(changes));
    let named = if is_repaired && target.kind == Kind::Pod.word() { workload() } else { None };
    let named = named.unwrap_or_else(|| format!("{}/{}", target.kind, target.name));
    let container = request.container.iter().flat_map(|name| ["-c", name.as_str()]);
    let mut flags: Vec<&str> =
        request.kubectl_flags.iter().chain(&request.aws_flags).map(String::as_str).collect();
    for pair in request.own_flags.chunks(2) {
        // One of AWS's own may be the same.
        if !pair.first().is_some_and(|flag| request.aws_flags.contains(flag)) {
            flags.extend(pair.iter().map(String::as_str));
        }
    }
    let words = ["kubectl", "irsa", "debug", &named, "-n", &facts.namespace_name];
    Some(shell::command(words.into_iter().chain(container).chain(flags)))
}

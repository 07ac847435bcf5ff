//! The checks, run over facts; and what their findings become here.

use std::collections::BTreeMap;

use crate::checks::{self, Outcome};
use crate::derive::Derived;
use crate::documents::Place;
use crate::facts::{Facts, Position, Source};
use crate::finding::{Confidence, Finding};
use crate::severity::Severity;

use super::UNKNOWN;
use super::case::{COVERED, NO_ACCOUNT, NO_ISSUER, WITNESS};
use super::problem::Problem;

/// The checks that a service account is put to.
pub(super) const OF_SERVICE_ACCOUNTS: &[&str] =
    &["annotation-key-typo", "role-arn-malformed", "role-path-missing", "wrong-partition"];

/// The checks that a workload or a pod is put to.
pub(super) const OF_WORKLOADS: &[&str] = &[
    "annotation-on-wrong-object",
    "pod-uses-other-sa",
    "wrong-partition",
    "env-from-secret-overrides",
    "env-preset-partial",
    "env-preset-complete-no-mount",
    "env-preset-stale-role",
    "mountpath-collision",
    "volume-name-collision",
    "wrong-token-path-manual",
    "subpath-mount",
    "skip-label",
    "skip-containers",
    "region-bogus",
    "static-env-keys",
    "aws-profile",
];

/// The checks that a role, its trust policy and the provider are put to.
pub(super) const OF_TRUST: &[&str] = &[
    "oidc-client-id",
    "oidc-other-cluster",
    "trust-deny-statement",
    "trust-provider-other-account",
    "trust-wrong-principal",
    "trust-issuer-typo",
    "trust-wrong-action",
    "trust-two-clusters-anded",
    "trust-unavailable-key",
    "trust-key-value-swapped",
    "trust-wildcard-in-stringequals",
    "trust-case",
    "trust-aud-mismatch",
    "trust-sub-mismatch",
    "trust-session-name-or-tag",
    "trust-permissive",
];

/// What is odd about a policy as a whole.
pub(super) const OF_POLICIES: &[&str] = &["trust-json-oddities"];

/// The checks that the roles of an association are put to.
pub(super) const OF_ASSOCIATIONS: &[&str] = &["pi-trust"];

/// Every id of a check that is run.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    let all = [OF_SERVICE_ACCOUNTS, OF_WORKLOADS, OF_TRUST, OF_POLICIES, OF_ASSOCIATIONS];
    all.into_iter().flatten().copied()
}

/// Problems by place and id, each once: the first who finds it says it.
#[derive(Debug, Default)]
pub(super) struct Found {
    problems: BTreeMap<(String, usize, usize, &'static str), Problem>,
}

impl Found {
    /// Adds one.
    pub(super) fn add(&mut self, problem: Problem) {
        self.problems.entry(problem.order()).or_insert(problem);
    }

    /// Adds what is found so as warnings: it may be meant, or another part of the change makes up for it.
    pub(super) fn warn(&mut self, find: impl FnOnce(&mut Self)) {
        let mut own = Self::default();
        find(&mut own);
        for problem in own.problems.into_values() {
            self.add(Problem { severity: Severity::Warning, ..problem });
        }
    }

    /// All of them, by place.
    pub(super) fn all(self) -> Vec<Problem> {
        self.problems.into_values().collect()
    }

    /// Runs these checks over the facts. All that a trust policy has wrong is found, not only what has to be repaired first.
    pub(super) fn run(&mut self, facts: &Facts, ids: &[&[&str]], except: &[&str]) {
        let mut derived = Derived::of(facts);
        let wanted = |id: &str| ids.iter().any(|ids| ids.contains(&id)) && !except.contains(&id);
        for check in checks::all().filter(|check| wanted(check.meta.id)) {
            self.judge(check, &derived);
        }
        while derived.next_trust_fault() {
            for check in checks::all() {
                if wanted(check.meta.id) && check.meta.step == crate::step::Step::TrustPolicy {
                    self.judge(check, &derived);
                }
            }
        }
    }

    fn judge(&mut self, check: &checks::Check, derived: &Derived<'_>) {
        if let Outcome::Fail(findings) = (check.run)(derived) {
            findings
                .iter()
                .filter_map(|finding| problem(finding, derived))
                .for_each(|problem| self.add(problem));
        }
    }
}

/// What a finding is here; `None` for what is no fault of the files.
fn problem(finding: &Finding, derived: &Derived<'_>) -> Option<Problem> {
    // A remark is no fault, and a key that merely resembles the annotation may be another program's.
    let guessed = finding.id == "annotation-key-typo" && finding.confidence == Confidence::Inferred;
    if finding.severity == Severity::Info || guessed {
        return None;
    }
    let texts = finding.evidence.iter().flat_map(|evidence| [&evidence.expected, &evidence.found]).flatten();
    // A comparison with what is not known yet is none.
    if texts.into_iter().any(|text| text.contains(UNKNOWN)) || finding.summary.contains(UNKNOWN) {
        return None;
    }
    // What stands on the wrong object, not where it is missing.
    let misplaced = finding.id == "annotation-on-wrong-object";
    let mut evidence = finding.evidence.iter().filter(|evidence| place(&evidence.source).is_some());
    let evidence = evidence.find(|evidence| !misplaced || evidence.found.is_some())?;
    let at = match finding.id {
        // The service account has the wrong one of the two.
        "role-path-missing" => derived.annotation("role-arn").and_then(|(_, source)| place(&source)),
        _ => None,
    };
    let fix = finding.fixes.first().map(|fix| said(undeployed(fix.title())));
    Some(Problem {
        place: at.or_else(|| place(&evidence.source))?,
        id: finding.id,
        severity: finding.severity,
        summary: said(&finding.summary),
        what: evidence.what.clone(),
        expected: evidence.expected.as_deref().map(said),
        found: evidence.found.clone(),
        fix,
    })
}

/// What a repair does before anything runs.
fn undeployed(title: &str) -> &str {
    const OF_PODS: [&str; 5] =
        ["; restarts the pods", "; its new pods", "; takes effect", "; the webhook then", " (set ROLE_ARN"];
    let end = OF_PODS.iter().filter_map(|words| title.find(words)).min();
    title.get(..end.unwrap_or(title.len())).unwrap_or(title)
}

/// A sentence without the values that stand for what nobody knows.
fn said(text: &str) -> String {
    text.replace(&format!("::{NO_ACCOUNT}:"), "::<account>:")
        .replace(NO_ISSUER, "<issuer>")
        .replace(WITNESS.0, "<namespace>")
        .replace(WITNESS.1, "<service account>")
        .replace(COVERED, "<name>")
}

/// The place in a file of the change.
fn place(source: &Source) -> Option<Place> {
    match source {
        Source::File { file, .. } if !file.is_empty() => {
            Some(Place { file: file.clone(), position: of_value(source)? })
        }
        _ => None,
    }
}

/// Where the value stands that a source is about: of a variable, a volume, or those who are trusted, not the whole of it.
fn of_value(source: &Source) -> Option<Position> {
    let Source::File { field, position, .. } = source else { return None };
    let is_item_of = |list: &str| field.ends_with(']') && field.contains(list);
    let members: &[&str] = match field {
        field if field.ends_with("Principal") => &["Federated", "Service", "AWS"],
        _ if is_item_of(".env[") => &["value", "valueFrom"],
        _ if is_item_of(".volumes[") => &["name"],
        _ if is_item_of(".volumeMounts[") => &["mountPath"],
        _ => &[],
    };
    // A member that is not there has the place of the whole.
    let of_member = members.iter().find_map(|member| match source.at(format!("{field}.{member}")) {
        Source::File { position: own, .. } if own != *position => Some(own),
        _ => None,
    });
    Some(of_member.unwrap_or(*position))
}

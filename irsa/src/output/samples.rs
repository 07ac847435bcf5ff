//! Handwritten diagnoses, one for each thing that a page can show.

use crate::diagnosis::{
    API_VERSION, Actual, Diagnosis, Expected, Identity, Link, Proof, Reported, Status, Target, Tool,
    Unchecked, Verdict, docs,
};
use crate::facts::{Grant, Source};
use crate::finding::{About, Confidence, Evidence, Severity};
use crate::mechanism::Mechanism;
use crate::repair::{Command, Fix};
use crate::step::Step;

pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/shop-checkout";
const POD: &str = "checkout-7d9f8b6c5d-x2x4z";
const NOT_YET: &str = "this version reads Kubernetes only";

pub(crate) fn evidence(what: &str, expected: Option<&str>, found: Option<&str>, source: &str) -> Evidence {
    let own = |text: Option<&str>| text.map(str::to_owned);
    let source = match source.split_once(" .") {
        Some((object, field)) => api(object, &format!(".{field}")),
        None => api(source, ""),
    };
    Evidence { what: what.into(), expected: own(expected), found: own(found), source }
}

fn api(object: &str, field: &str) -> Source {
    Source::Api {
        verb: "get".into(),
        object: object.into(),
        namespace: Some("shop".into()),
        field: field.into(),
    }
}

pub(crate) fn fix(title: &str, words: &[&str]) -> Fix {
    Fix::sample(title, (!words.is_empty()).then(|| Command::new(words.iter().copied())))
}

pub(crate) fn finding(
    id: &'static str,
    severity: Severity,
    step: Step,
    title: &'static str,
    summary: &str,
) -> Reported {
    Reported {
        key: id.into(),
        id,
        severity,
        confidence: Confidence::Observed,
        step,
        title,
        summary: summary.into(),
        subject: About {
            kind: "Pod".into(),
            namespace: "shop".into(),
            name: POD.into(),
            container: None,
            path: None,
        },
        evidence: vec![],
        fixes: vec![],
        doubt: None,
        caused_by: None,
        docs: docs(id),
    }
}

fn restart() -> Fix {
    fix(
        "restart the workload, so that the webhook injects the new pods",
        &["kubectl", "rollout", "restart", "deployment/checkout", "-n", "shop"],
    )
}

fn identity(container: &str, mechanism: Mechanism) -> Identity {
    let role = || Some(String::from(ROLE));
    Identity {
        container: container.into(),
        expected: Expected { mechanism: Mechanism::Irsa, role_arn: role() },
        actual: Actual {
            mechanism,
            role_arn: role().filter(|_| mechanism == Mechanism::Irsa),
            caller_arn: None,
        },
    }
}

/// A pod with no problem on the Kubernetes side; the links beyond could not be checked.
pub(crate) fn sound() -> Diagnosis {
    let target = Target {
        kind: "pod".into(),
        namespace: "shop".into(),
        name: POD.into(),
        pod: Some(POD.into()),
        container: Some("app".into()),
        service_account: "checkout".into(),
        owner: Some("Deployment/checkout".into()),
        represents: vec![],
    };
    let mut unknowns = Vec::new();
    let chain = Step::ALL.map(|step| {
        let (status, summary) = match step {
            Step::Target => (Status::Pass, format!("pod/{POD}, Running")),
            Step::ServiceAccount => (Status::Pass, "3 checks passed".into()),
            Step::Pod => (Status::Pass, "6 checks passed".into()),
            Step::Injection => (Status::Pass, "1 check passed".into()),
            Step::Network => (Status::NotApplicable, "does not apply".into()),
            _ => (Status::Unknown, "not checked".into()),
        };
        let unknown = status == Status::Unknown;
        if unknown {
            unknowns.push(Unchecked {
                what: format!("the {}", step.label()),
                why: NOT_YET.into(),
                grant: None,
                denied: false,
            });
        }
        let reason = match status {
            Status::Unknown => Some(format!("the {}: {NOT_YET}", step.label())),
            Status::NotApplicable => Some("the pod is not on a node".into()),
            _ => None,
        };
        Link { step, status, summary, reason }
    });
    Diagnosis {
        api_version: API_VERSION,
        kind: "Diagnosis",
        observed_at: Some("2026-11-22T08:00:00Z".parse().unwrap()),
        tool: Tool { version: "0.1.0" },
        caller: None,
        target,
        verdict: Verdict::Inconclusive,
        proof: Proof::Config,
        summary: format!("no problem found in pod/{POD} so far; could not check: token file and beyond"),
        rerun: Some("kubectl irsa debug pod/checkout-7d9f8b6c5d-x2x4z -n shop".into()),
        root_cause: None,
        findings: vec![],
        application_errors: vec![],
        chain: chain.to_vec(),
        identities: vec![identity("app", Mechanism::Irsa)],
        unknowns,
        probe: None,
    }
}

fn set(diagnosis: &mut Diagnosis, step: Step, status: Status, summary: &str, reason: Option<&str>) {
    let link = diagnosis.chain.iter_mut().find(|link| link.step == step).unwrap();
    *link = Link { step, status, summary: summary.into(), reason: reason.map(str::to_owned) };
}

/// A root cause with a consequence, an independent error, a warning and an info finding.
pub(crate) fn broken() -> Diagnosis {
    let mut typo = finding(
        "annotation-key-typo",
        Severity::Error,
        Step::ServiceAccount,
        "the annotation key is misspelt",
        "service account shop/checkout names its role under `eks.amazonaws.com/role_arn`; the webhook reads \
         `eks.amazonaws.com/role-arn`",
    );
    typo.evidence = vec![evidence(
        "annotation key",
        Some("eks.amazonaws.com/role-arn"),
        Some("eks.amazonaws.com/role_arn"),
        "serviceaccount/checkout .metadata.annotations[\"eks.amazonaws.com/role_arn\"]",
    )];
    typo.fixes = vec![
        fix(
            "set the role under the right key",
            &[
                "kubectl",
                "annotate",
                "serviceaccount",
                "checkout",
                "-n",
                "shop",
                "--overwrite",
                "eks.amazonaws.com/role-arn=arn:aws:iam::111122223333:role/shop-checkout",
            ],
        ),
        restart(),
    ];
    let mut bare = finding(
        "not-injected",
        Severity::Error,
        Step::Injection,
        "the container was not injected",
        "container app was not injected, although its service account names a role",
    );
    let source = "pod/checkout-7d9f8b6c5d-x2x4z .spec.containers[0].env";
    bare.evidence = vec![
        evidence("AWS_ROLE_ARN", Some(ROLE), None, source),
        evidence(
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            Some("/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
            None,
            source,
        ),
    ];
    bare.fixes = vec![restart()];
    bare.caused_by = Some(typo.key.clone());
    let mut keys = finding(
        "static-env-keys",
        Severity::Error,
        Step::Pod,
        "access keys take precedence over the role",
        "container app has access keys from Secret aws-keys, which take precedence over its role",
    );
    keys.confidence = Confidence::Inferred;
    keys.evidence = vec![evidence(
        "AWS_ACCESS_KEY_ID",
        None,
        Some("key AWS_ACCESS_KEY_ID of Secret aws-keys"),
        "pod/checkout-7d9f8b6c5d-x2x4z .spec.containers[0].env[2]",
    )];
    keys.fixes =
        vec![fix("remove the access keys from Secret aws-keys, then recreate the pods", &[]), restart()];
    let mut region = finding(
        "region-missing",
        Severity::Warning,
        Step::Pod,
        "no region is set",
        "container app sets no region; SDKs that cannot reach the metadata service fail without one",
    );
    region.evidence = vec![evidence(
        "AWS_REGION",
        Some("eu-west-1"),
        None,
        "pod/checkout-7d9f8b6c5d-x2x4z .spec.containers[0].env",
    )];
    let mut remark = finding(
        "regional-sts",
        Severity::Info,
        Step::Pod,
        "regional STS is used",
        "container app uses its region's STS endpoint",
    );
    remark.evidence = vec![evidence("AWS_STS_REGIONAL_ENDPOINTS", None, Some("regional"), source)];

    let mut diagnosis = sound();
    diagnosis.verdict = Verdict::Broken;
    diagnosis.summary = typo.summary.clone();
    set(&mut diagnosis, Step::ServiceAccount, Status::Fail, &typo.summary, None);
    set(&mut diagnosis, Step::Pod, Status::Fail, &keys.summary, None);
    set(&mut diagnosis, Step::Injection, Status::Fail, &bare.summary, None);
    diagnosis.root_cause = Some(typo.clone());
    diagnosis.findings = vec![typo, keys, bare, region, remark];
    diagnosis.identities = vec![
        identity("app", Mechanism::StaticKeys),
        identity("sidecar", Mechanism::None),
        identity("init", Mechanism::None),
    ];
    let denied = "denied: secrets is forbidden: User \"dev\" cannot list resource \"secrets\" in API group \"\" in the \
                  namespace \"shop\"";
    diagnosis.unknowns.push(Unchecked {
        what: "keys of Secret db".into(),
        why: denied.into(),
        grant: Some(Grant::rbac("get", "secrets", Some("shop"))),
        denied: true,
    });
    diagnosis
}

/// One fault, repaired by a change of a trust policy.
pub(crate) fn repaired() -> Diagnosis {
    let mut typo = finding(
        "trust-sub-mismatch",
        Severity::Error,
        Step::TrustPolicy,
        "the role trusts another service account",
        "role shop-checkout trusts system:serviceaccount:shop:chekout, not system:serviceaccount:shop:checkout",
    );
    typo.evidence = vec![evidence(
        "subject under StringEquals",
        Some("system:serviceaccount:shop:checkout"),
        Some("system:serviceaccount:shop:chekout"),
        "role/shop-checkout .Statement[0].Condition.StringEquals[\"oidc.eks.eu-west-1.amazonaws.com/id/4F1E:sub\"]",
    )];
    typo.fixes = vec![Fix::sample_of_policy(
        r#"{"StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/4F1E:sub":"system:serviceaccount:shop:chekout"}}"#,
        r#"{"StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/4F1E:sub":["system:serviceaccount:shop:chekout","system:serviceaccount:shop:checkout"]}}"#,
    )];
    let mut diagnosis = sound();
    diagnosis.verdict = Verdict::Broken;
    diagnosis.summary = typo.summary.clone();
    diagnosis.unknowns.clear();
    for link in &mut diagnosis.chain {
        (link.status, link.reason) = (Status::Pass, None);
    }
    set(&mut diagnosis, Step::TrustPolicy, Status::Fail, &typo.summary, None);
    diagnosis.root_cause = Some(typo.clone());
    diagnosis.findings = vec![typo];
    diagnosis
}

/// Works; one warning.
pub(crate) fn warned() -> Diagnosis {
    let mut expiry = finding(
        "token-expiration-clamped",
        Severity::Warning,
        Step::ServiceAccount,
        "the token's lifetime is clamped",
        "service account shop/checkout asks for a token lifetime of 60 s; the webhook raises it to 600 s",
    );
    expiry.evidence = vec![evidence(
        "eks.amazonaws.com/token-expiration",
        Some("600 or more"),
        Some("60"),
        "serviceaccount/checkout .metadata.annotations[\"eks.amazonaws.com/token-expiration\"]",
    )];
    expiry.fixes = vec![fix("remove the annotation from the manifest", &[])];
    let mut diagnosis = sound();
    diagnosis.verdict = Verdict::Healthy;
    diagnosis.summary = format!("no problems found for pod/{POD}");
    diagnosis.unknowns.clear();
    for link in &mut diagnosis.chain {
        if link.status == Status::Unknown {
            *link = Link {
                status: Status::Skipped,
                summary: "skipped".into(),
                reason: Some("excluded by --only or --skip".into()),
                step: link.step,
            };
        }
    }
    set(&mut diagnosis, Step::ServiceAccount, Status::Warn, &expiry.summary, None);
    diagnosis.findings = vec![expiry];
    diagnosis
}

/// Nothing wrong, but the service account could not be read.
pub(crate) fn denied() -> Diagnosis {
    let mut diagnosis = sound();
    let what = "service account shop/checkout";
    let why = "denied: serviceaccounts \"checkout\" is forbidden: User \"dev\" cannot get resource \"serviceaccounts\" in \
               API group \"\" in the namespace \"shop\"";
    let reason = format!("{what}: {why}");
    set(&mut diagnosis, Step::ServiceAccount, Status::Unknown, "not checked", Some(&reason));
    diagnosis.unknowns.insert(
        0,
        Unchecked {
            what: what.into(),
            why: why.into(),
            grant: Some(Grant::rbac("get", "serviceaccounts", Some("shop"))),
            denied: true,
        },
    );
    diagnosis.unknowns.push(Unchecked {
        what: "webhook registrations".into(),
        why: "no answer within 10 s".into(),
        grant: None,
        denied: false,
    });
    diagnosis.summary =
        format!("no problem found in pod/{POD} so far; could not check: service account, token file");
    diagnosis
}

/// A value longer than the page, with a difference that cannot be seen.
pub(crate) fn long() -> Diagnosis {
    let mut malformed = finding(
        "role-arn-malformed",
        Severity::Error,
        Step::ServiceAccount,
        "the role ARN is malformed",
        "the role ARN of service account shop/checkout contains an invisible character",
    );
    let arn = format!("arn:aws:iam::111122223333:role/{}/shop-checkout", ["very-long-path"; 6].join("/"));
    malformed.evidence = vec![
        evidence("role ARN", Some(&arn), Some(&format!("{arn}\u{200b}")), "serviceaccount/checkout"),
        evidence("caBundle", None, Some(&"LS0tLS1CRUdJTiBD".repeat(40)), "mutatingwebhookconfiguration/x"),
    ];
    malformed.fixes = vec![fix("set the correct ARN", &[])];
    let mut diagnosis = sound();
    diagnosis.verdict = Verdict::Degraded;
    diagnosis.summary = malformed.summary.clone();
    set(&mut diagnosis, Step::ServiceAccount, Status::Fail, &malformed.summary, None);
    diagnosis.root_cause = Some(malformed.clone());
    diagnosis.findings = vec![malformed];
    diagnosis
}

/// A service account that no pod uses, without a role.
pub(crate) fn idle() -> Diagnosis {
    let mut diagnosis = sound();
    diagnosis.target = Target {
        kind: "serviceaccount".into(),
        namespace: "shop".into(),
        name: "checkout".into(),
        pod: None,
        container: None,
        service_account: "checkout".into(),
        owner: None,
        represents: vec![],
    };
    diagnosis.verdict = Verdict::NotConfigured;
    diagnosis.observed_at = None;
    diagnosis.identities.clear();
    diagnosis.summary = "serviceaccount/checkout asks for no AWS identity".into();
    diagnosis.probe = Some(irsa_probe::Report::empty());
    diagnosis
}

/// Every string that may come from a cluster is hostile.
pub(crate) fn hostile(evil: &str) -> Diagnosis {
    let mut diagnosis = broken();
    let spoil = |text: &mut String| {
        let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(index, _)| index);
        text.insert_str(middle, evil);
    };
    let target = &mut diagnosis.target;
    for text in [&mut target.kind, &mut target.namespace, &mut target.name, &mut target.service_account] {
        spoil(text);
    }
    for text in [&mut target.pod, &mut target.container, &mut target.owner].into_iter().flatten() {
        spoil(text);
    }
    target.represents = vec![evil.to_owned(), format!("x{evil}")];
    spoil(&mut diagnosis.summary);
    for finding in diagnosis.findings.iter_mut().chain(diagnosis.root_cause.as_mut()) {
        spoil(&mut finding.summary);
        spoil(&mut finding.subject.name);
        finding.subject.container = Some(evil.to_owned());
        for item in &mut finding.evidence {
            spoil(&mut item.what);
            if let Source::Api { object, field, .. } = &mut item.source {
                spoil(object);
                spoil(field);
            }
            item.found.iter_mut().chain(item.expected.as_mut()).for_each(spoil);
        }
        for fix in &mut finding.fixes {
            let mut title = fix.title().to_owned();
            spoil(&mut title);
            *fix = Fix::sample(&title, fix.command().map(|command| command.clone().words([evil])));
        }
    }
    for link in &mut diagnosis.chain {
        spoil(&mut link.summary);
        link.reason.iter_mut().for_each(spoil);
    }
    for identity in &mut diagnosis.identities {
        spoil(&mut identity.container);
        identity.actual.role_arn = Some(evil.to_owned());
    }
    diagnosis.identities[0].container = diagnosis.target.container.clone().unwrap();
    for unknown in &mut diagnosis.unknowns {
        spoil(&mut unknown.what);
        spoil(&mut unknown.why);
        if let Some(Grant::Rbac { resource, .. }) = &mut unknown.grant {
            spoil(resource);
        }
    }
    diagnosis
}

pub(crate) fn all() -> Vec<Diagnosis> {
    vec![
        sound(),
        broken(),
        repaired(),
        warned(),
        denied(),
        long(),
        idle(),
        hostile("\u{1b}[31m\n\u{202e}`|<b>"),
    ]
}

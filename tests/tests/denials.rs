//! Every single answer of the API server taken away, one at a time, in every way: never a pass, never an absence, never a
//! fault that was not there before; and what was not learnt is said, with the permission that would allow it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use irsa_tests::kube_api::FakeKube;
use irsa_tests::run::{Run, plugin, run};
use irsa_tests::world::{World, bases_dir};
use serde_json::Value;

/// The base world, a bare pod, a self-hosted webhook, a pod with environment from elsewhere: together they ask for
/// everything that the plugin can ask for.
fn scenarios() -> Vec<(&'static str, String)> {
    let base = std::fs::read_to_string(bases_dir().join("eks-without-aws.yaml")).unwrap();
    let bare = base.replace(
        "    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/shop-checkout\n",
        "    team: shop\n",
    );
    assert_ne!(bare, base);
    let with_references = base.replacen(
        "      env:\n",
        "      envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: keys}}]\n      env:\n",
        1,
    ) + "\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: shop}, data: {LOG: debug}}\n\
         ---\n{apiVersion: v1, kind: Secret, metadata: {name: keys, namespace: shop, managedFields: [{manager: x, operation: Update, \
         fieldsType: FieldsV1, fieldsV1: {'f:data': {'f:LOGIN': {}}}}]}, data: {LOGIN: aHVudGVyMg==}}\n";
    assert_ne!(with_references, base);
    let self_hosted = base.replace(
        "      url: https://127.0.0.1:23443/mutate\n",
        "      service: {namespace: kube-system, name: pod-identity-webhook, path: /mutate}\n",
    ) + "\n---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: pod-identity-webhook, namespace: kube-system}, spec: {template: \
           {spec: {containers: [{name: w, args: [--in-cluster=false]}]}}}}\n\
           ---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: w-1, namespace: kube-system, labels: \
           {kubernetes.io/service-name: pod-identity-webhook}}, addressType: IPv4, endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]}\n";
    let cron_job = base.replace("debug: [\"pod/checkout-7d9f8b6c5d-x2x4z\"", "debug: [\"cronjob/ledger\"")
        + "\n---\n{apiVersion: batch/v1, kind: CronJob, metadata: {name: ledger, namespace: shop}, spec: {schedule: '* * * * *', jobTemplate: \
           {spec: {template: {spec: {serviceAccountName: checkout, containers: [{name: app, image: x}]}}}}}}\n";
    assert_ne!(cron_job, base);
    vec![
        ("cronjob", cron_job),
        ("base", base),
        ("bare", bare),
        ("references", with_references),
        ("self-hosted", self_hosted),
    ]
}

struct Answer {
    run: Run,
    asked: BTreeSet<(String, String)>,
}

/// Runs the scenario with a line more in the header.
fn answer(text: &str, header: &str) -> Answer {
    let world =
        World::parse("denials", &text.replacen("\nexpect:", &format!("\n{header}\nexpect:"), 1)).unwrap();
    let kube = FakeKube::start(&world);
    let directory = tempfile::tempdir().unwrap();
    let mut command = plugin();
    command
        .env("KUBECONFIG", kube.kubeconfig(directory.path()))
        .args(["debug", "--no-probe"])
        .args(world.arguments());
    let run = run(command.args(["-o", "json", "--request-timeout", "1s"]));
    assert_eq!(kube.secret_values_read(), 0, "values of Secrets were asked for");
    let asked = kube.requests().into_iter().map(|seen| (seen.verb, seen.resource)).collect();
    Answer { run, asked }
}

fn errors(diagnosis: &Value) -> BTreeSet<String> {
    let findings = diagnosis["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Takes each answer away by `header(verb, resource)`, unless it cannot be taken away so; `said` checks what the run says of it.
fn take_each_away(
    everywhere: bool,
    header: impl Fn(&str, &str) -> Option<String>,
    said: impl Fn(&str, &str, &str, &Value) -> Option<String>,
) {
    let mut problems = Vec::new();
    let mut tried = BTreeSet::new();
    for (name, text) in scenarios() {
        let whole = answer(&text, "");
        let before = errors(&whole.run.diagnosis());
        for (verb, resource) in &whole.asked {
            // Unless it is asked for everywhere, one scenario is enough for each question.
            if resource.is_empty()
                || resource.starts_with('/')
                || !tried.insert((if everywhere { name } else { "" }, verb.clone(), resource.clone()))
            {
                continue;
            }
            let Some(header) = header(verb, resource) else { continue };
            let less = answer(&text, &header);
            let at = format!("{name} without {verb} {resource}");
            // The target itself cannot be done without.
            if (verb.as_str(), resource.as_str())
                == ("get", if name == "cronjob" { "cronjobs" } else { "pods" })
            {
                if less.run.code != Some(2)
                    || !less.run.stdout.is_empty()
                    || less.run.stderr.lines().count() > 2
                {
                    problems.push(format!("{at}: expected a plain error, found {:?}", less.run));
                }
                continue;
            }
            if less.run.stdout.is_empty() {
                problems.push(format!("{at}: no diagnosis: {}", less.run.stderr));
                continue;
            }
            let diagnosis = less.run.diagnosis();
            let invented: Vec<_> = errors(&diagnosis).difference(&before).cloned().collect();
            if !invented.is_empty() {
                problems.push(format!("{at}: invents {invented:?}"));
            }
            if diagnosis["verdict"] == "healthy" {
                problems.push(format!("{at}: is called healthy"));
            }
            problems.extend(said(&at, verb, resource, &diagnosis));
        }
    }
    assert!(tried.len() >= 13, "only {} questions were tried: {tried:?}", tried.len());
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

fn unknowns(diagnosis: &Value) -> &Vec<Value> {
    diagnosis["unknowns"].as_array().unwrap()
}

#[test]
fn every_denial_names_the_permission_that_would_allow_it() {
    take_each_away(
        true,
        |verb, resource| Some(format!("deny: [\"{verb} {resource}\"]")),
        |at, verb, resource, diagnosis| {
            let wanted = format!("{verb} {resource}");
            let named = unknowns(diagnosis).iter().any(|unknown| {
                unknown["grant"].as_str().is_some_and(|grant| grant.starts_with(&wanted))
                    && unknown["why"].as_str().unwrap().starts_with("denied: ")
            });
            (!named).then(|| format!("{at}: no unknown names \"{wanted}\": {:?}", unknowns(diagnosis)))
        },
    );
}

#[test]
fn every_silence_is_said_with_its_deadline() {
    take_each_away(
        false,
        |verb, resource| Some(format!("hang: [\"{verb} {resource}\"]")),
        |at, _, _, diagnosis| {
            let named = unknowns(diagnosis).iter().any(|unknown| unknown["why"] == "no answer within 1 s");
            (!named).then(|| format!("{at}: the silence is not said"))
        },
    );
}

#[test]
fn every_server_error_is_said() {
    take_each_away(
        false,
        |verb, resource| Some(format!("fail: {{\"{verb} {resource}\": 500}}")),
        |at, _, _, diagnosis| {
            let named =
                unknowns(diagnosis).iter().any(|unknown| unknown["why"].as_str().unwrap().contains("500"));
            (!named).then(|| format!("{at}: the error is not said: {:?}", unknowns(diagnosis)))
        },
    );
}

#[test]
fn every_resource_that_the_server_does_not_have_is_said() {
    take_each_away(
        false,
        // A server that has a resource has its subresources.
        |_, resource| (!resource.contains('/')).then(|| format!("missing: [\"{resource}\"]")),
        |at, _, _, diagnosis| {
            let named = unknowns(diagnosis)
                .iter()
                .any(|unknown| unknown["why"].as_str().unwrap().contains("does not have this resource"));
            (!named).then(|| format!("{at}: the missing resource is not said: {:?}", unknowns(diagnosis)))
        },
    );
}

/// The role in `docs/permissions.md` is what people copy.
#[test]
fn the_sample_role_grants_all_that_is_asked() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/permissions.md");
    let page = std::fs::read_to_string(page).unwrap();
    let role = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let role: Value = serde_saphyr::from_str(role).unwrap();
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let grants = |verb: &str, what: &str| {
        role["rules"].as_array().unwrap().iter().any(|rule| {
            let named = [texts(&rule["resources"]), texts(&rule["nonResourceURLs"])].concat();
            texts(&rule["verbs"]).iter().any(|granted| granted == verb)
                && named.iter().any(|granted| what == granted || what.split('.').next() == Some(granted))
        })
    };
    // The page says why these are left to the reader.
    let left_out = |what: &str| what.starts_with("secrets");
    let asked = scenarios().into_iter().flat_map(|(_, text)| answer(&text, "").asked);
    let missing: BTreeSet<(String, String)> =
        asked.filter(|(verb, what)| !left_out(what) && !grants(verb, what)).collect();
    assert!(missing.is_empty(), "not granted: {missing:?}");
}

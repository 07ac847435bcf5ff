//! Every world, live against the fakes and from its file: by the plugin's library, and one of each check by the built binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use in_process::Environment;
use irsa_tests::aws::{FakeAws, Seen};
use irsa_tests::kube_api::FakeKube;
use irsa_tests::kubelet::Kubelet;
use irsa_tests::run::{Run, plugin, run};
use irsa_tests::world::{World, all_bases, all_worlds, worlds_dir};
use neutral::neutral;
use offered::Offer;
use serde_json::Value;

#[path = "worlds/bundled.rs"]
mod bundled;
#[path = "worlds/fixes.rs"]
mod fixes;
#[path = "worlds/in_process.rs"]
mod in_process;
#[path = "worlds/neutral.rs"]
mod neutral;
#[path = "repairs/offered.rs"]
mod offered;
#[path = "worlds/repaired.rs"]
mod repaired;
#[path = "worlds/trust.rs"]
mod trust;

/// What is wrong with one world; empty if it is as expected.
struct Verdict {
    problems: String,
    text: String,
    offers: BTreeSet<Offer>,
}

/// What is run.
#[derive(Clone, Copy)]
enum By {
    /// The built plugin, three times: live as JSON and as text, and from the file.
    Binary,
    /// Its library, in this process, which takes a third of the time.
    Library,
}

impl By {
    /// Probes are looked for, and the user's own AWS configuration is read, by the binary alone; and where there are proxies,
    /// it alone does not see them.
    fn of(self, world: &World) -> Self {
        let proxies = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        let is_own = world.header.kubelet.is_some()
            || world.accounts.iter().any(|account| !account.profiles.is_empty())
            || proxies.iter().any(|name| std::env::var_os(name).is_some());
        if is_own { Self::Binary } else { self }
    }
}

#[test]
fn every_world_gets_its_diagnosis() {
    let worlds = all_worlds(&worlds_dir()).unwrap();
    let only = std::env::var("WORLD").unwrap_or_default();
    let without_nodes = std::env::var_os("WITHOUT_NODES").is_some();
    let is_chosen = |path: &Path| {
        path.to_string_lossy().contains(&only)
            && !(without_nodes && World::load(path).is_ok_and(|world| world.header.kubelet.is_some()))
    };
    let chosen: Vec<_> = worlds.iter().filter(|file| is_chosen(&file.path)).collect();
    assert!(!chosen.is_empty(), "no world matches WORLD={only}");
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = chosen.get(index) else { break };
                    // One of each folder, as a user runs it.
                    let is_first = index == 0 || chosen[index - 1].check != file.check;
                    let verdict = judge(&file.path, if is_first { By::Binary } else { By::Library });
                    results.lock().unwrap().push((file, verdict));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by(|a, b| a.0.path.cmp(&b.0.path));
    let mut failures = String::new();
    for (file, verdict) in &results {
        if !verdict.problems.is_empty() {
            let shown = file.path.strip_prefix(worlds_dir()).unwrap_or(&file.path);
            let _ = writeln!(failures, "\n== {}\n{}\n{}", shown.display(), verdict.problems, verdict.text);
        }
    }
    let broken = results.iter().filter(|(_, verdict)| !verdict.problems.is_empty()).count();
    assert!(broken == 0, "{broken} of {} worlds are not diagnosed as expected\n{failures}", results.len());
    if only.is_empty() && !without_nodes {
        let offered = results.iter().map(|(file, verdict)| (file.label(), verdict.offers.clone())).collect();
        let problems = repaired::problems(&offered);
        assert!(problems.is_empty(), "{problems}");
    }
    // One's own worlds alone are for trying, unless their snapshots are asked for.
    if only.is_empty() || std::env::var_os("INSTA_UPDATE").is_some() {
        for (file, verdict) in results {
            let name = format!("{}.{:?}.{}", file.check, file.case, file.name).to_lowercase();
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path("../snapshots");
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.bind(|| insta::assert_snapshot!(name, verdict.text));
        }
    }
}

/// What worlds differ from is in order itself, or it is not what they say.
#[test]
fn every_base_gets_its_diagnosis() {
    let without_nodes = std::env::var_os("WITHOUT_NODES").is_some();
    let mut failures = String::new();
    for path in all_bases() {
        if without_nodes && World::load(&path).unwrap().header.kubelet.is_some() {
            continue;
        }
        let Verdict { problems, text, .. } = judge(&path, By::Binary);
        if !problems.is_empty() {
            let _ = writeln!(failures, "\n== {}\n{problems}\n{text}", path.display());
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

fn judge(path: &Path, by: By) -> Verdict {
    let world = match World::load(path) {
        Ok(world) => world,
        Err(error) => {
            return Verdict { problems: format!("{error}\n"), text: String::new(), offers: BTreeSet::new() };
        }
    };
    let kube = FakeKube::start(&world);
    let pods = kube.pods();
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = kube.kubeconfig(directory.path());
    let aws = world.has_aws().then(|| FakeAws::start(&world, Some(&kube)));
    let kubelet = Kubelet::start(&world, &kube, aws.as_ref());
    let variables = aws.as_ref().map(|aws| aws.env(directory.path())).unwrap_or_default();
    let facts = RefCell::default();
    let run = |arguments: &[OsString]| match by.of(&world) {
        By::Binary => by_binary(arguments, &kubeconfig, &variables),
        By::Library => {
            let (runs, kept) = Environment::new(&kubeconfig, &variables).run_and_keep(arguments);
            facts.replace(kept);
            runs
        }
    };
    let (json, text) = run(&arguments(&world));
    let mut problems = compare(&world, &json);
    for subjects in facts.take() {
        problems += &bundled::problems(&subjects);
    }
    let mut offers = BTreeSet::new();
    problems += &against_schema(&json);
    if !json.stdout.is_empty() {
        problems += &fixes::problems(&first(&json.json()));
        problems += &trust::problems(&world, &first(&json.json()));
        // Repairs are tried without nodes and without a user's own configuration.
        if world.header.kubelet.is_none() && world.accounts.iter().all(|account| account.profiles.is_empty())
        {
            offers = offered::offers(&first(&json.json()));
        }
    }
    if text.code != json.code {
        let _ = writeln!(problems, "text exits {:?}, json {:?}", text.code, json.code);
    }
    if text.stdout.chars().any(|c| c.is_control() && c != '\n') {
        let _ = writeln!(problems, "the text holds control characters: {:?}", text.stdout);
    }
    if kube.secret_values_read() > 0 {
        let _ = writeln!(problems, "values of Secrets were asked for");
    }
    for problem in kubelet.iter().flat_map(Kubelet::problems) {
        let _ = writeln!(problems, "{problem}");
    }
    for altered in kubelet.iter().flat_map(Kubelet::altered_files) {
        let _ = writeln!(problems, "the probe changed what the application sees: {altered}");
    }
    if kube.pods() != pods {
        let _ = writeln!(problems, "pods: before {pods:?}, after {:?}", kube.pods());
    }
    if let Some(aws) = &aws {
        problems += &enforced(aws);
        problems += &shown(&aws.secrets(), &[&json, &text]);
    }
    problems += &shown(&kube.token_signatures(), &[&json, &text]);
    problems += &from_file(&world, directory.path(), &json, run);
    Verdict { problems, text: neutral(&world, text.stdout + &text.stderr), offers }
}

/// What holds of every run against AWS.
fn enforced(aws: &FakeAws) -> String {
    let mut problems: String = aws.problems().iter().map(|problem| format!("{problem}\n")).collect();
    if aws.issued_credentials_used() > 0 {
        problems += "credentials that STS issued were used\n";
    }
    let assumed = |seen: &&Seen| seen.action == "sts:AssumeRoleWithWebIdentity";
    for seen in aws.requests().iter().filter(assumed) {
        let seconds = seen.params.get("DurationSeconds");
        if seconds.is_none_or(|seconds| seconds != "900") {
            let _ = writeln!(problems, "credentials were requested for {seconds:?} seconds in place of 900");
        }
        if let Some(key) = &seen.access_key {
            let _ = writeln!(problems, "AssumeRoleWithWebIdentity was signed, by {key}");
        }
    }
    problems
}

/// No output holds any of the secrets.
fn shown(secrets: &[String], runs: &[&Run]) -> String {
    let is_shown = |secret: &&String| {
        runs.iter().any(|run| run.stdout.contains(*secret) || run.stderr.contains(*secret))
    };
    secrets.iter().filter(is_shown).map(|secret| format!("a secret is shown: {secret}\n")).collect()
}

/// What is printed is what the schema promises.
fn against_schema(run: &Run) -> String {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let text = include_str!("../../docs/diagnosis.schema.json");
        jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
    });
    if run.stdout.is_empty() {
        return String::new();
    }
    SCHEMA
        .iter_errors(&run.json())
        .map(|error| format!("schema: {error} at {}\n", error.instance_path()))
        .collect()
}

/// What `kubectl irsa debug` is given for this world.
fn arguments(world: &World) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = world.arguments().map(OsString::from).collect();
    // Without a kubelet nothing would start, and what an earlier run has left in the pod counts.
    arguments.extend(world.header.kubelet.is_none().then(|| "--no-probe".into()));
    if !world.has_aws() {
        // There is nothing to try, and nothing that a log could complain about unless the world has one.
        arguments.push("--no-assume".into());
        arguments.extend(world.header.logs.is_empty().then(|| "--no-logs".into()));
    }
    arguments
}

/// What the user sees with `-o json`, and without.
fn by_binary(arguments: &[OsString], kubeconfig: &Path, variables: &[(String, String)]) -> (Run, Run) {
    let run = |format| {
        let mut command = plugin();
        command.arg("debug").args(arguments).args(["-o", format]);
        command.env("KUBECONFIG", kubeconfig).envs(variables.iter().cloned());
        run(&mut command)
    };
    // In the order in which the library renders: the second run is told other request ids.
    let text = run("text");
    (run("json"), text)
}

fn compare(world: &World, run: &Run) -> String {
    let expect = &world.header.expect;
    let mut problems = String::new();
    if run.code != Some(i32::from(expect.exit)) {
        let _ = writeln!(
            problems,
            "exit: expected {}, found {:?}; stderr: {}",
            expect.exit, run.code, run.stderr
        );
    }
    let Some(verdict) = &expect.verdict else { return problems };
    if run.stdout.is_empty() {
        return problems + "nothing on stdout\n";
    }
    let diagnosis = first(&run.json());
    let mut differ = |what: &str, expected: &Value, found: &Value| {
        if expected != found {
            let _ = writeln!(problems, "{what}: expected {expected}, found {found}");
        }
    };
    differ("verdict", &Value::from(verdict.to_string()), &diagnosis["verdict"]);
    differ("rootCause", &serde_json::json!(expect.root_cause), &diagnosis["rootCause"]["id"]);
    differ("errors", &serde_json::json!(expect.errors), &serde_json::json!(ids(&diagnosis, "error")));
    differ("warnings", &serde_json::json!(expect.warnings), &serde_json::json!(ids(&diagnosis, "warning")));
    for grant in &expect.unknowns {
        let unknowns = diagnosis["unknowns"].as_array().cloned().unwrap_or_default();
        if !unknowns
            .iter()
            .any(|unknown| unknown["grant"].as_str().is_some_and(|found| found.contains(grant)))
        {
            let _ = writeln!(problems, "no unknown names the permission \"{grant}\": {unknowns:?}");
        }
    }
    problems
}

/// From files, less is known: nothing may be found that is not there live.
fn from_file(world: &World, directory: &Path, live: &Run, run: impl Fn(&[OsString]) -> (Run, Run)) -> String {
    let file = directory.join("world.yaml");
    std::fs::write(&file, world.stream()).unwrap();
    let mut world = world.clone();
    // Files are not looked into.
    for arguments in [&mut world.header.debug, &mut world.header.options] {
        arguments.retain(|argument| !argument.starts_with("--via") && argument != "--probe");
    }
    let (from, _) = run(&[arguments(&world), vec!["--from".into(), file.into()]].concat());
    if live.code == Some(2) {
        return String::new();
    }
    if from.code == Some(2) {
        return format!("--from cannot run: {}\n", from.stderr);
    }
    let (live, from) = (first(&live.json()), first(&from.json()));
    let unsafe_fixes = fixes::problems(&from);
    if !unsafe_fixes.is_empty() {
        return format!("--from: {unsafe_fixes}");
    }
    // What AWS shows may overturn a conclusion from files, never an observation.
    let concluded = |finding: &&Value| world.has_aws() && finding["confidence"] == "inferred";
    let invented: BTreeSet<_> = findings(&from, "error")
        .filter(|finding| !concluded(finding))
        .map(id)
        .filter(|id| !ids(&live, "error").contains(id))
        .collect();
    // A permission that the live user lacks may keep an error from being seen live; files have no permissions. And AWS may
    // contradict the application's words live, which the files have alone.
    if invented.is_empty() || !world.header.deny.is_empty() || world.has_aws() {
        String::new()
    } else {
        format!("--from invents {invented:?}\n")
    }
}

fn first(json: &Value) -> Value {
    if json["kind"] == "DiagnosisList" { json["items"][0].clone() } else { json.clone() }
}

fn ids(diagnosis: &Value, severity: &str) -> BTreeSet<String> {
    findings(diagnosis, severity).map(id).collect()
}

fn findings<'d>(diagnosis: &'d Value, severity: &'d str) -> impl Iterator<Item = &'d Value> {
    let findings = diagnosis["findings"].as_array().into_iter().flatten();
    findings.filter(move |finding| finding["severity"] == severity)
}

fn id(finding: &Value) -> String {
    finding["id"].as_str().unwrap_or_default().to_owned()
}

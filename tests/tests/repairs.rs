//! Every repair that a check offers, run as it is printed: by bash, the real kubectl and the real AWS CLI, against fakes that refuse what
//! the real ones refuse. The next `debug` no longer finds the fault, and its link does not fail.
//!
//! Where the fault was concluded from a message of the application alone (`--error`), which is not said again, this shows that the
//! commands run, and no more.
//!
//! `tests/repairs.tsv` says in which world each is tried; every run of the worlds checks that none is missing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "figures for whoever runs it with --nocapture")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use in_process::Environment;
use irsa_tests::aws::FakeAws;
use irsa_tests::aws::account::{Account, policy_text};
use irsa_tests::aws::trust_change::Meant;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::run::{Run, binary, plugin, run};
use irsa_tests::world::{World, bases_dir, worlds_dir};
use offered::{Offer, of_finding, table};
use serde_json::Value;

#[path = "repairs/by_program.rs"]
mod by_program;
#[path = "repairs/hostile.rs"]
mod hostile;
#[path = "worlds/in_process.rs"]
mod in_process;
#[expect(dead_code, reason = "the worlds' test uses the rest")]
#[path = "repairs/offered.rs"]
mod offered;
#[path = "repairs/out_of_reach.rs"]
mod out_of_reach;
#[expect(dead_code, reason = "the worlds' test uses the rest")]
#[path = "worlds/trust.rs"]
mod trust;

#[test]
fn every_repair_closes_its_loop() {
    let programs = Programs::find();
    let mut worlds: BTreeMap<String, BTreeSet<Offer>> = BTreeMap::new();
    let only = std::env::var("WORLD").unwrap_or_default();
    for (offer, world) in table().into_iter().filter(|(_, world)| world.contains(&only)) {
        worlds.entry(world).or_default().insert(offer);
    }
    let worlds: Vec<_> = worlds.into_iter().collect();
    assert!(!worlds.is_empty(), "no world of tests/repairs.tsv matches WORLD={only}");
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((world, offers)) = worlds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let closed = close_all(world, offers, &programs);
                    results.lock().unwrap().extend(closed);
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by(|a, b| (&a.world, &a.check).cmp(&(&b.world, &b.check)));
    let mut failures = String::new();
    for closed in &results {
        let Closed { check, world, .. } = closed;
        match (&closed.failure, out_of_reach::reason(check, world)) {
            (None, None) | (Some(Failure::Run(_)), Some(_)) => {}
            (Some(Failure::Run(why) | Failure::Open(why)), _) => {
                let _ = writeln!(failures, "\n== {check} in {world}\n{why}");
            }
            (None, Some(reason)) => {
                let _ = writeln!(
                    failures,
                    "\n== {check} in {world} is repaired, and need not be an exception any more: {reason}"
                );
            }
        }
    }
    for (check, world) in out_of_reach::all().filter(|(_, world)| world.contains(&only)) {
        if !results.iter().any(|closed| (closed.check.as_str(), closed.world.as_str()) == (check, world)) {
            let _ = writeln!(failures, "\n== {check} in {world} is an exception and is not tried");
        }
    }
    print!("{}", figures(&results));
    assert!(failures.is_empty(), "{failures}");
}

/// What came of a finding's repair.
struct Closed {
    world: String,
    check: String,
    offers: BTreeSet<Offer>,
    /// How many commands were run, and how many of them as the text lays them out.
    commands: [usize; 2],
    failure: Option<Failure>,
}

/// Why a loop was not closed.
enum Failure {
    /// A command failed, or did what it must not.
    Run(String),
    /// The fault is still found.
    Open(String),
}

/// How many were offered, run and closed.
fn figures(results: &[Closed]) -> String {
    let mut classes: BTreeMap<(String, &str), [usize; 2]> = BTreeMap::new();
    for closed in results {
        for offer in &closed.offers {
            let program = if offer.command.starts_with("aws") { "AWS CLI" } else { "kubectl" };
            let class = classes.entry((offer.kind.clone(), program)).or_default();
            class[0] += 1;
            class[1] += usize::from(closed.failure.is_none());
        }
    }
    let mut text = format!(
        "{} repairs of {} checks; {} commands run, {} as the text lays them out; loops closed: {}\n",
        results.len(),
        results.iter().map(|closed| &closed.check).collect::<BTreeSet<_>>().len(),
        results.iter().map(|closed| closed.commands[0]).sum::<usize>(),
        results.iter().map(|closed| closed.commands[1]).sum::<usize>(),
        results.iter().filter(|closed| closed.failure.is_none()).count(),
    );
    for ((kind, program), [offered, closed]) in classes {
        let _ = writeln!(text, "  {kind}, {program}: {closed} of {offered}");
    }
    text
}

/// The programs that the commands name.
struct Programs {
    path: OsString,
}

impl Programs {
    fn find() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/awscli/bin");
        let path = std::env::join_paths(std::env::split_paths(&path).chain([own])).unwrap();
        for program in ["kubectl", "aws", "bash"] {
            let found = std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
            assert!(found, "{program} is not installed, so no repair can be run; ./tests/all installs it");
        }
        // `kubectl irsa` finds the plugin.
        let plugin = binary().parent().unwrap().to_owned();
        Self { path: std::env::join_paths([plugin].into_iter().chain(std::env::split_paths(&path))).unwrap() }
    }
}

/// A world that commands change.
struct Acted {
    world: World,
    kube: FakeKube,
    aws: FakeAws,
    directory: tempfile::TempDir,
    kubeconfig: PathBuf,
    variables: Vec<(String, String)>,
}

impl Acted {
    fn load(name: &str) -> Self {
        let mut world = World::load(&worlds_dir().join(format!("{name}.yaml"))).unwrap();
        for account in &mut world.accounts {
            account.profiles = vec![format!("of-{}", account.account)];
        }
        Self::start(world)
    }

    fn start(world: World) -> Self {
        let kube = FakeKube::start(&world);
        let directory = tempfile::tempdir().unwrap();
        let kubeconfig = kube.kubeconfig(directory.path());
        // Who looked without a way to AWS has one when it comes to the repair.
        let mut whole = world.clone();
        if !world.has_aws() {
            whole.accounts = World::load(&bases_dir().join("eks.yaml")).unwrap().accounts;
        }
        let aws = FakeAws::start(&whole, Some(&kube));
        let variables = aws.env(directory.path());
        Self { world, kube, aws, directory, kubeconfig, variables }
    }

    fn debug(&self, words: &[String]) -> (Run, Run) {
        let mut arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
        arguments.push("--no-probe".into());
        if !self.world.has_aws() {
            arguments.push("--no-assume".into());
            arguments.extend(self.world.header.logs.is_empty().then(|| "--no-logs".into()));
        }
        // The library does not see proxies of the environment.
        let proxies = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        let variables = if self.world.has_aws() { self.variables.as_slice() } else { &[] };
        if proxies.iter().all(|name| std::env::var_os(name).is_none()) {
            return Environment::new(&self.kubeconfig, variables).run(&arguments);
        }
        let run = |format| {
            let mut command = plugin();
            command.arg("debug").args(&arguments).args(["-o", format]).env("KUBECONFIG", &self.kubeconfig);
            run(command.envs(variables.iter().cloned()))
        };
        (run("json"), run("text"))
    }

    /// Runs a command line as it is printed.
    fn shell(
        &self,
        line: &str,
        programs: &Programs,
        placeholders: &BTreeMap<&str, String>,
    ) -> Result<String, String> {
        let output = Command::new("bash")
            .args(["-c", line])
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", &programs.path)
            .env("HOME", self.directory.path())
            .env("KUBECONFIG", &self.kubeconfig)
            .env("LANG", "C.UTF-8")
            .env("AWS_PAGER", "")
            // Nobody edits.
            .env("KUBE_EDITOR", "false")
            .envs(self.variables.iter().cloned())
            // The first version of the AWS CLI has another name for it.
            .envs(
                self.variables
                    .iter()
                    .filter(|(name, _)| name == "AWS_REGION")
                    .map(|(_, region)| ("AWS_DEFAULT_REGION", region)),
            )
            .envs(placeholders)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        match output.status.success() {
            true => Ok(out.into_owned()),
            false => Err(format!("{line}\n  {}: {out}{err}", output.status)),
        }
    }

    fn accounts(&self) -> Vec<Account> {
        self.aws.accounts().to_vec()
    }

    /// What the reader knows, and the commands ask for.
    fn placeholders(&self, diagnosis: &Value) -> BTreeMap<&'static str, String> {
        let accounts = self.accounts();
        let target = &diagnosis["target"];
        let [namespace, name] =
            ["namespace", "serviceAccount"].map(|field| target[field].as_str().unwrap_or_default());
        let subject = format!("system:serviceaccount:{namespace}:{name}");
        let roles =
            || accounts.iter().flat_map(|account| account.roles.iter().map(move |role| (account, role)));
        let meant = roles().find(|(_, role)| policy_text(&role.trust).contains(&subject));
        let role = meant.or_else(|| roles().next()).map(|(account, role)| account.role_arn(role));
        let role = role.unwrap_or_else(|| "arn:aws:iam::111122223333:role/shop-checkout".to_owned());
        // The account that is not the user's own.
        let profile =
            accounts.get(1).or(accounts.first()).and_then(|account| account.profiles.first().cloned());
        BTreeMap::from([
            ("ROLE_ARN", role),
            ("CLUSTER", "shop-prod".to_owned()),
            ("PROFILE", profile.unwrap_or_default()),
        ])
    }
}

/// Repairs each finding of a world that the table is about. Findings with the same repair share one run of it.
fn close_all(world: &str, offers: &BTreeSet<Offer>, programs: &Programs) -> Vec<Closed> {
    let mut acted = Acted::load(world);
    let words: Vec<String> = acted.world.arguments().cloned().collect();
    let (json, text) = acted.debug(&words);
    let before = first(&json.json());
    let mut ways: BTreeMap<Vec<String>, Vec<&Value>> = BTreeMap::new();
    let mut closed = Vec::new();
    let checks: BTreeSet<&String> = offers.iter().map(|offer| &offer.check).collect();
    for check in checks {
        let found = before["findings"].as_array().into_iter().flatten().find(|it| it["id"] == **check);
        match found {
            Some(finding) => ways.entry(lines(finding)).or_default().push(finding),
            None => closed.push(Closed {
                world: world.into(),
                check: check.clone(),
                offers: BTreeSet::new(),
                commands: [0, 0],
                failure: Some(Failure::Run(format!("there is no such finding: {}", text.stdout))),
            }),
        }
    }
    for (index, (lines, findings)) in ways.into_iter().enumerate() {
        // Each in a world of its own, of which nothing is repaired yet.
        if index > 0 {
            acted = Acted::load(world);
        }
        // Half of the worlds as the text lays them out, half as the JSON has them.
        let shown = if world.len().is_multiple_of(2) { text.stdout.as_str() } else { "" };
        let forms: Vec<String> = lines.iter().map(|line| laid_out(line, shown)).collect();
        let laid_out = forms.iter().zip(&lines).filter(|(form, line)| form != line).count();
        let result = acted.repair(&before, &forms, programs);
        for (index, finding) in findings.into_iter().enumerate() {
            let failure = match &result {
                Err(failure) => Some(Failure::Run(failure.clone())),
                Ok(after) => open(&before, finding, after, &lines).map(Failure::Open),
            };
            closed.push(Closed {
                world: world.into(),
                check: finding["id"].as_str().unwrap_or_default().to_owned(),
                offers: of_finding(finding),
                commands: if index == 0 { [lines.len(), laid_out] } else { [0, 0] },
                failure,
            });
        }
    }
    closed
}

/// The commands of a finding as a user follows them: what keeps the present state before what changes it, and no second way.
fn lines(finding: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for fix in finding["fixes"].as_array().into_iter().flatten() {
        let Some(command) = fix["command"].as_str() else { continue };
        let is_thumbprint = command.starts_with("kubectl irsa thumbprint ");
        if (fix["kind"] == "inspect" || fix["alternative"] == true) && !is_thumbprint {
            continue;
        }
        lines.extend(fix["policy"]["keep"].as_str().map(str::to_owned));
        lines.push(command.to_owned());
    }
    lines
}

impl Acted {
    /// Runs the commands, and then `debug`, as the report says: what it says.
    fn repair(
        &self,
        before: &Value,
        lines: &[String],
        programs: &Programs,
    ) -> Result<(Value, String), String> {
        let mut placeholders = self.placeholders(before);
        let accounts = self.accounts();
        for line in lines {
            let out = self.shell(line, programs, &placeholders)?;
            // What one command prints and the next asks for.
            let mut printed = out.split_whitespace().skip_while(|word| *word != "--thumbprint-list");
            if let Some(thumbprint) = printed.nth(1) {
                placeholders.insert("THUMBPRINT", thumbprint.to_owned());
            }
        }
        let mut problems = self.aws.problems().join("\n");
        problems += &trust_policies(self, &accounts, &before["target"]);
        if !problems.is_empty() {
            return Err(format!("{problems}\nafter: {lines:#?}"));
        }
        let (json, text) = self.debug(&again(before));
        if json.stdout.is_empty() {
            return Err(format!("the next debug says nothing: {}", json.stderr));
        }
        Ok((first(&json.json()), text.stdout + &text.stderr))
    }
}

/// What keeps the loop of a finding open.
fn open(
    before: &Value,
    finding: &Value,
    (after, text): &(Value, String),
    lines: &[String],
) -> Option<String> {
    let id = finding["id"].as_str().unwrap_or_default();
    let all = |diagnosis: &Value| diagnosis["findings"].as_array().cloned().unwrap_or_default();
    let link = after["chain"].as_array().into_iter().flatten().find(|link| link["step"] == finding["step"]);
    // Another fault of the same link, which was there before, has a repair of its own.
    let is_other = |found: &Value| {
        found["step"] == finding["step"] && all(before).iter().any(|known| known["id"] == found["id"])
    };
    let problem = if all(after).iter().any(|found| found["id"] == id) {
        format!("{id} is still found")
    } else if link.is_some_and(|link| link["status"] == "fail") && !all(after).iter().any(is_other) {
        format!("its link still fails: {link:?}")
    } else {
        return None;
    };
    Some(format!("{problem}\nafter: {lines:#?}\n{text}"))
}

/// Every trust policy that was written lets in the service account, nobody else, and takes the role from nobody.
fn trust_policies(acted: &Acted, before: &[Account], target: &Value) -> String {
    let mut problems = String::new();
    for account in acted.accounts() {
        let old = before.iter().find(|old| old.account == account.account);
        for role in &account.roles {
            let old = old.and_then(|old| old.role(&role.name)).map(|role| policy_text(&role.trust));
            let new = policy_text(&role.trust);
            let old = old.unwrap_or_else(|| String::from(r#"{"Version": "2012-10-17", "Statement": []}"#));
            if old == new {
                continue;
            }
            let mut world = acted.world.clone();
            world.accounts = acted.accounts();
            for problem in trust::of_change(&world, target, &role.name, &old, &new, Meant::Alone) {
                let _ = writeln!(problems, "trust policy of role {}: {problem}", role.name);
            }
        }
    }
    problems
}

/// The arguments of the run that the report names as the next one.
fn again(diagnosis: &Value) -> Vec<String> {
    let rerun = diagnosis["rerun"].as_str().unwrap_or_default();
    words(rerun).into_iter().skip(3).collect()
}

/// What bash makes of a command line.
fn words(line: &str) -> Vec<String> {
    let output = Command::new("bash").args(["-c", &format!("printf '%s\\0' {line}")]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// The command as the text lays it out over several lines, if the text has it; else as it is in the JSON.
fn laid_out(line: &str, text: &str) -> String {
    let program = line.split(' ').next().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let starts = (0..lines.len()).filter(|at| lines[*at].trim_start().starts_with(&format!("{program} ")));
    for start in starts {
        let indent = lines[start].len() - lines[start].trim_start().len();
        let mut shown = String::new();
        for line in &lines[start..] {
            let _ = writeln!(shown, "{}", line.get(indent..).unwrap_or_default());
            let ends = !line.ends_with('\\')
                && shown.matches('\'').count().is_multiple_of(2)
                && shown.matches('"').count().is_multiple_of(2);
            if ends {
                break;
            }
        }
        let shown = shown.trim_end().to_owned();
        if shown.contains('\n') && plain(&shown) == plain(line) {
            return shown;
        }
    }
    line.to_owned()
}

/// A command without what its layout may change.
fn plain(command: &str) -> String {
    command.chars().filter(|c| !c.is_whitespace() && *c != '\\').collect()
}

fn first(json: &Value) -> Value {
    if json["kind"] == "DiagnosisList" { json["items"][0].clone() } else { json.clone() }
}

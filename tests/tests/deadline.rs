//! `--timeout` and Ctrl-C end the waiting, not the report: what is known is diagnosed, what was late is named. `--wait` waits for
//! more: for a repair.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use irsa_tests::aws::FakeAws;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::run::{Run, plugin, run};
use irsa_tests::world::{World, bases_dir, worlds_dir};
use serde_json::Value;

const POD: &str = "pod/checkout-7d9f8b6c5d-x2x4z";

fn healthy() -> World {
    World::load(&bases_dir().join("eks.yaml")).unwrap()
}

fn broken() -> World {
    World::load(&worlds_dir().join("trust-sub-mismatch/broken.no-prefix.yaml")).unwrap()
}

/// The API server never answers that.
fn silent_cluster(mut world: World, rule: &str) -> World {
    world.header.hang.push(rule.to_owned().try_into().unwrap());
    world
}

/// AWS never answers that.
fn silent_aws(mut world: World, action: &str) -> World {
    for account in &mut world.accounts {
        account.hang.push(action.to_owned().try_into().unwrap());
    }
    world
}

/// Makes one source of a world silent.
type Silent = fn(World, &str) -> World;

struct Servers {
    kube: FakeKube,
    aws: FakeAws,
    directory: tempfile::TempDir,
}

impl Servers {
    fn of(world: &World) -> Self {
        let kube = FakeKube::start(world);
        let aws = FakeAws::start(world, Some(&kube));
        Self { kube, aws, directory: tempfile::tempdir().unwrap() }
    }

    fn debug(&self, arguments: &[&str]) -> Command {
        self.debug_of(&[&[POD], arguments].concat())
    }

    fn debug_of(&self, arguments: &[&str]) -> Command {
        let directory: &Path = self.directory.path();
        let mut command = plugin();
        command.env("KUBECONFIG", self.kube.kubeconfig(directory)).envs(self.aws.env(directory));
        command.args(["debug", "--no-probe", "-n", "shop", "-o", "json"]).args(arguments);
        command
    }
}

impl Servers {
    /// How often AWS was asked for something, and has answered.
    fn asked(&self, action: &str) -> usize {
        self.aws.requests().iter().filter(|seen| seen.action == action && seen.finished.is_some()).count()
    }
}

/// Runs it until its time limit, which is earlier than that of an answer, and late enough for all that do answer.
fn timed_out(world: &World) -> Run {
    let began = Instant::now();
    let run = run(&mut Servers::of(world).debug(&["--timeout", "5s", "--request-timeout", "120s"]));
    assert!(began.elapsed() < Duration::from_secs(60), "{run:?}");
    run
}

/// The reasons of everything that is not known.
fn reasons(diagnosis: &Value) -> Vec<&str> {
    let unknowns = diagnosis["unknowns"].as_array().unwrap().iter();
    unknowns.map(|unknown| unknown["why"].as_str().unwrap()).collect()
}

#[test]
fn a_late_source_costs_only_its_own_part() {
    let sources: [(&str, Silent, &str); 5] = [
        ("iam:GetRole", silent_aws, "AWS (iam:GetRole)"),
        ("cloudtrail:LookupEvents", silent_aws, "AWS (cloudtrail:LookupEvents)"),
        ("list events", silent_cluster, "the cluster (GET /api/v1/namespaces/shop/events)"),
        ("get pods/log", silent_cluster, "the cluster (GET /api/v1/namespaces/shop/pods/"),
        (
            "create serviceaccounts/token",
            silent_cluster,
            "the cluster (POST /api/v1/namespaces/shop/serviceaccounts/",
        ),
    ];
    let worlds: [(fn() -> World, _); 2] = [(broken, (1, "broken")), (healthy, (0, "healthy"))];
    std::thread::scope(|scope| {
        for (world, whole) in worlds {
            scope.spawn(move || {
                for (source, silent, blamed) in sources {
                    costs_only_its_own_part(&silent(world(), source), source, blamed, whole);
                }
            });
        }
    });
}

fn costs_only_its_own_part(world: &World, source: &str, blamed: &str, whole: (i32, &str)) {
    let run = timed_out(world);
    let diagnosis = run.diagnosis();
    let late = "no answer before the run timed out after 5 s";
    assert!(reasons(&diagnosis).iter().any(|why| why.contains(late)), "{source}: {run:?}");
    assert!(run.stderr.contains("stopped waiting after 5 s (--timeout)"), "{source}: {run:?}");
    assert!(run.stderr.contains(blamed), "{source}: {run:?}");
    // Where the late one decides, nothing is claimed; what others prove stays proven.
    let said = (run.code.unwrap(), diagnosis["verdict"].as_str().unwrap());
    assert!(said == whole || said == (3, "inconclusive"), "{source}: {run:?}");
}

#[test]
fn what_the_others_prove_stays_proven() {
    for (world, code) in [(broken(), 1), (healthy(), 0)] {
        assert_eq!(timed_out(&silent_aws(world, "cloudtrail:LookupEvents")).code, Some(code));
    }
}

#[test]
fn without_its_target_a_run_says_who_was_silent() {
    let run = timed_out(&silent_cluster(healthy(), "get pods"));
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
    assert!(run.stderr.contains("cannot reach the API server at https://127.0.0.1"), "{run:?}");
    assert!(run.stderr.contains("timed out after 5 s (--timeout)"), "{run:?}");
}

#[test]
fn the_first_interrupt_reports_what_is_known() {
    for (world, code) in [(broken(), 1), (healthy(), 0)] {
        let servers = Servers::of(&silent_aws(world, "cloudtrail:LookupEvents"));
        let child = servers.debug(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !servers.aws.requests().iter().any(|seen| seen.action == "cloudtrail:LookupEvents") {
            assert!(Instant::now() < deadline, "CloudTrail was never asked");
            std::thread::sleep(Duration::from_millis(20));
        }
        // The others have answered by then.
        std::thread::sleep(Duration::from_secs(1));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        let diagnosis: Value = serde_json::from_slice(&output.stdout).unwrap();
        let late = "no answer before the run was interrupted";
        assert!(reasons(&diagnosis).contains(&late), "{diagnosis}");
        assert!(
            stderr.contains("interrupted; no answer came in time from AWS (cloudtrail:LookupEvents)"),
            "{stderr}"
        );
    }
}

/// `debug --wait` of the broken world, once it has been diagnosed so often.
struct Waiting {
    servers: Servers,
    child: Child,
}

impl Waiting {
    fn after(tries: usize, arguments: &[&str]) -> Self {
        let servers = Servers::of(&broken());
        let mut command = servers.debug_of(&["--wait"]);
        let child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let waiting = Self { servers, child };
        waiting.until(tries);
        waiting
    }

    fn until(&self, tries: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.servers.asked("sts:AssumeRoleWithWebIdentity") < tries {
            assert!(Instant::now() < deadline, "it is not tried {tries} times");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(self) -> Run {
        let output = self.child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

#[test]
fn a_repair_is_waited_for() {
    let waiting = Waiting::after(1, &[POD]);
    waiting.servers.aws.become_as(&healthy());
    let run = waiting.end();
    assert_eq!((run.code, run.json()["verdict"].as_str()), (Some(0), Some("healthy")), "{run:?}");
    let said: Vec<&str> = run.stderr.lines().filter(|line| line.contains("trust-sub-mismatch")).collect();
    let [first, change] = said[..] else { panic!("{run:?}") };
    assert!(first.starts_with("trust-sub-mismatch; waiting until it is healthy"), "{run:?}");
    assert!(change.ends_with(" s: trust-sub-mismatch → healthy"), "{run:?}");
    // However often it is tried.
    assert_eq!(run.stderr.matches("testing a fresh").count(), 1, "{run:?}");
}

#[test]
fn a_repair_that_does_not_come_is_waited_for_until_the_deadline() {
    let waiting = Waiting::after(2, &[POD, "--timeout", "15s"]);
    let run = waiting.end();
    assert_eq!(
        (run.code, run.json()["rootCause"]["id"].as_str()),
        (Some(1), Some("trust-sub-mismatch")),
        "{run:?}"
    );
    assert!(
        run.stderr.contains("stopped waiting after 15 s (--timeout): trust-sub-mismatch; nothing was"),
        "{run:?}"
    );
    assert!(!run.stdout.contains("timed out"), "{run:?}");
}

#[test]
fn an_interrupt_ends_the_waiting_for_a_repair() {
    let waiting = Waiting::after(2, &[POD]);
    assert!(Command::new("kill").args(["-INT", &waiting.child.id().to_string()]).status().unwrap().success());
    let run = waiting.end();
    assert_eq!(
        (run.code, run.json()["rootCause"]["id"].as_str()),
        (Some(1), Some("trust-sub-mismatch")),
        "{run:?}"
    );
    assert!(
        run.stderr.contains("interrupted") && run.stderr.contains(": trust-sub-mismatch; nothing was"),
        "{run:?}"
    );
    assert!(!run.stdout.contains("interrupted"), "{run:?}");
}

#[test]
fn where_a_rollout_replaces_the_pod_its_workload_is_waited_for() {
    let waiting = Waiting::after(1, &[POD]);
    let (mut after, replaced) = (healthy(), POD.trim_start_matches("pod/"));
    for object in after.objects.iter_mut().filter(|object| object.name == replaced) {
        object.name = String::from("checkout-7d9f8b6c5d-new01");
        object.value["metadata"]["name"] = Value::from(object.name.as_str());
    }
    waiting.servers.kube.become_as(&after);
    waiting.servers.aws.become_as(&after);
    let run = waiting.end();
    let target = &run.json()["items"][0]["target"];
    assert_eq!((run.code, target["name"].as_str()), (Some(0), Some("checkout")), "{run:?}");
    assert!(
        run.stderr.contains(&format!("{POD} is gone; now deployment/checkout, which it was of")),
        "{run:?}"
    );
}

#[test]
fn between_the_old_pods_and_the_new_ones_nothing_is_healthy() {
    let mut waiting = Waiting::after(1, &["deploy/checkout"]);
    let mut between = healthy();
    between.objects.retain(|object| object.resource.kind != "Pod");
    waiting.servers.kube.become_as(&between);
    waiting.servers.aws.become_as(&healthy());
    waiting.until(4);
    assert!(waiting.child.try_wait().unwrap().is_none());
    waiting.servers.kube.become_as(&healthy());
    let run = waiting.end();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("healthy, no pods → healthy"), "{run:?}");
}

#[test]
fn a_target_that_never_was_is_not_waited_for() {
    let servers = Servers::of(&healthy());
    let run = run(&mut servers.debug_of(&["--wait", "deploy/chekout"]));
    assert_eq!(run.code, Some(2), "{run:?}");
}

//! What a user waits for: `cargo bench -p irsa-tests`.
//!
//! Round trips with 200 ms for each answer of the cluster, and with 50 ms for each of AWS, the way of the probe's report, the
//! start of the process, and the judging of thousands of pods. Measured here and never asserted in a test; the number of the
//! cluster's answers in a row is asserted, in `tests/command_line.rs`.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use irsa::diagnosis::{Choice, diagnose_all};
use irsa::documents::Store;
use irsa::rounds::of_documents;
use irsa::target;
use irsa_tests::aws::FakeAws;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::kubelet::Kubelet;
use irsa_tests::run::{Run, plugin, run};
use irsa_tests::timeline::sequential_depth;
use irsa_tests::world::{World, bases_dir, worlds_dir};

fn base() -> String {
    std::fs::read_to_string(bases_dir().join("eks-without-aws.yaml")).expect("the base world is there")
}

fn round_trips(criterion: &mut Criterion) {
    let kube = FakeKube::start(&World::parse("bench", &base()).expect("the base world parses"));
    kube.set_latency(Duration::from_millis(200));
    let directory = tempfile::tempdir().expect("a directory");
    let kubeconfig = kube.kubeconfig(directory.path());
    let mut bench = criterion.benchmark_group("200 ms for each answer");
    bench.sample_size(10);
    for target in ["pod/checkout-7d9f8b6c5d-x2x4z", "deploy/checkout", "sa/checkout"] {
        bench.bench_function(target, |bencher| {
            bencher.iter(|| {
                let run = run(plugin().env("KUBECONFIG", &kubeconfig).args([
                    "debug",
                    "--no-probe",
                    target,
                    "-n",
                    "shop",
                ]));
                assert_eq!(run.code, Some(3), "{run:?}");
            });
        });
    }
}

/// A healthy world, which has everything that a run can ask.
struct Shop {
    /// It stops before what it uses.
    _kubelet: Option<Kubelet>,
    kube: FakeKube,
    aws: FakeAws,
    directory: tempfile::TempDir,
}

impl Shop {
    fn new() -> Self {
        let file = worlds_dir().join("sts-refused/fine.in-pod-root.yaml");
        let world = World::load(&file).expect("the world loads");
        let kube = FakeKube::start(&world);
        let aws = FakeAws::start(&world, Some(&kube));
        let kubelet = Kubelet::start(&world, &kube, Some(&aws));
        Self { _kubelet: kubelet, kube, aws, directory: tempfile::tempdir().expect("a directory") }
    }

    fn debug(&self, arguments: &[&str]) -> Run {
        let mut command = plugin();
        command
            .env("KUBECONFIG", self.kube.kubeconfig(self.directory.path()))
            .envs(self.aws.env(self.directory.path()))
            .args(["debug", "pod/checkout-7d9f8b6c5d-x2x4z", "-n", "shop"])
            .args(arguments);
        run(&mut command)
    }
}

fn aws_round_trips(criterion: &mut Criterion) {
    const EACH: Duration = Duration::from_millis(50);
    let mut bench = criterion.benchmark_group("50 ms for each answer");
    bench.sample_size(10);
    for (name, cluster) in [("of AWS", Duration::ZERO), ("of AWS and of the cluster", EACH)] {
        let shop = Shop::new();
        shop.aws.set_latency(EACH);
        shop.kube.set_latency(cluster);
        let first = shop.debug(&["--no-probe"]);
        assert!(first.code.is_some_and(|code| code != 2), "{first:?}");
        // Answers that take no time would count as in a row.
        let of_cluster = if cluster.is_zero() { Vec::new() } else { shop.kube.intervals() };
        let slow = shop.aws.intervals().into_iter().chain(of_cluster);
        let name = format!("{name}, {} in a row", sequential_depth(slow));
        bench.bench_function(name, |bencher| bencher.iter(|| shop.debug(&["--no-probe"])));
    }
}

/// What the probe costs beyond what it says itself: the container's start, the watch, and the diagnosis after it.
fn report(criterion: &mut Criterion) {
    let mut bench = criterion.benchmark_group("the probe's report");
    bench.sample_size(10);
    bench.bench_function("from PATCH to the end, without the probe's own time", |bencher| {
        bencher.iter_custom(|runs| (0..runs).map(|_| beyond_the_probe()).sum());
    });
}

fn beyond_the_probe() -> Duration {
    let shop = Shop::new();
    let found = shop.debug(&["-o", "json"]);
    let end = Instant::now();
    let millis = found.json()["probe"]["millis"].as_u64().expect("the probe reports");
    let requests = shop.kube.requests();
    let added = requests.iter().rfind(|seen| seen.verb == "patch").expect("a container is added");
    end.duration_since(added.started).saturating_sub(Duration::from_millis(millis))
}

fn start(criterion: &mut Criterion) {
    criterion.bench_function("--help", |bencher| {
        bencher.iter(|| assert_eq!(run(plugin().arg("--help")).code, Some(0)));
    });
}

/// The base world with many more pods of its Deployment, as the API server has them.
fn fleet(count: usize) -> Vec<u8> {
    let mut world = World::parse("bench", &base()).expect("the base world parses");
    world.add_fleet("shop", "checkout-7d9f8b6c5d-x2x4z", count).expect("the base world has a pod");
    let items: Vec<_> = world.objects.iter().map(|object| &object.value).collect();
    serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string().into_bytes()
}

fn checks(criterion: &mut Criterion) {
    for count in [1000, 5000] {
        let bytes = fleet(count);
        let read = || {
            let mut store = Store::default();
            store.read("world.json", bytes.clone()).expect("it is read");
            store
        };
        let mut bench = criterion.benchmark_group(format!("a Deployment of {count} pods"));
        bench.sample_size(10);
        bench.bench_function("read from memory", |bencher| bencher.iter(read));
        let target = target::parse(&[String::from("deploy/checkout")]).expect("a target").remove(0);
        let store = read();
        let gather = || of_documents(&store, "shop", &target, None).expect("facts");
        bench.bench_function("gather", |bencher| bencher.iter(gather));
        let facts = gather();
        assert_eq!(facts.len(), count + 1);
        bench.bench_function("judge", |bencher| {
            bencher.iter(|| {
                let judged = diagnose_all(&facts, &Choice::default());
                assert_eq!(judged.len(), 1, "one situation");
            });
        });
    }
}

criterion_group!(benches, round_trips, aws_round_trips, report, start, checks);
criterion_main!(benches);

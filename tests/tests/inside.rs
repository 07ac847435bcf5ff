//! The probe through the built binary: what is added, what is said of it, and what is left.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

/// What needs a node: `tests/all` leaves it out by this name where there can be none.
mod nodes {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use irsa_tests::aws::FakeAws;
    use irsa_tests::fault::Fault;
    use irsa_tests::kube_api::FakeKube;
    use irsa_tests::kubelet::Kubelet;
    use irsa_tests::run::{Run, plugin, run};
    use irsa_tests::world::World;
    use tempfile::TempDir;

    const SHOP: &str = include_str!("../src/kubelet/tests/shop.yaml");

    /// A world at work. The kubelet stops first.
    struct Shop {
        _kubelet: Kubelet,
        kube: FakeKube,
        aws: FakeAws,
        directory: TempDir,
    }

    impl Shop {
        /// The shop with another `kubelet`, and with a part of its text replaced.
        fn open(kubelet: &str, replace: (&str, &str)) -> Shop {
            let text =
                SHOP.replace("kubelet: {}", &format!("kubelet: {kubelet}")).replace(replace.0, replace.1);
            let world = World::parse("shop", &text).unwrap_or_else(|error| panic!("{error}"));
            let kube = FakeKube::start(&world);
            let aws = FakeAws::start(&world, Some(&kube));
            let kubelet = Kubelet::start(&world, &kube, Some(&aws)).unwrap();
            Shop { _kubelet: kubelet, kube, aws, directory: tempfile::tempdir().unwrap() }
        }

        fn command(&self, args: &[&str]) -> Command {
            let mut command = plugin();
            command
                .env("KUBECONFIG", self.kube.kubeconfig(self.directory.path()))
                .envs(self.aws.env(self.directory.path()))
                .args(["debug", "-n", "shop", "-o", "json"])
                .args(args);
            command
        }

        fn debug(&self, args: &[&str]) -> Run {
            let run = run(&mut self.command(args));
            for secret in self.aws.secrets() {
                assert!(!run.stdout.contains(&secret) && !run.stderr.contains(&secret), "a secret is shown");
            }
            run
        }

        /// How often something was done to a resource, dry-runs included.
        fn count(&self, verb: &str, resource: &str) -> usize {
            let asked = self.kube.requests();
            asked.iter().filter(|seen| seen.verb == verb && seen.resource == resource).count()
        }
    }

    #[test]
    fn it_is_announced_and_reports() {
        let shop = Shop::open("{}", ("", ""));
        let run = shop.debug(&["pod/checkout"]);
        let probe = &run.diagnosis()["probe"];
        assert_eq!(probe["ended"], "complete", "{run:?}");
        assert_eq!(probe["token"]["own"]["readable"], true, "{run:?}");
        assert!(run.stderr.contains("adding the ephemeral container irsa-probe-"), "{run:?}");
        assert!(run.stderr.contains("as user 1000, beside container app"), "{run:?}");
    }

    #[test]
    fn a_pod_of_its_own_is_deleted_again() {
        for target in ["pod/checkout", "sa/checkout"] {
            let shop = Shop::open("{}", ("", ""));
            let run = shop.debug(&[target, "--via", "pod"]);
            assert_eq!(run.diagnosis()["probe"]["ended"], "complete", "{run:?}");
            // Each as a dry-run, too.
            assert_eq!((shop.count("create", "pods"), shop.count("delete", "pods")), (2, 2), "{run:?}");
        }
    }

    #[test]
    fn what_keeps_it_from_reporting_is_no_fault_of_the_pod() {
        let deny =
            |rule: &str| format!("issuer: https://oidc.eks.eu-west-1.amazonaws.com/id/A\ndeny: [\"{rule}\"]");
        let issuer = "issuer: https://oidc.eks.eu-west-1.amazonaws.com/id/A";
        let unscheduled =
            SHOP.replace("  nodeName: node-1\n", "").replace("phase: Running", "phase: Pending");
        let (no_patch, no_watch) = (deny("patch pods/ephemeralcontainers"), deny("watch pods"));
        for (kubelet, replace, words) in [
            ("{containers: {image-pull: no such host}}", ("", ""), "cannot be pulled: no such host"),
            ("{containers: {config-error: no such secret}}", ("", ""), "cannot be made: no such secret"),
            ("{containers: killed}", ("", ""), "killed before it could report"),
            ("{containers: never}", ("", ""), "did not report within"),
            ("{containers: {report: {message: nonsense}}}", ("", ""), "left no valid report"),
            ("{}", (SHOP, unscheduled.as_str()), "not on a node yet"),
            ("{}", (issuer, no_patch.as_str()), "patch pods/ephemeralcontainers -n shop"),
            ("{}", (issuer, no_watch.as_str()), "watch pods -n shop"),
        ] {
            let run = Shop::open(kubelet, replace).debug(&["pod/checkout", "--timeout", "9s"]);
            let diagnosis = run.diagnosis();
            let unknowns = diagnosis["unknowns"].to_string();
            assert!(unknowns.contains(words), "{words}: {unknowns}");
            assert!(diagnosis["probe"].is_null(), "{words}");
            assert!(
                !diagnosis["findings"].to_string().contains("\"severity\":\"error\""),
                "{words}: {run:?}"
            );
        }
    }

    #[test]
    fn where_the_target_has_ended_it_looks_without_its_processes() {
        let ended = ("{running: {startedAt: \"2026-11-22T07:00:01Z\"}}", "{terminated: {exitCode: 1}}");
        let run = Shop::open("{}", ended).debug(&["pod/checkout"]);
        assert_eq!(run.diagnosis()["probe"]["ended"], "complete", "{run:?}");
        assert!(run.stderr.contains("without the processes of container app"), "{run:?}");
    }

    /// Runs it against a probe that never starts, and interrupts it so often once something was added for it, and `then` was done.
    fn interrupted(
        shop: &Shop,
        args: &[&str],
        times: usize,
        then: impl FnOnce(),
    ) -> (Option<i32>, String, String) {
        let child = shop.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        // The dry-run and the change itself.
        let made = || shop.count("patch", "pods/ephemeralcontainers") + shop.count("create", "pods") == 2;
        while !made() {
            assert!(Instant::now() < deadline, "nothing was added");
            std::thread::sleep(Duration::from_millis(20));
        }
        then();
        for _ in 0..times {
            std::thread::sleep(Duration::from_millis(500));
            assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        }
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    #[test]
    fn ctrl_c_says_what_stays_and_takes_away_what_can_be() {
        for (args, left) in [
            (&["pod/checkout"][..], "stays in pod/checkout"),
            (&["pod/checkout", "--via", "pod"], "was deleted again"),
        ] {
            let shop = Shop::open("{containers: never}", ("", ""));
            let (code, stdout, stderr) = interrupted(&shop, args, 1, || ());
            // What is known without the probe is reported all the same.
            assert_eq!(code, Some(3), "{stdout}{stderr}");
            assert!(stdout.contains("no answer before the run was interrupted"), "{stdout}");
            assert!(stderr.contains("interrupted; ") && stderr.contains(left), "{stderr}");
        }
    }

    #[test]
    fn the_time_limit_takes_away_what_can_be() {
        let shop = Shop::open("{containers: never}", ("", ""));
        let run = shop.debug(&["pod/checkout", "--via", "pod", "--timeout", "9s"]);
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(run.diagnosis()["unknowns"].to_string().contains("did not report within"), "{run:?}");
        assert_eq!(shop.count("delete", "pods"), 2, "{run:?}");
    }

    #[test]
    fn a_pod_that_cannot_be_deleted_is_named() {
        // The second time only the deletion is waited for, as the first time: either may give it up before the other.
        for (times, codes) in [(1, &[3][..]), (2, &[3, 130])] {
            let shop = Shop::open("{containers: never}", ("", ""));
            // That it may delete the pod was asked before it was made.
            let silent = || shop.kube.faults().strike("delete pods", Fault::Silence);
            let (code, stdout, stderr) = interrupted(&shop, &["pod/checkout", "--via", "pod"], times, silent);
            assert!(code.is_some_and(|code| codes.contains(&code)), "{code:?} {stdout}{stderr}");
            assert!(stderr.contains("interrupted; ") && stderr.contains("kubectl delete"), "{stderr}");
        }
    }
}

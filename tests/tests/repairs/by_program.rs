//! The same repairs, made by `debug --fix`, and taken back by `--undo`.

use std::fs;

use irsa_tests::fault::Fault;

use super::*;

/// What `--fix` came to in a world.
struct Fixed {
    world: String,
    /// Ids of the faults that were there, and of those that are there now.
    before: BTreeSet<String>,
    after: BTreeSet<String>,
    /// How many steps of each class were taken.
    steps: BTreeMap<String, usize>,
    /// The words of a run that changed nothing.
    by_hand: Option<String>,
    problem: Option<String>,
}

#[test]
fn fix_closes_the_loops_that_commands_close() {
    let programs = Programs::find();
    let only = std::env::var("WORLD").unwrap_or_default();
    let worlds: BTreeSet<String> = table().into_values().collect();
    let worlds: Vec<String> = worlds.into_iter().filter(|world| world.contains(&only)).collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(world) = worlds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fixed = fix(world, &programs);
                    results.lock().unwrap().push(fixed);
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by(|a, b| a.world.cmp(&b.world));
    print!("{}", told(&results));
    let problems: Vec<String> = results
        .iter()
        .filter_map(|fixed| Some(format!("\n== {}\n{}", fixed.world, fixed.problem.as_ref()?)))
        .collect();
    assert!(problems.is_empty(), "{}", problems.concat());
    if only.is_empty() {
        let by_program = results.iter().filter(|fixed| fixed.by_hand.is_none()).count();
        assert!(
            by_program * 2 > results.len(),
            "most repairs are a program's: {by_program} of {}",
            results.len()
        );
    }
}

fn told(results: &[Fixed]) -> String {
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for (class, count) in results.iter().flat_map(|fixed| &fixed.steps) {
        *classes.entry(class).or_default() += count;
    }
    let by_hand: Vec<&Fixed> = results.iter().filter(|fixed| fixed.by_hand.is_some()).collect();
    let closed = results.iter().filter(|fixed| fixed.by_hand.is_none() && fixed.problem.is_none()).count();
    let mut text = format!(
        "--fix in {} worlds: {closed} loops closed, {} left to a person, steps by class: {classes:?}\n",
        results.len(),
        by_hand.len(),
    );
    for fixed in by_hand {
        let words =
            fixed.by_hand.as_deref().unwrap_or_default().lines().last().unwrap_or_default().to_owned();
        let _ = writeln!(text, "  {}: {words}", fixed.world);
    }
    text
}

fn fix(world: &str, programs: &Programs) -> Fixed {
    let acted = Acted::load(world);
    let words: Vec<String> = acted.world.arguments().cloned().collect();
    let before = first(&acted.debug(&words).0.json());
    let (accounts, written) = (acted.accounts(), acted.written());
    let run = acted.plugin(programs, &words, &["--fix", "--yes", "--allow-shared", "--timeout", "8s"]);
    let mut fixed = Fixed {
        world: world.to_owned(),
        before: faults(&before),
        after: BTreeSet::new(),
        steps: steps_of(&run.stdout),
        by_hand: None,
        problem: None,
    };
    if !run.stderr.contains("done: ") {
        let is_left = run.stderr.contains("--fix: nothing");
        fixed.problem = (!is_left).then(|| format!("{}{}", run.stdout, run.stderr));
        fixed.by_hand = Some(run.stderr);
        return fixed;
    }
    let after = first(&acted.debug(&again(&before)).0.json());
    fixed.after = faults(&after);
    // What was left to a person, and what a message of the application alone told, may still be there.
    let later = run
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("for the next time"))
        .take_while(|line| !line.is_empty());
    let later: BTreeSet<String> = later.flat_map(|line| line.split([' ', ','])).map(str::to_owned).collect();
    let left: BTreeSet<String> = between(&run.stdout, "left to you").chain(later).collect();
    let open: Vec<&String> =
        fixed.before.iter().filter(|id| fixed.after.contains(*id) && !left.contains(*id)).collect();
    let mut problem = String::new();
    if !open.is_empty() {
        let _ = writeln!(problem, "still found: {open:?}\n{}{}", run.stdout, run.stderr);
    }
    problem += &trust_policies(&acted, &accounts, &before["target"]);
    problem += &acted.aws.problems().join("\n");
    problem += &acted.undone(programs, &written, &run);
    fixed.problem = Some(problem).filter(|problem| !problem.is_empty());
    fixed
}

/// Ids of the errors that nothing explains.
fn faults(diagnosis: &Value) -> BTreeSet<String> {
    let findings = diagnosis["findings"].as_array().into_iter().flatten();
    let faults = findings.filter(|finding| finding["severity"] == "error" && finding["causedBy"].is_null());
    faults.filter_map(|finding| finding["id"].as_str().map(str::to_owned)).collect()
}

/// The ids in brackets at the ends of the lines behind a heading.
fn between(text: &str, heading: &str) -> impl Iterator<Item = String> {
    let lines = text
        .lines()
        .skip_while(move |line| *line != heading)
        .skip(1)
        .take_while(|line| line.starts_with(' '));
    let text = lines.collect::<Vec<_>>().join(" ");
    let ids: Vec<String> = text
        .split('(')
        .filter_map(|part| part.split([')', ',']).next())
        .filter(|id| id.contains('-') && !id.contains(' '))
        .map(str::to_owned)
        .collect();
    ids.into_iter()
}

/// How many steps of the plan are own, shared and deletions.
fn steps_of(stdout: &str) -> BTreeMap<String, usize> {
    let mut steps = BTreeMap::new();
    let mut plan = stdout.lines().skip_while(|line| !line.starts_with("--fix: ")).peekable();
    let Some(all) = plan.next().and_then(|line| line.split(' ').nth(1)?.parse::<usize>().ok()) else {
        return steps;
    };
    let plan: Vec<&str> = plan.take_while(|line| line.starts_with(' ')).collect();
    let shared = plan.iter().filter(|line| line.trim_start().starts_with("shared: ")).count();
    let deleted = plan.iter().filter(|line| line.trim_start().starts_with("deletes a pod")).count();
    for (class, count) in [("own", all - shared - deleted), ("shared", shared), ("deletion", deleted)] {
        if count > 0 {
            steps.insert(class.to_owned(), count);
        }
    }
    steps
}

impl Acted {
    fn plugin(&self, programs: &Programs, words: &[String], flags: &[&str]) -> Run {
        let mut command = plugin();
        command.arg("debug").args(words).args(flags);
        if flags.contains(&"--fix") {
            command.arg("--no-probe");
        }
        if !self.world.has_aws() {
            command.args(["--no-assume", "--no-logs"]);
        }
        command
            .current_dir(self.directory.path())
            .env("PATH", &programs.path)
            .env("KUBECONFIG", &self.kubeconfig)
            .envs(self.variables.iter().cloned());
        run(&mut command)
    }

    /// Every object that people write, and every account.
    fn written(&self) -> BTreeMap<String, String> {
        let objects = self.kube.written().into_iter().map(|(name, value)| (name, value.to_string()));
        let accounts = self.accounts().into_iter().map(|mut account| {
            // The fake's simulator does not unlearn.
            account.simulate.clear();
            (account.account.clone(), format!("{account:?}"))
        });
        // It keeps what an add-on has put on its nodes.
        objects.filter(|(name, _)| !name.ends_with("/eks-pod-identity-agent")).chain(accounts).collect()
    }

    /// What is wrong with the way back: the objects and the accounts are what they were.
    fn undone(&self, programs: &Programs, before: &BTreeMap<String, String>, fixed: &Run) -> String {
        let files: Vec<PathBuf> = fs::read_dir(self.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("irsa-undo-"))
            })
            .collect();
        let [file] = files.as_slice() else {
            return format!("one file leads back, not {files:?}\n{}", fixed.stderr);
        };
        let text = fs::read_to_string(file).unwrap();
        let mut command = plugin();
        command
            .args(["debug", "--yes", "--undo"])
            .arg(file)
            .current_dir(self.directory.path())
            .env("PATH", &programs.path)
            .env("KUBECONFIG", &self.kubeconfig)
            .envs(self.variables.iter().cloned());
        let run = run(&mut command);
        if run.code != Some(0) {
            return format!("--undo: {}{}\n{text}", run.stdout, run.stderr);
        }
        let mut problems = String::new();
        let now = self.written();
        for (name, was) in before.iter().filter(|(name, was)| now.get(*name) != Some(*was)) {
            let _ = writeln!(
                problems,
                "after --undo, {name} is not what it was:\n{was}\n{:?}\n{text}",
                now.get(name)
            );
        }
        for name in now.keys().filter(|name| !before.contains_key(*name)) {
            let _ = writeln!(problems, "after --undo, {name} is still there\n{text}");
        }
        problems
    }
}

const TWO_STEPS: &str = "sa-not-annotated/broken.role-waits";

#[test]
fn a_failure_half_way_says_what_was_done_and_how_to_go_back() {
    let programs = Programs::find();
    let acted = Acted::load(TWO_STEPS);
    let words: Vec<String> = acted.world.arguments().cloned().collect();
    let written = acted.written();
    acted.kube.faults().strike("patch deployments", Fault::Status(403));
    let run = acted.plugin(&programs, &words, &["--fix", "--yes", "--timeout", "8s"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    for words in [
        "done      annotate service account checkout with its role",
        "not done  restart the workload",
        "to go back: kubectl irsa debug --undo irsa-undo-shop-checkout",
    ] {
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    }
    assert_ne!(acted.written(), written, "the first step was taken");
    assert_eq!(acted.undone(&programs, &written, &run), "");
}

#[test]
fn a_change_without_an_answer_is_not_called_undone() {
    let programs = Programs::find();
    let acted = Acted::load(TWO_STEPS);
    let words: Vec<String> = acted.world.arguments().cloned().collect();
    acted.kube.faults().strike("patch serviceaccounts", Fault::Reset);
    let run = acted.plugin(&programs, &words, &["--fix", "--yes", "--timeout", "8s"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    for words in [
        "whether it was done is not known",
        "not known annotate service account",
        "not done  restart the workload",
    ] {
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    }
    assert!(!run.stderr.contains("nothing was changed") && !run.stderr.contains("to go back"), "{run:?}");
}

#[test]
fn nothing_changes_without_a_yes() {
    let programs = Programs::find();
    for (world, flags, needs) in [
        (TWO_STEPS, &["--fix"][..], "--yes"),
        ("oidc-other-cluster/broken.no-provider", &["--fix", "--yes"], "--allow-shared"),
    ] {
        let acted = Acted::load(world);
        let words: Vec<String> = acted.world.arguments().cloned().collect();
        let written = acted.written();
        let run = acted.plugin(&programs, &words, flags);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains("nothing was changed") && run.stderr.contains(needs), "{run:?}");
        assert!(run.stdout.contains("--fix: "), "the plan is shown all the same: {run:?}");
        assert_eq!(acted.written(), written);
        let left: Vec<_> =
            fs::read_dir(acted.directory.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().contains("undo")), "{left:?}");
    }
}

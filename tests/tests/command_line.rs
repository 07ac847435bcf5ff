//! The command line as a user meets it: ways to reach a cluster, bad input, interruption.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use irsa_tests::kube_api::FakeKube;
use irsa_tests::run::{Run, binary, plugin, run};
use irsa_tests::world::{World, bases_dir};

const POD: &str = "pod/checkout-7d9f8b6c5d-x2x4z";

fn base() -> World {
    World::load(&bases_dir().join("eks-without-aws.yaml")).unwrap()
}

fn base_text() -> String {
    std::fs::read_to_string(bases_dir().join("eks-without-aws.yaml")).unwrap()
}

/// Exit 2, one clear line on stderr, nothing on stdout.
fn refused(run: &Run) -> &str {
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(run.stdout, "", "{run:?}");
    assert!(!run.stderr.contains("panicked") && !run.stderr.contains("backtrace"), "{run:?}");
    run.stderr.trim_end()
}

fn inconclusive(run: &Run) {
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stdout.contains("inconclusive"), "{run:?}");
}

#[test]
fn a_kubeconfig_with_a_token_a_client_certificate_or_an_exec_plugin() {
    let kube = FakeKube::start(&base());
    let directory = tempfile::tempdir().unwrap();
    for kubeconfig in [
        kube.kubeconfig(directory.path()),
        kube.kubeconfig_client_cert(directory.path()),
        kube.kubeconfig_exec(directory.path()),
    ] {
        inconclusive(&run(plugin().env("KUBECONFIG", &kubeconfig).args([
            "debug",
            "--no-probe",
            POD,
            "-n",
            "shop",
        ])));
        inconclusive(&run(plugin()
            .args(["debug", "--no-probe", POD, "-n", "shop", "--kubeconfig"])
            .arg(&kubeconfig)));
    }
}

#[test]
fn kubeconfig_lists_are_merged_and_missing_files_passed_over() {
    let kube = FakeKube::start(&base());
    let directory = tempfile::tempdir().unwrap();
    let whole = kube.kubeconfig(directory.path());
    let first = directory.path().join("first.yaml");
    std::fs::write(&first, "apiVersion: v1\nkind: Config\ncurrent-context: world\n").unwrap();
    let list = format!("{}:/nonexistent/config:{}", first.display(), whole.display());
    inconclusive(&run(plugin().env("KUBECONFIG", list).args(["debug", "--no-probe", POD, "-n", "shop"])));
}

#[test]
fn server_token_and_certificate_authority_without_the_kubeconfigs_own() {
    let kube = FakeKube::start(&base());
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = directory.path().join("config");
    std::fs::write(
        &kubeconfig,
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: k, cluster: {server: 'https://127.0.0.1:1'}}]\n\
         users: [{name: u, user: {token: wrong}}]\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: shop}}]\n",
    )
    .unwrap();
    let ca = directory.path().join("ca.pem");
    std::fs::write(&ca, kube.ca_pem()).unwrap();
    let mut command = plugin();
    command.env("KUBECONFIG", &kubeconfig).args([
        "debug",
        "--no-probe",
        POD,
        "--server",
        &kube.url(),
        "--token",
        irsa_tests::kube_api::TOKEN,
    ]);
    inconclusive(&run(command.arg("--certificate-authority").arg(&ca)));

    let mut command = plugin();
    command.env("KUBECONFIG", &kubeconfig).args([
        "debug",
        "--no-probe",
        POD,
        "--server",
        &kube.url(),
        "--token",
        "wrong",
    ]);
    let unauthorized = run(command.arg("--certificate-authority").arg(&ca));
    assert!(refused(&unauthorized).contains("Unauthorized"), "{unauthorized:?}");

    let mut command = plugin();
    command.env("KUBECONFIG", &kubeconfig).args([
        "debug",
        "--no-probe",
        POD,
        "--server",
        &kube.url(),
        "--token",
        irsa_tests::kube_api::TOKEN,
    ]);
    let untrusted = run(&mut command);
    assert!(refused(&untrusted).contains("certificate"), "{untrusted:?}");
}

#[test]
fn impersonation_reaches_the_server_and_the_printed_commands() {
    let text = base_text().replace("eks.amazonaws.com/role-arn: arn", "eks.amazonaws.com/role_arn: arn");
    let kube = FakeKube::start(&World::parse("as", &text).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = kube.kubeconfig(directory.path());
    let mut command = plugin();
    command.env("KUBECONFIG", &kubeconfig).args([
        "debug",
        "--no-probe",
        POD,
        "-n",
        "shop",
        "--context",
        "world",
        "--as",
        "alice",
    ]);
    let run =
        run(command.args(["--as-group", "oncall", "--as-group", "dev", "--as-uid", "42", "-o", "json"]));
    assert!(run.code.is_some_and(|code| code == 1 || code == 3), "{run:?}");
    for seen in kube.requests() {
        assert_eq!(seen.impersonate_user.as_deref(), Some("alice"), "{seen:?}");
        assert_eq!(seen.impersonate_groups, ["oncall", "dev"]);
        assert_eq!(seen.impersonate_uid.as_deref(), Some("42"));
    }
    for fix in run.diagnosis()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|finding| finding["fixes"].as_array().unwrap().clone())
    {
        let Some(command) = fix["command"].as_str().filter(|command| command.starts_with("kubectl ")) else {
            continue;
        };
        for flag in ["--context=world", "--as=alice", "--as-group=oncall", "--as-uid=42"] {
            assert!(command.contains(flag), "{command}");
        }
    }
}

#[test]
fn bad_input_is_named_with_what_was_expected() {
    let kube = FakeKube::start(&base());
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = kube.kubeconfig(directory.path());
    let debug = |args: &[&str]| run(plugin().env("KUBECONFIG", &kubeconfig).arg("debug").args(args));
    for (args, expected) in [
        (&["svc/x"][..], "cannot diagnose \"svc\""),
        (&["pod/"], "names no object"),
        (&["pod/Upper_Case"], "is not a valid name"),
        (&["pod/checkout-7d9f8b6c5d-x2x4x", "-n", "shop"], "did you mean checkout-7d9f8b6c5d-x2x4z?"),
        (&["deploy/checkuot", "-n", "shop"], "did you mean checkout?"),
        (&["sa/nobody", "-n", "shop"], "serviceaccount/nobody not found in namespace shop"),
        (&[POD, "-n", "shop", "-c", "nope"], "has no container \"nope\": it has app"),
        (&[POD, "--only", "sa-not-anotated"], "did you mean sa-not-annotated?"),
        (&[POD, "--skip", "zzzzzzzz"], "no check is called \"zzzzzzzz\""),
        (&[POD, "--request-timeout", "soon"], "expected a duration such as"),
        (&[POD, "--probe-image", "https://registry/x"], "is not an image reference"),
        (&[POD, "--no-probe", "--via", "pod"], "cannot be used with"),
        (&[POD, "--no-probe", "--probe"], "cannot be used with"),
        (&[POD, "--from", "x.yaml", "--probe"], "cannot be used with"),
        (&[POD, "--from", "x.yaml", "--wait"], "cannot be used with"),
        (&[POD, "--error", "AccessDenied", "--wait"], "cannot be used with"),
        (&[POD, "--from", "x.yaml", "--probe-image", "irsa-probe"], "cannot be used with"),
        (&[POD, "--context", "nope"], "there is no context \"nope\"; the contexts there: world"),
        (&[POD, "--kubeconfig", "/nonexistent/config"], "/nonexistent/config does not exist"),
        (&[POD, "--from", "/nonexistent.yaml"], "/nonexistent.yaml"),
    ] {
        let run = debug(args);
        assert!(refused(&run).contains(expected), "{args:?}: {run:?}");
    }
    let none = run(plugin().args(["debug", "--no-probe", POD]));
    assert!(refused(&none).starts_with("error: no kubeconfig"), "{none:?}");
    let nothing = run(plugin().arg("debug"));
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
    let unknown = run(plugin().args(["debug", "--no-probe", POD, "--no-such-flag"]));
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
}

#[test]
fn broken_files_are_named_with_their_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let from = |path: &Path| run(plugin().args(["debug", "pod/x", "--from"]).arg(path));
    let broken = from(&file("broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: [x\n"));
    assert!(refused(&broken).contains("broken.yaml:"), "{broken:?}");
    let empty = from(&file("empty.yaml", ""));
    assert!(refused(&empty).contains("empty.yaml is empty"), "{empty:?}");
    let wrong = from(&file("list.yaml", "- 1\n- 2\n"));
    assert!(refused(&wrong).contains("list.yaml"), "{wrong:?}");
    let typed =
        from(&file("typed.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: 7}\n"));
    assert!(refused(&typed).contains("typed.yaml:"), "{typed:?}");
    let other = from(&file("other.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: other}\n"));
    assert!(refused(&other).contains("pod/x not found"), "{other:?}");

    // A sparse file of 200 MB must be refused at once, not read.
    let large = directory.path().join("large.yaml");
    std::fs::File::create(&large).unwrap().set_len(200 << 20).unwrap();
    let large = from(&large);
    assert!(refused(&large).contains("large.yaml"), "{large:?}");
}

#[test]
fn files_and_stdin_give_the_same_diagnosis() {
    let world = bases_dir().join("eks-without-aws.yaml");
    let file = run(plugin().args(["debug", "--no-probe", POD, "--from"]).arg(&world).args(["-o", "json"]));
    let stdin = run(plugin()
        .args(["debug", "--no-probe", POD, "--from", "-", "-o", "json"])
        .stdin(Stdio::from(std::fs::File::open(&world).unwrap())));
    assert_eq!(file.code, Some(3), "{file:?}");
    assert_eq!(file.diagnosis()["verdict"], stdin.diagnosis()["verdict"]);
    assert_eq!(
        file.diagnosis()["chain"].to_string().replace(&world.display().to_string(), "stdin"),
        stdin.diagnosis()["chain"].to_string()
    );
}

#[test]
fn targets_may_stand_behind_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/trust.yaml");
    std::fs::copy(example, directory.path().join("a.yaml")).unwrap();
    let debug = |words: &[&str]| run(plugin().current_dir(directory.path()).arg("debug").args(words));
    let before = debug(&["deploy/checkout", "--from", "a.yaml", "-n", "shop", "-o", "short"]);
    assert_eq!(before.code, Some(1), "{before:?}");
    for words in [
        &["--from", "a.yaml", "deploy/checkout", "-n", "shop", "-o", "short"][..],
        &["-n", "shop", "-o", "short", "--from", "a.yaml", "--from", "a.yaml", "deploy/checkout"],
        &["-n", "shop", "-o", "short", "--from", ".", "a.yaml", "deploy/checkout"],
    ] {
        assert_eq!(debug(words).stdout, before.stdout, "{words:?}");
    }
    for words in [
        &["--from", "a.yaml", "b.yaml"][..],
        &["--from", "deploy/checkout"],
        &["--from", "a.yaml", "svc/x"],
        &["--from=a.yaml"],
    ] {
        let run = debug(words);
        let usage = refused(&run);
        assert!(usage.contains("<TARGET>...") && usage.contains("Usage: kubectl irsa debug"), "{run:?}");
    }
    // A path that exists is a path, whatever it looks like.
    std::fs::create_dir(directory.path().join("deploy")).unwrap();
    std::fs::write(directory.path().join("deploy/checkout"), "").unwrap();
    refused(&debug(&["--from", "a.yaml", "deploy/checkout"]));
}

#[test]
fn a_server_that_is_not_there_or_does_not_answer() {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = directory.path().join("config");
    let write = |server: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: k, cluster: {{server: '{server}'}}}}]\n\
             users: [{{name: u, user: {{token: t}}}}]\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n"
        );
        std::fs::write(&kubeconfig, text).unwrap();
    };
    write("https://127.0.0.1:1");
    let refused_connection = run(plugin().env("KUBECONFIG", &kubeconfig).args(["debug", "--no-probe", POD]));
    let words = refused(&refused_connection);
    assert!(words.contains("https://127.0.0.1:1") && words.contains("refused"), "{words}");

    // A listener that accepts and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", silent.local_addr().unwrap());
    write(&address);
    let timed_out = run(plugin().env("KUBECONFIG", &kubeconfig).args([
        "debug",
        "--no-probe",
        POD,
        "--request-timeout",
        "300ms",
    ]));
    let words = refused(&timed_out);
    assert!(words.contains(&address), "{words}");
}

#[test]
fn a_signal_stops_at_once_and_says_what_is_left_behind() {
    for signal in ["-INT", "-TERM"] {
        stopped_by(signal);
    }
}

fn stopped_by(signal: &str) {
    let world = base_text().replacen("\nexpect:", "\nhang: [\"get pods\"]\nexpect:", 1);
    let kube = FakeKube::start(&World::parse("hang", &world).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let mut child = plugin()
        .env("KUBECONFIG", kube.kubeconfig(directory.path()))
        .args(["debug", "--no-probe", POD, "-n", "shop"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while kube.requests().iter().all(|seen| seen.resource != "pods") {
        assert!(Instant::now() < deadline, "the plugin never asked for the pod");
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let status = child.wait().unwrap();
    let mut stderr = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut stderr).unwrap();
    assert_eq!(status.code(), Some(130), "{stderr}");
    assert_eq!(stderr, "error: interrupted; nothing was added to the cluster\n");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("{} explain; echo $? >&2", binary().display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map(|mut child| {
            drop(child.stdout.take());
            child.wait_with_output().unwrap()
        })
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "0\n");
}

#[test]
fn colour_only_where_it_is_wanted() {
    let kube = FakeKube::start(&base());
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = kube.kubeconfig(directory.path());
    let debug = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = plugin();
        command.env("KUBECONFIG", &kubeconfig).args(["debug", "--no-probe", POD, "-n", "shop"]).args(args);
        run(command.envs(env.iter().copied())).stdout
    };
    assert!(!debug(&[], &[]).contains('\u{1b}'), "piped");
    assert!(debug(&["--color", "always"], &[]).contains('\u{1b}'), "asked for");
    assert!(!debug(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'), "refused");
    assert!(debug(&[], &[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'), "forced");
    assert!(!debug(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'), "NO_COLOR");
}

#[test]
fn as_a_plugin_through_a_real_kubectl() {
    let kube = FakeKube::start(&base());
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("kubectl-irsa");
    std::os::unix::fs::symlink(binary(), &link).unwrap();
    assert!(std::fs::metadata(&link).unwrap().permissions().mode() & 0o111 != 0);
    let path = std::env::join_paths(
        std::iter::once(directory.path().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    let mut command = Command::new("kubectl");
    command.env_clear().env("PATH", path).env("HOME", directory.path()).stdin(Stdio::null());
    command.env("KUBECONFIG", kube.kubeconfig(directory.path())).args([
        "irsa",
        "debug",
        "--no-probe",
        POD,
        "-n",
        "shop",
    ]);
    inconclusive(&run(&mut command));
}

#[test]
fn the_image_to_mirror_is_the_one_that_debug_would_start() {
    let image = |args: &[&str], set: &str| {
        let mut image = plugin();
        run(image.env("KUBECTL_IRSA_PROBE_IMAGE", set).arg("image").args(args))
    };
    let default = concat!("ghcr.io/kubectl-irsa/irsa-probe:", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(image(&[], "").stdout, default);
    assert_eq!(image(&[], "registry.example/probe:1").stdout, "registry.example/probe:1\n");
    let flag = ["--probe-image", "registry.example/probe:2"];
    assert_eq!(image(&flag, "registry.example/probe:1").stdout, "registry.example/probe:2\n");
    assert!(refused(&image(&[], "https://x")).contains("is not an image reference"));
    for args in [&["--no-probe"][..], &["--from", "-"]] {
        let both = run(plugin().args(["debug", POD]).args(args).args(flag));
        assert!(refused(&both).contains("cannot be used with"), "{both:?}");
    }
}

#[test]
fn the_version_names_the_image_and_both_forms_agree() {
    let text = run(plugin().arg("version"));
    let json = run(plugin().args(["version", "-o", "json"])).json();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["platform"], format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH));
    for field in ["version", "platform", "probeImage"] {
        assert!(text.stdout.contains(json[field].as_str().unwrap()), "{field}: {text:?}");
    }
    let set = run(plugin().args(["version", "--probe-image", "registry.example/probe:2"]));
    assert!(set.stdout.contains("registry.example/probe:2"), "{set:?}");
}

#[test]
fn a_bundle_is_saved_once_and_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let kube = FakeKube::start(&base());
    let kubeconfig = kube.kubeconfig(directory.path());
    let bundle = |args: &[&str]| {
        let mut command = plugin();
        command.current_dir(directory.path()).env("KUBECONFIG", &kubeconfig);
        run(command.args(["bundle", "--no-probe", "--no-assume", "-n", "shop", POD]).args(args))
    };
    let debug = |args: &[&str]| run(plugin().current_dir(directory.path()).arg("debug").args(args));
    let name = format!("irsa-bundle-shop-{}.yaml", POD.trim_start_matches("pod/"));
    let saved = bundle(&[]);
    assert!(saved.code == Some(0) && saved.stdout.is_empty() && saved.stderr.contains(&name), "{saved:?}");
    // The command that it prints, and that stands in the file.
    let text = std::fs::read_to_string(directory.path().join(&name)).unwrap();
    assert!(text.starts_with(&format!("# kubectl irsa debug {POD} -n shop --from ")), "{text}");
    inconclusive(&debug(&[POD, "-n", "shop", "--from", &name]));
    assert!(refused(&bundle(&[])).contains("-o FILE"));
    assert_eq!(bundle(&["-o", &name]).code, Some(0));
    // Nothing of its target is left, and the target is called otherwise.
    let redacted = bundle(&["--redact", "all", "-o", "-"]).stdout;
    assert!(!redacted.contains("checkout") && !redacted.contains("111122223333"), "{redacted}");
    std::fs::write(directory.path().join("redacted.yaml"), &redacted).unwrap();
    let line = redacted.lines().next().unwrap().split(' ').collect::<Vec<_>>();
    let target = line.iter().position(|word| word.starts_with("pod/")).unwrap();
    inconclusive(&debug(&[line[target], "-n", line[target + 2], "--from", "redacted.yaml"]));
    // One of another version, or of which a part is missing.
    let broken = text.replace("\n  replica_set:", "\n  replicas:").replace("version: 0.1", "version: 0.9");
    std::fs::write(directory.path().join("broken.yaml"), broken).unwrap();
    let broken = debug(&[POD, "-n", "shop", "--from", "broken.yaml"]);
    assert!(
        refused(&broken).contains("broken.yaml:") && broken.stderr.contains("has no replica_set"),
        "{broken:?}"
    );
}

#[test]
fn policies_are_printed_for_known_checks_only() {
    let export = |args: &[&str]| run(plugin().args(["policy", "export", "--as", "vap"]).args(args));
    let one = export(&["--only", "skip-label"]).stdout;
    assert!(one.contains("irsa-skip-label") && one.contains("validationActions:\n  - Warn"), "{one}");
    for (args, said) in [
        (["--only", "skip-lable"], "skip-label"),
        (["--only", "sts-refused"], "needs more than one object"),
        (["--only", "wrong-partition"], "needs --account, wrong-partition --partition"),
        (["--account", "1) || (true"], "twelve digits"),
        (["--partition", "aws'"], "such as aws"),
        (["--namespace-selector", "shop"], "team=shop"),
    ] {
        assert!(refused(&export(&args)).contains(said), "{args:?}");
    }
}

#[test]
fn man_pages_for_every_command() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man1");
    assert_eq!(run(plugin().arg("man").arg(&pages)).code, Some(0));
    for (page, holds) in [
        ("kubectl-irsa.1", "kubectl\\-irsa\\-debug(1)"),
        ("kubectl-irsa-debug.1", "no\\-probe"),
        ("kubectl-irsa-explain.1", "EXTRA"),
    ] {
        let text = std::fs::read_to_string(pages.join(page)).unwrap();
        assert!(text.contains(holds), "{page}: {text}");
    }
    assert!(!pages.join("kubectl-irsa-man.1").exists(), "only for those who package it");
    assert!(refused(&run(plugin().args(["man", "/dev/null/x"]))).contains("/dev/null/x"));
}

#[test]
fn help_has_examples_and_every_shell_a_completion() {
    for args in [&["--help"][..], &["debug", "--help"], &["explain", "--help"], &["completion", "--help"]] {
        let help = run(plugin().args(args));
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains("kubectl irsa") || help.stdout.contains("kubectl-irsa"), "{help:?}");
    }
    for command in ["debug", "lint", "bundle", "explain", "trust", "image", "version", "completion"] {
        assert!(run(plugin().args([command, "--help"])).stdout.contains("Examples:"), "{command}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(plugin().args(["completion", shell]));
        assert!(script.code == Some(0) && script.stdout.contains("debug"), "{shell}");
    }
    let version = run(plugin().arg("--version"));
    assert_eq!(version.stdout, concat!("kubectl-irsa ", env!("CARGO_PKG_VERSION"), "\n"));
}

/// Waiting for one answer after another is what a user feels. The time itself is measured in the benches.
#[test]
fn three_answers_in_a_row_for_a_pod_and_four_for_a_workload() {
    for (target, at_most) in [(POD, 3), ("deploy/checkout", 4), ("sa/checkout", 3)] {
        let kube = FakeKube::start(&base());
        kube.set_latency(Duration::from_millis(100));
        let directory = tempfile::tempdir().unwrap();
        let run = run(plugin().env("KUBECONFIG", kube.kubeconfig(directory.path())).args([
            "debug",
            "--no-probe",
            target,
            "-n",
            "shop",
        ]));
        inconclusive(&run);
        assert!(kube.sequential_depth() <= at_most, "{target}: {} in a row", kube.sequential_depth());
    }
}

#[test]
fn a_printed_command_with_a_role_that_only_the_user_knows_keeps_the_flags_apart() {
    let text = base_text()
        .replace(
            "    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/shop-checkout\n",
            "    team: shop\n",
        )
        .replace("AWS_ROLE_ARN", "OTHER_ROLE")
        .replace("AWS_WEB_IDENTITY_TOKEN_FILE", "OTHER_FILE");
    let kube = FakeKube::start(&World::parse("bare", &text).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let mut command = plugin();
    command.env("KUBECONFIG", kube.kubeconfig(directory.path())).args([
        "debug",
        "--no-probe",
        POD,
        "-n",
        "shop",
        "--context",
        "world",
    ]);
    let run = run(command.args(["-o", "short"]));
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.stdout.contains("kubectl --context=world annotate serviceaccount checkout -n shop --overwrite eks.amazonaws.com/role-arn=\"${ROLE_ARN:?}\""),
        "{run:?}"
    );
}

#[test]
fn one_target_that_is_missing_does_not_take_the_others_away() {
    let kube = FakeKube::start(&base());
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = kube.kubeconfig(directory.path());
    let debug = |args: &[&str]| {
        run(plugin().env("KUBECONFIG", &kubeconfig).args(["debug", "--no-probe", "-n", "shop"]).args(args))
    };
    let mixed = debug(&[POD, "pod/missing"]);
    assert_eq!(mixed.code, Some(2), "2 wins over 3: {mixed:?}");
    assert!(
        mixed.stdout.contains("inconclusive") && mixed.stderr.contains("pod/missing not found"),
        "{mixed:?}"
    );
    let both = debug(&["pod/missing", "pod/gone"]);
    assert_eq!(refused(&both).lines().count(), 2, "{both:?}");
}

/// A kubeconfig whose user signs in with a script.
fn with_exec_plugin(directory: &Path, server: &str, script: &str, mode: &str) -> PathBuf {
    let (kubeconfig, plugin) = (directory.join("config"), directory.join("plugin"));
    std::fs::write(&plugin, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755)).unwrap();
    let text = format!(
        "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u, namespace: shop}}}}]\n\
         clusters: [{{name: k, cluster: {{server: '{server}', insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: u, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: ./plugin, \
         interactiveMode: {mode}, provideClusterInfo: true}}}}}}]\n"
    );
    std::fs::write(&kubeconfig, text).unwrap();
    kubeconfig
}

#[test]
fn an_exec_plugin_runs_once_and_is_told_of_the_cluster_and_leaves_stdin_alone() {
    let kube = FakeKube::start(&base());
    let directory = tempfile::tempdir().unwrap();
    let credential =
        serde_json::json!({"kind": "ExecCredential", "status": {"token": irsa_tests::kube_api::TOKEN}});
    let script = format!(
        "echo \"$KUBERNETES_EXEC_INFO\" >>{seen}\ncat >>{seen}\necho '{credential}'",
        seen = directory.path().join("seen").display()
    );
    let kubeconfig = with_exec_plugin(directory.path(), &kube.url(), &script, "IfAvailable");
    let mut child = plugin()
        .env("KUBECONFIG", &kubeconfig)
        .args(["debug", "--no-probe", POD, "--error", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"AccessDenied: what the application said").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let seen = std::fs::read_to_string(directory.path().join("seen")).unwrap();
    let told: serde_json::Value =
        serde_json::from_str(&seen).unwrap_or_else(|error| panic!("{error}: {seen}"));
    assert_eq!(told["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!(told["spec"]["interactive"], false);
    assert_eq!(told["spec"]["cluster"]["server"], kube.url().as_str());
    assert_eq!(told["spec"]["cluster"]["insecure-skip-tls-verify"], true);
}

#[test]
fn an_exec_plugin_that_cannot_do_its_work_is_named() {
    let directory = tempfile::tempdir().unwrap();
    for (script, mode, said) in [
        ("exit 7", "Never", "plugin failed (exit status: 7)"),
        ("echo '{}'", "Never", "did not print an ExecCredential"),
        ("echo '{\"status\": {}}'", "Never", "it has neither a token nor a certificate"),
        ("exit 0", "Always", "needs to prompt you, but standard input is not a terminal"),
    ] {
        let kubeconfig = with_exec_plugin(directory.path(), "https://127.0.0.1:1", script, mode);
        let run = run(plugin().env("KUBECONFIG", &kubeconfig).args(["debug", "--no-probe", POD]));
        assert!(refused(&run).contains(said), "{run:?}");
    }
    let kubeconfig = with_exec_plugin(directory.path(), "https://127.0.0.1:1", "", "Never");
    let text = std::fs::read_to_string(&kubeconfig).unwrap();
    std::fs::write(
        &kubeconfig,
        text.replace("./plugin", "no-such-program, installHint: get it from example.com"),
    )
    .unwrap();
    let run = run(plugin().env("KUBECONFIG", &kubeconfig).args(["debug", "--no-probe", POD]));
    assert!(refused(&run).contains("no-such-program cannot be run"), "{run:?}");
    assert!(refused(&run).contains("get it from example.com"), "{run:?}");
}

/// The commonest failure at night: yesterday's single sign-on.
#[test]
fn an_exec_plugin_whose_sign_in_has_expired_says_so_and_how_to_sign_in_again() {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = with_exec_plugin(
        directory.path(),
        "https://127.0.0.1:1",
        "printf 'Error when retrieving token from sso: Token has expired\\n and refresh failed\\n' >&2; exit 255",
        "Never",
    );
    let words = "it says: Error when retrieving token from sso: Token has expired and refresh failed";
    let failed = |command: &str| {
        let text = std::fs::read_to_string(&kubeconfig).unwrap();
        let text = text.replace(
            "./plugin",
            &format!("./{command}, args: [eks, get-token, --cluster-name, prod, --profile, work]"),
        );
        std::fs::copy(directory.path().join("plugin"), directory.path().join(command)).unwrap();
        let path = directory.path().join(format!("{command}.yaml"));
        std::fs::write(&path, text).unwrap();
        let run = run(plugin().env("KUBECONFIG", &path).args(["debug", "--no-probe", POD]));
        refused(&run).to_owned()
    };
    let said = failed("aws");
    let by_hand = "/aws eks get-token --cluster-name prod --profile work\n";
    for words in
        ["failed (exit status: 255)", by_hand, words, "\nsign in again:\n  aws sso login --profile work"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    // What another program is given may be a secret, and its sign-in is its own.
    let said = failed("other");
    assert!(said.contains(words) && !said.contains("sign in again") && !said.contains("--profile"), "{said}");
}

#[test]
fn ctrl_c_ends_an_exec_plugin_that_hangs() {
    let directory = tempfile::tempdir().unwrap();
    let started = directory.path().join("started");
    let script = format!("echo $$ >{}\nexec sleep 600", started.display());
    let kubeconfig = with_exec_plugin(directory.path(), "https://127.0.0.1:1", &script, "Never");
    let child = plugin()
        .env("KUBECONFIG", &kubeconfig)
        .args(["debug", "--no-probe", POD])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let hanging = loop {
        match std::fs::read_to_string(&started) {
            Ok(pid) if pid.ends_with('\n') => break pid.trim().to_owned(),
            _ => assert!(Instant::now() < deadline, "the exec plugin was never started"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    while Path::new("/proc").join(&hanging).join("exe").exists() {
        assert!(Instant::now() < deadline, "the exec plugin is still running");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_signal_ends_it_while_the_system_waits_for_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = with_exec_plugin(directory.path(), "https://127.0.0.1:1", "", "Never");
    let text = std::fs::read_to_string(&kubeconfig).unwrap();
    std::fs::write(&kubeconfig, text.replace("user: {exec:", "user: {tokenFile: pipe, exec:")).unwrap();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = plugin()
        .env("KUBECONFIG", &kubeconfig)
        .args(["debug", "--no-probe", POD])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Opening it for writing waits for the reader; nothing is written.
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let deadline = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it still waits for the file");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    drop(writer);
    assert_eq!(status.code(), Some(130));
}

#[test]
fn the_environments_proxy_and_what_it_is_not_for() {
    let kube = FakeKube::start(&base());
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = kube.kubeconfig(directory.path());
    let debug = |no_proxy: &str| {
        let mut command = plugin();
        command.env("KUBECONFIG", &kubeconfig).env("NO_PROXY", no_proxy);
        // Nobody listens there.
        run(command.env("HTTPS_PROXY", "http://127.0.0.2:1").args(["debug", "--no-probe", POD, "-n", "shop"]))
    };
    inconclusive(&debug("127.0.0.1"));
    let proxied = debug("127.0.0.2");
    assert!(refused(&proxied).contains("refused"), "{proxied:?}");
}

#[test]
fn what_an_exec_plugin_or_a_kubeconfig_holds_is_not_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = directory.path().join("config");
    let script = directory.path().join("plugin");
    let says = "cannot sign in with password=hunter2-word, $CLIENT_SECRET and $2";
    std::fs::write(&script, format!("#!/bin/sh\necho hunter2-token\necho \"{says}\" >&2\nexit 1\n")).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = |user: &str| {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: k, cluster: {{server: 'https://127.0.0.1:1'}}}}]\n\
             contexts: [{{name: c, context: {{cluster: k, user: u}}}}]\nusers:\n- name: u\n  user: {user}\n"
        )
    };
    let exec = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: '{}', args: [--client-secret, hunter2-arg], interactiveMode: Never, env: [{{name: CLIENT_SECRET, value: hunter2-env}}]}}}}",
        script.display()
    );
    for user in [exec.as_str(), "{token: hunter2, client-key-data: [unclosed}"] {
        std::fs::write(&kubeconfig, config(user)).unwrap();
        let run = run(plugin().env("KUBECONFIG", &kubeconfig).args(["debug", "--no-probe", POD, "-v"]));
        refused(&run);
        assert!(!run.stderr.contains("hunter2"), "{run:?}");
        assert_eq!(run.stderr.contains("it says: cannot sign in with"), user == exec, "{run:?}");
    }
    // The plugin succeeds and prints something else than a credential.
    std::fs::write(&script, "#!/bin/sh\necho 'status: {token: hunter2-token'\n").unwrap();
    std::fs::write(&kubeconfig, config(&exec)).unwrap();
    let run = run(plugin().env("KUBECONFIG", &kubeconfig).args(["debug", "--no-probe", POD, "-v"]));
    refused(&run);
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
}

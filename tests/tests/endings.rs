//! How a run ends, and what it leaves: output that cannot be written, input without an end, and no core.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::symlink;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use irsa::output::Format;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::run::{binary, plugin, run};
use irsa_tests::world::{World, bases_dir};

fn base() -> World {
    World::load(&bases_dir().join("eks-without-aws.yaml")).unwrap()
}

fn example() -> String {
    format!("{}/../examples/trust.yaml", env!("CARGO_MANIFEST_DIR"))
}

/// One command line for everything that prints.
fn printing(issuer: &str) -> Vec<Vec<String>> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut all: Vec<Vec<String>> = [
        "--help",
        "--version",
        "help debug",
        "debug --help",
        "explain",
        "explain sa-not-annotated",
        "explain audience",
        "explain AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        "version",
        "version -o json",
        "image",
        "completion --help",
        "completion bash",
        "completion zsh",
        "completion fish",
        "completion powershell",
        "completion elvish",
    ]
    .map(words)
    .into();
    for (_, format, _) in Format::ALL {
        all.push(words(&format!("debug deploy/checkout -n shop -o {format} --from {}", example())));
    }
    for format in ["text", "json"] {
        all.push(words(&format!("thumbprint {issuer} -o {format}")));
    }
    // Of an example without problems: what could be written would be a success.
    for format in ["text", "json", "sarif", "junit"] {
        all.push(words(&format!("lint -o {format} {}", example())));
    }
    all
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let kube = FakeKube::start(&base());
    for words in printing(&kube.url()) {
        let printed = run(plugin().args(&words));
        assert!(
            !printed.stdout.is_empty() && matches!(printed.code, Some(0 | 1 | 3)),
            "{words:?}: {printed:?}"
        );
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        // Nothing can be written to it; for std's own handle that is a success.
        let read_only = File::open("/dev/null").unwrap();
        for (unwritable, why) in [(full, "No space left"), (read_only, "Bad file descriptor")] {
            let mut command = plugin();
            let child = command.args(&words).stdout(unwritable).stderr(Stdio::piped()).spawn().unwrap();
            let ended = child.wait_with_output().unwrap();
            let said = String::from_utf8(ended.stderr).unwrap();
            assert_eq!(ended.status.code(), Some(2), "{words:?}: {said}");
            assert!(said.contains(&format!("error: cannot write to stdout: {why}")), "{words:?}: {said}");
        }
    }
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    for words in ["explain", "--help", "completion bash"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = plugin().args(words.split(' ')).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]), "{words}");
    }
}

#[test]
fn candidates_that_cannot_be_written_are_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("kubectl_complete-irsa");
    symlink(binary(), &link).unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = Command::new(link).arg("deb").stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

/// The plugin while it waits for an exec plugin, which tells its own limits.
fn waiting(directory: &Path) -> Child {
    let kubeconfig = directory.join("config");
    let limits = directory.join("limits");
    let script = format!("cat /proc/self/limits > {0}.new && mv {0}.new {0}; sleep 60", limits.display());
    let text = format!(
        "current-context: c\nclusters: [{{name: k, cluster: {{server: 'https://127.0.0.1:9'}}}}]\n\
         contexts: [{{name: c, context: {{cluster: k, user: u}}}}]\nusers: [{{name: u, user: {{exec: {{\
         apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: [-c, '{script}']}}}}}}]\n"
    );
    std::fs::write(&kubeconfig, text).unwrap();
    let mut command = Command::new("sh");
    // The soft limit as high as it may be: what the plugin does, not what it found.
    command.args(["-c", "ulimit -S -c $(ulimit -H -c); exec \"$@\"", "sh"]).arg(binary());
    command.args(["debug", "pod/checkout", "--kubeconfig"]).arg(&kubeconfig);
    let child = command.current_dir(directory).stderr(Stdio::null()).process_group(0).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while !limits.exists() {
        assert!(Instant::now() < until, "the exec plugin does not run");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[test]
fn no_core_is_dumped_and_none_by_an_exec_plugin() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = waiting(directory.path());
    let of_plugin = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let of_child = std::fs::read_to_string(directory.path().join("limits")).unwrap();
    // Not SIGQUIT, which whoever is started in the background ignores.
    let abort = Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap();
    let ended = child.wait().unwrap();
    assert!(abort.success());
    // The exec plugin outlives a plugin that is killed.
    let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
    for limits in [of_plugin, of_child] {
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let words: Vec<&str> = core.split_whitespace().collect();
        assert_eq!(words, ["Max", "core", "file", "size", "0", "0", "bytes"]);
    }
    assert_eq!((ended.core_dumped(), ended.signal()), (false, Some(6)));
}

/// A kubeconfig whose cluster and user have these fields.
fn kubeconfig(directory: &Path, server: &str, cluster: &str, user: &str) -> String {
    let path = directory.join("kubeconfig");
    let text = format!(
        "current-context: c\nclusters: [{{name: k, cluster: {{server: '{server}'{cluster}}}}}]\n\
         contexts: [{{name: c, context: {{cluster: k, user: u}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
    );
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_file_without_an_end_holds_up_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.display().to_string();
    let as_directory = directory.path().display().to_string();
    for (file, why) in [
        (pipe.as_str(), "1 s (--timeout)"),
        ("/dev/zero", "larger than"),
        (as_directory.as_str(), "directory"),
    ] {
        let of = |cluster: &str, user: &str| {
            let user = format!("username: x{user}");
            kubeconfig(directory.path(), "https://127.0.0.1:9", cluster, &user)
        };
        let named = |cluster: &str, user: &str| {
            let of_cluster = if cluster.is_empty() { String::new() } else { format!(", {cluster}: {file}") };
            let of_user = if user.is_empty() { String::new() } else { format!(", {user}: {file}") };
            let path = of(&of_cluster, &of_user);
            let config = std::fs::read_to_string(&path).unwrap();
            let mine = format!("{path}-{cluster}{user}");
            std::fs::write(&mine, config).unwrap();
            vec![String::from("--kubeconfig"), mine]
        };
        let mut all = vec![
            vec![String::from("--kubeconfig"), file.to_owned()],
            named("certificate-authority", ""),
            named("", "tokenFile"),
            named("", "client-certificate"),
            named("", "client-key"),
        ];
        // A directory is a way to name files.
        if file != as_directory {
            all.push(vec![String::from("--from"), file.to_owned()]);
        }
        for words in all {
            let began = Instant::now();
            let timeout = if file == pipe { "1s" } else { "60s" };
            let ended = run(plugin().args(["debug", "pod/checkout", "--timeout", timeout]).args(&words));
            assert_eq!(ended.code, Some(2), "{words:?}: {ended:?}");
            assert!(ended.stderr.contains(why), "{words:?}: {ended:?}");
            assert!(began.elapsed() < Duration::from_secs(30), "{words:?}");
        }
    }
}

#[test]
fn a_kubeconfig_may_be_a_pipe() {
    let directory = tempfile::tempdir().unwrap();
    let path = kubeconfig(directory.path(), "https://127.0.0.1:9", "", "");
    let mut command = Command::new("bash");
    command.args(["-c", "\"$0\" debug pod/checkout --kubeconfig <(cat \"$1\")"]).arg(binary()).arg(path);
    let ended = run(&mut command);
    assert!(ended.stderr.contains("127.0.0.1:9"), "{ended:?}");
}

#[test]
fn what_never_ends_on_stdin_or_from_an_exec_plugin_is_refused() {
    let zero = || File::open("/dev/zero").unwrap();
    let explained = run(plugin().args(["explain", "-"]).stdin(zero()));
    assert_eq!(
        (explained.code, explained.stderr.as_str()),
        (Some(2), "error: cannot read stdin: it is larger than 16 MiB\n")
    );
    let said =
        run(plugin().args(["debug", "pod/checkout", "--error", "-", "--from", &example()]).stdin(zero()));
    assert!(said.stderr.contains("larger than 16 MiB"), "{said:?}");
    let files = run(plugin().args(["debug", "pod/checkout", "--from", "-"]).stdin(zero()));
    assert!(files.stderr.contains("stdin is larger than 64 MiB"), "{files:?}");

    let directory = tempfile::tempdir().unwrap();
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: cat, args: [/dev/zero]}";
    let path = kubeconfig(directory.path(), "https://127.0.0.1:9", "", exec);
    let signed_in = run(plugin().args(["debug", "pod/checkout", "--kubeconfig", &path]));
    assert!(
        signed_in.stderr.contains("did not print an ExecCredential: it is larger than 1 MiB"),
        "{signed_in:?}"
    );
}

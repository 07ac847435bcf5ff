//! However a run ends, there is a report.

use crate::pod::Pod;
use crate::server::Server;
use crate::sts::{accepts, refuses};
use irsa_probe::{Ended, FaultKind, Report};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::{Duration, Instant};

fn hanging() -> (Server, Pod) {
    let server = Server::plain(|_| None);
    let mut pod = Pod::new();
    pod.set("AWS_ENDPOINT_URL_STS", &server.url());
    (server, pod)
}

#[test]
fn a_server_that_hangs_is_left_in_time() {
    let (_server, mut pod) = hanging();
    pod.options.deadline = 1_500;
    let start = Instant::now();
    let report = pod.run().report;
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_eq!(report.sts.unwrap().assume.unwrap().fault.unwrap().kind, FaultKind::Timeout);
}

#[test]
fn a_server_that_drips_is_left_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = b"HTTP/1.1 200 OK\r\nX: ".iter().chain(std::iter::repeat(&b'x'));
        for byte in head {
            if std::io::Write::write_all(&mut stream, &[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let mut pod = Pod::new();
    pod.set("AWS_ENDPOINT_URL_STS", &format!("http://{address}"));
    pod.options.deadline = 1_500;
    let start = Instant::now();
    let report = pod.run().report;
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_eq!(report.sts.unwrap().assume.unwrap().fault.unwrap().kind, FaultKind::Timeout);
}

#[test]
fn a_signal_ends_it_with_what_is_known() {
    for signal in ["TERM", "INT"] {
        let (server, pod) = hanging();
        let probe = pod.start();
        server.wait_for_request();
        let kill =
            Command::new("kill").arg(format!("-{signal}")).arg(probe.id().to_string()).status().unwrap();
        assert!(kill.success());
        let run = pod.wait(probe);
        for report in [run.report, run.compact] {
            assert_eq!(report.ended, Some(Ended::Signal));
            assert_eq!(report.unfinished, ["sts"]);
            assert!(report.token.unwrap().own.readable);
        }
    }
}

#[test]
fn no_core_is_dumped() {
    let (server, pod) = hanging();
    let mut probe = pod.start();
    server.wait_for_request();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", probe.id())).unwrap();
    let quit = Command::new("kill").arg("-QUIT").arg(probe.id().to_string()).status().unwrap();
    assert!(quit.success() && !probe.wait().unwrap().core_dumped());
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(
        core.split_whitespace().collect::<Vec<_>>(),
        ["Max", "core", "file", "size", "0", "0", "bytes"]
    );
}

#[test]
fn no_time_at_all_is_a_report_too() {
    let mut pod = Pod::new();
    pod.options.deadline = 0;
    let report = pod.run().report;
    assert_eq!(report.ended, Some(Ended::Deadline));
    assert!(!report.unfinished.is_empty());
}

#[test]
fn every_budget_is_kept() {
    let message = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
    let server = Server::plain(move |_| refuses(403, "AccessDenied", message));
    let mut pod = Pod::new();
    pod.set("AWS_ENDPOINT_URL_STS", &server.url());
    for budget in [400, 409, 614, 1_228, 2_457, 3_072, 4_096] {
        pod.options.budget = budget;
        let run = pod.run();
        assert!(run.report.dropped.is_empty());
        // Thirty containers share 12 KiB: what STS says fits even then.
        let answer = run.compact.sts.unwrap().assume.unwrap();
        assert_eq!(answer.message.as_deref(), Some(message), "{budget}");
    }
    pod.options.budget = 4_096;
    assert!(pod.run().compact.dropped.is_empty(), "a usual report fits whole");
}

#[test]
fn a_missing_termination_log_is_told() {
    let mut pod = Pod::new();
    let elsewhere = pod.path("elsewhere");
    let log = std::mem::replace(&mut pod.options.termination_log, elsewhere.into());
    let mut text = String::new();
    let mut probe = pod.start();
    probe.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(probe.wait().unwrap().success());
    let report: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(report.termination_fault.unwrap().kind, FaultKind::NotFound);
    assert_eq!(std::fs::read(log).unwrap(), b"");
}

#[test]
fn wrong_arguments_are_reported() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_irsa-probe")).arg("--verbose").env_clear().output().unwrap();
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (report.ended, report.detail.as_deref()),
        (Some(Ended::Usage), Some("unknown argument --verbose"))
    );
}

#[test]
fn nothing_is_asked_of_others_than_sts_and_the_node() {
    let server = Server::plain(accepts);
    let mut pod = Pod::new();
    pod.set("AWS_ENDPOINT_URL_STS", &server.url());
    let report = pod.run().report;
    assert_eq!(report.ended, Some(Ended::Complete));
    assert!(report.container_credentials.is_none());
    assert_eq!(server.requests().len(), 2);
}

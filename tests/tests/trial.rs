//! Where the plugin tries the token: at the endpoint of STS that the user's own settings name, and nowhere in the clear.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use irsa_tests::aws::FakeAws;
use irsa_tests::kube_api::FakeKube;
use irsa_tests::run::{Run, plugin, run};
use irsa_tests::world::{World, bases_dir};

const ACCEPTED: &str = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <AssumeRoleWithWebIdentityResult><AssumedRoleUser><AssumedRoleId>AROA:kubectl-irsa-debug</AssumedRoleId>\
    <Arn>arn:aws:sts::111122223333:assumed-role/shop-checkout/kubectl-irsa-debug</Arn></AssumedRoleUser>\
    <Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
    <SessionToken>session</SessionToken><Expiration>2026-11-22T09:00:00Z</Expiration></Credentials>\
    </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";

/// Runs `debug` in a world where all is in order, with a variable of the user's own.
fn debug(name: &str, value: &str) -> Run {
    let world = World::load(&bases_dir().join("eks.yaml")).unwrap();
    let kube = FakeKube::start(&world);
    let aws = FakeAws::start(&world, Some(&kube));
    let directory = tempfile::tempdir().unwrap();
    let mut command = plugin();
    command.env("KUBECONFIG", kube.kubeconfig(directory.path())).envs(aws.env(directory.path()));
    let arguments = ["debug", "--no-probe", "-v", "pod/checkout-7d9f8b6c5d-x2x4z", "-n", "shop"];
    run(command.env(name, value).args(arguments))
}

/// A host on this machine that accepts every token; it reports the actions that it was asked for.
fn gateway() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (report, reported) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if report.send(answer(stream.unwrap())).is_err() {
                break;
            }
        }
    });
    (url, reported)
}

fn answer(mut stream: TcpStream) -> String {
    let (mut request, mut buffer) = (String::new(), [0; 8192]);
    let is_whole = |request: &str| {
        let (head, body) = request.split_once("\r\n\r\n")?;
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        Some(body.len() >= length.unwrap_or(0_usize))
    };
    while is_whole(&request) != Some(true) {
        match stream.read(&mut buffer).unwrap() {
            0 => break,
            read => request.push_str(&String::from_utf8_lossy(&buffer[..read])),
        }
    }
    let action = request.split("Action=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let (status, body) =
        if action == "AssumeRoleWithWebIdentity" { ("200 OK", ACCEPTED) } else { ("403 Forbidden", "") };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    action.to_owned()
}

#[test]
fn the_users_own_endpoint_is_asked_and_named() {
    for name in ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"] {
        let (url, asked) = gateway();
        let run = debug(name, &url);
        let actions: Vec<String> = asked.try_iter().collect();
        assert!(actions.iter().any(|action| action == "AssumeRoleWithWebIdentity"), "{actions:?}");
        let words = format!("tried at 127.0.0.1 (your own {name})");
        let stdout = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(stdout.contains(&words), "{run:?}");
        assert!(run.stderr.contains(&format!("at 127.0.0.1, your own {name} (--no-assume")), "{run:?}");
    }
}

#[test]
fn no_token_leaves_this_machine_in_the_clear() {
    let run = debug("AWS_ENDPOINT_URL_STS", "http://sts.example.com:4566/hunter2");
    let stdout = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let words =
        "your own AWS_ENDPOINT_URL_STS (sts.example.com) sends the token over plain HTTP to another machine";
    assert!(stdout.contains(words), "{run:?}");
    assert!(!stdout.contains("hunter2") && !run.stderr.contains("hunter2"), "{run:?}");
}

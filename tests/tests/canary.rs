//! Secrets that a server quotes, in every form of the output: none of them comes out again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use irsa_tests::run::{plugin, run};
use serde_json::{Value, json};

const TOKEN: &str = "canary-opaque-token-5e1f";
const PASSWORD: &str = "canary-password-77ab";
/// `me:canary-password-77ab`
const BASIC: &str = "bWU6Y2FuYXJ5LXBhc3N3b3JkLTc3YWI=";
/// What the server says of others, which is known by its form alone.
const FOREIGN: [&str; 4] =
    ["canary-of-a-signature", "canary-of-a-session", "canary-of-a-key", "canary-of-a-proxy"];

/// An API server that quotes all that it is sent, and more; and what it was sent.
fn parrot(code: &'static str) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(String::new()));
    let noted = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let noted = Arc::clone(&noted);
            std::thread::spawn(move || answer(stream, code, &noted));
        }
    });
    (address, seen)
}

fn answer(mut stream: TcpStream, code: &str, noted: &Mutex<String>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    noted.lock().unwrap().push_str(&head);
    let bare = head.to_ascii_lowercase().find("authorization: ").and_then(|at| head.get(at + 15..));
    let bare = bare.and_then(|value| value.split_whitespace().nth(1)).unwrap_or_default();
    let [signature, session, key, proxy] = FOREIGN;
    let message = format!(
        "quoting-parrot {bare} {head} GET /?X-Amz-Signature={signature}&X-Amz-Security-Token={session} \
         -----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY----- http://me:{proxy}@127.0.0.1:3128/"
    );
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
                        "code": code.get(..3).unwrap().parse::<u16>().unwrap()});
    let text = status.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {code}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
}

#[test]
fn what_an_api_server_quotes_does_not_come_out() {
    let users: [(Value, &str); 2] =
        [(json!({"token": TOKEN}), TOKEN), (json!({"username": "me", "password": PASSWORD}), BASIC)];
    for code in ["403 Forbidden", "400 Bad Request"] {
        for (user, sent) in &users {
            let (server, seen) = parrot(code);
            let directory = tempfile::tempdir().unwrap();
            let config = directory.path().join("config");
            let text = json!({
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "shop"}}],
                "clusters": [{"name": "k", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": user}],
            });
            std::fs::write(&config, text.to_string()).unwrap();
            for form in ["text", "short", "json", "yaml", "markdown"] {
                for target in ["pod/checkout", "sa/checkout"] {
                    let mut command = plugin();
                    command.env("KUBECONFIG", &config);
                    let run = run(command.args(["debug", "--no-probe", "-vv", "-o", form, target]));
                    let all = format!("{}{}", run.stdout, run.stderr);
                    // Wrapping may split a word.
                    let joined: String = all.split_whitespace().collect();
                    for secret in FOREIGN.iter().chain([sent, &TOKEN, &PASSWORD]) {
                        assert!(!joined.contains(secret), "{form} {target} {secret}: {all}");
                    }
                    if form != "short" {
                        assert!(all.contains("quoting-parrot"), "{form} {target}: {all}");
                    }
                }
            }
            assert!(seen.lock().unwrap().contains(sent), "the server never saw {sent}");
        }
    }
}

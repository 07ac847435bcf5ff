//! `explain` with the words of applications: what a pasted error can mean.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::io::Write;
use std::process::{Command, Stdio};

use irsa_tests::run::{Run, plugin, run};

fn explain(text: &str) -> Run {
    run(plugin().args(["explain", text]))
}

fn piped(text: &str) -> Run {
    let mut command: Command = plugin();
    let mut child = command
        .args(["explain", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let words = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), stdout: words(output.stdout), stderr: words(output.stderr) }
}

#[test]
fn errors_and_what_can_be_behind_them() {
    let denied = |caller: &str, rest: &str| format!("User: {caller} is not authorized to perform: {rest}");
    let node = "arn:aws:sts::111122223333:assumed-role/nodes/i-0123456789abcdef0";
    let pod = "arn:aws:sts::111122223333:assumed-role/shop-checkout/botocore-session-1600183751";
    for (name, text) in [
        (
            "trust",
            String::from(
                "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity",
            ),
        ),
        (
            "provider",
            String::from(
                "InvalidIdentityToken: No OpenIDConnect provider found in your account for https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E\n\tstatus code: 400, request id: 5c3f9ce5-ba7d-495e-98b1-ffcd5cf85133",
            ),
        ),
        (
            "node",
            denied(
                node,
                "s3:GetObject on resource: arn:aws:s3:::shop/a because no identity-based policy allows it",
            ),
        ),
        ("pod", denied(pod, "s3:GetObject on resource: arn:aws:s3:::shop/a")),
        ("scp", denied(pod, "sqs:SendMessage with an explicit deny in a service control policy")),
        ("itself", denied(pod, "sts:AssumeRole on resource: arn:aws:iam::111122223333:role/shop-checkout")),
        (
            "expired",
            String::from(
                "ExpiredTokenException: Token expired: current date/time 1731098245 must be before the expiration date/time 1731095240",
            ),
        ),
        ("no-credentials", String::from("NoCredentialProviders: no valid providers in chain. Deprecated.")),
        (
            "event",
            String::from(
                "error looking up service account shop/checkout: serviceaccount \"checkout\" not found",
            ),
        ),
        ("caller", format!("{{\"Arn\": \"{node}\"}}")),
    ] {
        let run = explain(&text);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{name}");
        insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("explain.{name}"), run.stdout);
        });
    }
}

#[test]
fn a_log_on_stdin_each_error_once_and_nothing_else_of_it() {
    let log = "2026-11-22T08:00:00Z INFO password=hunter2 started\n\
               2026-11-22T08:00:01Z ERROR InvalidIdentityToken: Incorrect token audience eyJhbGciOiJSUzI1NiJ9.hunter2\n\
               2026-11-22T08:00:02Z ERROR InvalidIdentityToken: Incorrect token audience\n\
               2026-11-22T08:00:03Z ERROR Unable to locate credentials\n";
    let run = piped(log);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!run.stdout.contains("hunter2") && !run.stdout.contains("eyJ"), "{run:?}");
    assert_eq!(run.stdout.matches("does not list the token's audience").count(), 1, "{run:?}");
    let (reason, last) = (run.stdout.find("does not list"), run.stdout.find("found no credentials at all"));
    assert!(reason.is_some() && reason < last, "the reason comes first: {run:?}");
}

#[test]
fn what_a_terminal_or_a_hurried_hand_makes_of_an_error() {
    let trust = "the role does not trust its subject";
    for text in [
        "Not authorized to\nperform sts:AssumeRoleWithWebIdentity",
        "An error occurred (AccessDenied) when calling the\nAssumeRoleWithWebIdentity operation: Not authorized to perform\nsts:AssumeRoleWithWebIdentity",
        "> An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity op\n> eration: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        "╷\n│ Error: configuring Terraform AWS Provider: operation error STS:\n│ AssumeRoleWithWebIdentity, https response error StatusCode: 403, api error\n│ AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n╵",
        "{\"error\":\"WebIdentityErr: failed\\ncaused by: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\"}",
    ] {
        assert!(explain(text).stdout.contains(trust), "{text}");
    }
    // Quotes forgotten, and words that are AWS's only because they are asked here.
    let words = run(plugin().args(["explain", "Throttling:", "Rate", "exceeded"]));
    assert!(words.stdout.contains("is throttling this account"), "{words:?}");
    assert!(explain("Access Denied").stdout.contains("does not name the caller"));
}

/// The ids of the causes, in the order in which they are printed.
fn causes(text: &str) -> Vec<String> {
    let run = piped(text);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{text}");
    let words = run.stdout.split('[').skip(1).filter_map(|rest| rest.split_once(']'));
    words.map(|(id, _)| id.to_owned()).collect()
}

#[test]
fn what_applications_say_in_their_own_words() {
    for (text, first) in [
        (
            "Cannot use AWS Web Identity Tokens: AWS_WEB_IDENTITY_TOKEN_FILE is defined but no corresponding symlink exists in the config directory",
            "app-reads-token-elsewhere",
        ),
        (
            "[2026/11/20 08:00:00] [error] [aws_credentials] STS assume role request failed\n[2026/11/20 08:00:00] [error] [signv4] Provider returned no credentials, service=logs",
            "trust-sub-mismatch",
        ),
        ("An IAM role must be associated with service account default (namespace: shop)", "sa-not-annotated"),
        ("Failed to fetch secret from all regions: shop/db", "perm-no-policy"),
        (
            "Error executing \"AssumeRoleWithWebIdentity\" on \"https://sts.us-east-1.amazonaws.com\"; AWS HTTP error: cURL error 28: Failed to connect to sts.us-east-1.amazonaws.com port 443 after 5001 ms: Timeout was reached",
            "sts-unreachable-no-egress",
        ),
        ("minimum field size of 2, AssumeRoleInput.RoleSessionName.", "session-name-empty"),
        ("SharedCredsLoad: failed to load shared credentials file", "app-needs-imds"),
        ("empty credentials; perhaps you meant to enable ambient credentials?", "ambient-credentials-off"),
    ] {
        assert_eq!(causes(text).first().map(String::as_str), Some(first), "{text}");
    }
}

#[test]
fn what_has_nothing_to_do_with_identity_is_said_and_nothing_else() {
    for (text, said) in [
        (
            "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist.",
            "does not exist",
        ),
        ("api error SlowDown: Please reduce your request rate.", "too many requests"),
        (
            "An error occurred (ConditionalCheckFailedException) when calling the PutItem operation",
            "a condition",
        ),
        ("An error occurred (PermanentRedirect) when calling the ListObjectsV2 operation", "another Region"),
    ] {
        let run = explain(text);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
        assert!(run.stdout.contains(said) && !run.stdout.contains("cause"), "{run:?}");
    }
}

#[test]
fn an_event_of_cloudtrail() {
    let event = r#"{
        "userIdentity": {"type": "WebIdentityUser", "userName": "system:serviceaccount:shop:checkout"},
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRoleWithWebIdentity",
        "errorCode": "AccessDenied",
        "errorMessage": "An unknown error occurred",
        "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/shop-checkout"}
    }"#;
    assert_eq!(causes(event).first().map(String::as_str), Some("trust-sub-mismatch"));
    let run = piped(event);
    assert!(run.stdout.contains("kubectl irsa debug sa/checkout -n shop"), "{run:?}");
    assert!(run.stdout.contains("arn:aws:iam::111122223333:role/shop-checkout"), "{run:?}");
}

#[test]
fn what_is_neither_an_id_nor_an_error() {
    for text in ["all is well", "GET /healthz 200\nGET /healthz 200"] {
        let run = explain(text);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
        assert!(run.stderr.starts_with("error: no known AWS error"), "{run:?}");
    }
    assert_eq!(piped("").code, Some(2));
    let id = piped("sa-not-annotated\n");
    assert!(id.stdout.starts_with("# "), "an id on stdin is an id: {id:?}");
    let misspelled = explain("Sa-Not-Anotated");
    assert!(misspelled.stderr.contains("did you mean sa-not-annotated?"), "{misspelled:?}");
}

#[test]
fn a_page_is_found_by_words_by_its_link_and_by_the_key_of_a_finding() {
    let page = |args: &[&str]| run(plugin().arg("explain").args(args)).stdout;
    assert_eq!(page(&["trust-sub-mismatch-2"]), page(&["trust-sub-mismatch"]));
    assert!(page(&["trust-sub-mismatch"]).starts_with("# "));
    // One match is shown, several are listed.
    assert_eq!(page(&["process", "environment", "differs"]), page(&["process-environment-differs"]));
    for (words, id, title) in [
        ("trust", "trust-sub-mismatch", "another service account"),
        ("node role", "silent-fallback-to-node-role", "node's role"),
        ("Trust Policy", "trust-aud-mismatch", "audience"),
    ] {
        let list = page(&[words]);
        let line = list.lines().find(|line| line.split_whitespace().next() == Some(id));
        assert!(line.is_some_and(|line| line.contains(title)), "{list}");
        assert!(list.starts_with(|c: char| c.is_ascii_digit()), "{list}");
        // Words or one argument, it is the same.
        assert_eq!(page(&words.split(' ').collect::<Vec<_>>()), list);
    }
    assert!(!page(&["trust policy"]).contains("sa-not-annotated"), "only those of the link");
}

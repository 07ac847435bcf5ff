//! Secrets that can be recognised, everywhere where a run meets some: none of them comes out again, in no form of the output, at no
//! verbosity, however it is written. Each test also proves that the run met them, and [`found`] that it would have been seen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use irsa::output::Format;
use irsa_tests::kube_api::{FakeKube, Front};
use irsa_tests::run::{binary, plugin, run};
use irsa_tests::world::World;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Every secret here holds it, at its beginning and at its end.
const STEM: &str = "c4n4ry";
/// What the kubeconfig or its exec plugin gives. The fakes know one token of their own, so that this one is refused by them.
const BEARER: &str = "c4n4ry-bearer.~+/5e1f-c4n4ry==";
const PASSWORD: &str = "c4n4ry pass\"w&rd<\\77% c4n4ry";
/// The login of a proxy, in its URL.
const PROXY: &str = "c4n4ry%2Fproxy%409d-c4n4ry";
/// What an SSO sign-in left in its cache.
const SSO: &str = "c4n4ry-sso-of-a-cache";
const AWS_KEY: &str = "c4n4ryKey/K7MDENG+bPxRfiCYEXAMPLE-c4n4ry";
const AWS_SESSION: &str = "c4n4rySession//////////wEaCXVzLWVhc3QtMSJHMEUCIQDk+c4n4ry==";

/// Where the stem stands in a text: plain, broken by a line's end, in URLs, JSON and XML, and in Base64.
fn found(text: &str) -> Option<String> {
    let mut views = vec![text.to_owned()];
    for _ in 0..4 {
        views.push(unescaped(views.last().unwrap()));
    }
    let views = views.iter().map(|view| view.split_whitespace().collect::<String>());
    let mut needles = vec![STEM.to_owned()];
    for before in 0..3 {
        let encoded = STANDARD.encode([&[0; 3][..before], STEM.as_bytes()].concat());
        needles.push(encoded[(before * 8_usize).div_ceil(6)..(before + STEM.len()) * 8 / 6].to_owned());
    }
    views.into_iter().find_map(|view| {
        let (needle, at) = needles.iter().find_map(|needle| Some((needle, view.find(needle)?)))?;
        let start = (0..=at.saturating_sub(60)).rev().find(|at| view.is_char_boundary(*at)).unwrap();
        Some(format!("{needle} in …{}", view[start..].chars().take(160).collect::<String>()))
    })
}

/// Escapes of URLs, JSON and XML resolved, once.
fn unescaped(text: &str) -> String {
    let mut plain = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hex = |from: usize, to: usize| u8::from_str_radix(rest.get(from..to)?, 16).ok();
        let (byte, length) = match first {
            '%' => (hex(1, 3), 3),
            '\\' if rest.starts_with("\\u00") => (hex(4, 6), 6),
            '\\' => (rest.as_bytes().get(1).copied().filter(u8::is_ascii_punctuation), 2),
            '&' => [("&amp;", b'&'), ("&lt;", b'<'), ("&gt;", b'>'), ("&quot;", b'"'), ("&#x2F;", b'/')]
                .iter()
                .find_map(|(escape, byte)| rest.starts_with(escape).then_some((Some(*byte), escape.len())))
                .unwrap_or((None, 0)),
            _ => (None, 0),
        };
        let length = match byte {
            Some(byte) => {
                plain.push(byte);
                length
            }
            None => {
                plain.extend_from_slice(first.to_string().as_bytes());
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn whatever_leaks_would_be_seen() {
    for secret in [BEARER, PASSWORD, PROXY, AWS_KEY, AWS_SESSION] {
        let json = json!(secret).to_string();
        for written in [
            secret.to_owned(),
            secret.replace("-", "-\n      "),
            percent(secret),
            json!(json).to_string(),
            json!(percent(secret)).to_string(),
            STANDARD.encode(secret),
            STANDARD.encode(format!("me:{secret}")),
            STANDARD.encode(format!("m:{secret}")),
            secret.replace('&', "&amp;"),
            secret[..10].to_owned(),
            secret[secret.len() - 10..].to_owned(),
        ] {
            assert!(found(&format!("before {written} after")).is_some(), "{written}");
        }
    }
    assert_eq!(found("a canary in a coal mine"), None);
}

/// How a server quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tongue {
    Plain,
    Url,
    Json,
    Base64,
}

impl Tongue {
    const ALL: [Tongue; 4] = [Tongue::Plain, Tongue::Url, Tongue::Json, Tongue::Base64];

    fn say(self, text: &str) -> String {
        match self {
            Tongue::Plain => text.to_owned(),
            Tongue::Url => percent(text),
            Tongue::Json => json!(text).to_string(),
            Tongue::Base64 => STANDARD.encode(text),
        }
    }
}

/// A server that quotes all that it is sent, and more; or hands the request on.
#[derive(Clone)]
struct Parrot {
    tongue: Tongue,
    /// A web page instead of the service's own error.
    page: bool,
    /// Whom it stands before.
    upstream: Option<SocketAddr>,
    /// What it was sent, and what it answered by itself.
    heard: Arc<Mutex<(String, String)>>,
}

impl Parrot {
    fn start(tongue: Tongue, page: bool, upstream: Option<SocketAddr>) -> (Parrot, String) {
        let parrot = Parrot { tongue, page, upstream, heard: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = parrot.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || shared.answer(stream));
            }
        });
        (parrot, address)
    }

    fn heard(&self) -> (String, String) {
        self.heard.lock().unwrap().clone()
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                break;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if !lower.starts_with("connection:") {
                head.push_str(&line);
            }
        }
        let mut body = vec![0; length];
        let _ = reader.read_exact(&mut body);
        let path = head.split(' ').nth(1).unwrap_or_default();
        // Without these there would be nothing to ask anybody else about.
        let needed = [
            "/pods",
            "/serviceaccounts",
            "/token",
            "/deployments",
            "/replicasets",
            "/.well-known",
            "/openid",
        ];
        if let Some(upstream) = self.upstream.filter(|_| needed.iter().any(|part| path.contains(part))) {
            let Ok(mut server) = TcpStream::connect(upstream) else { return };
            let _ = server.write_all(format!("{head}connection: close\r\n\r\n").as_bytes());
            let _ = server.write_all(&body);
            let mut answer = Vec::new();
            let _ = server.read_to_end(&mut answer);
            let _ = stream.write_all(&answer);
            return;
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        let answer = self.quote(&head, &body);
        {
            let mut heard = self.heard.lock().unwrap();
            heard.0 += &format!("{head}{body}\n");
            heard.1 += &answer;
        }
        let _ = stream.write_all(answer.as_bytes());
    }

    fn quote(&self, head: &str, body: &str) -> String {
        let header = |name: &str| {
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
            line.map_or("", |line| line[name.len() + 1..].trim())
        };
        let credential = [header("authorization"), header("proxy-authorization")].concat();
        let bare = credential.split(' ').next_back().unwrap_or_default();
        let say = |text: &str| self.tongue.say(text);
        let mut message = format!("quoting-parrot {} {} ", say(bare), say(header("x-amz-security-token")));
        if self.tongue != Tongue::Base64 {
            // Of others, known by their form alone.
            let foreign = "GET /?X-Amz-Signature=c4n4ry-a&X-Amz-Security-Token=c4n4ry-b&password=c4n4ry-c \
                           Cookie: c4n4ry-d\n-----BEGIN PRIVATE KEY-----\nc4n4ry-e\n-----END PRIVATE KEY-----\n\
                           http://me:c4n4ry-f@127.0.0.1:3128/ {\"SecretAccessKey\":\"c4n4ry-g\"} ";
            message += &say(foreign);
        }
        message += &format!("{} {}", say(body), say(head));
        let line = if head.starts_with("CONNECT") {
            format!("403 No {bare}")
        } else {
            String::from("403 Forbidden")
        };
        let target = header("x-amz-target");
        let (content_type, text) = if self.page {
            ("text/html", format!("<html><body>{message}</body></html>"))
        } else if header("content-type").starts_with("application/x-www-form-urlencoded") {
            let message = message.replace('&', "&amp;").replace('<', "&lt;");
            (
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message></Error>\
                     <RequestId>r</RequestId></ErrorResponse>"
                ),
            )
        } else if !target.is_empty() || header("host").contains("eks") || credential.starts_with("AWS4") {
            ("application/json", json!({"__type": "AccessDeniedException", "message": message}).to_string())
        } else {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "message": message});
            ("application/json", status.to_string())
        };
        format!(
            "HTTP/1.1 {line}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            text.len()
        )
    }
}

/// A user's machine: a home, and in it a kubeconfig.
struct Machine {
    home: TempDir,
}

impl Machine {
    fn new() -> Machine {
        Machine { home: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn kubeconfig(&self, cluster: &Value, user: &Value) {
        let config = json!({
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "shop"}}],
            "clusters": [{"name": "k", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
        });
        self.write("config", config.to_string());
    }

    fn plugin(&self) -> Command {
        let mut command = plugin();
        command.env("HOME", self.home.path()).env("KUBECONFIG", self.path("config"));
        command.env("TMPDIR", self.home.path()).current_dir(self.home.path());
        command
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            std::fs::read_dir(self.home.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// Runs it in every form of the output and at several verbosities; nothing may come out, or be left behind. Gives all of it.
    fn searched(&self, set: impl Fn(&mut Command)) -> String {
        let mut all = String::new();
        let files = self.files();
        for (at, (_, form, _)) in Format::ALL.into_iter().enumerate() {
            for verbosity in ["-v", "-vv", "-vvv"].get(at % 3).into_iter().chain([&""]) {
                let mut command = self.plugin();
                set(&mut command);
                command.args(["-o", form]);
                if !verbosity.is_empty() {
                    command.arg(verbosity);
                }
                all += &nothing(&mut command);
            }
        }
        assert_eq!(self.files(), files, "it leaves something behind");
        all
    }
}

impl Machine {
    /// Bundles the facts with and without names; nothing may be in a bundle. Gives all of it.
    fn bundled(&self, set: impl Fn(&mut Command)) -> String {
        let one = |redact: &[&str]| {
            let mut command = self.plugin();
            set(command.arg("bundle"));
            nothing(command.args(["-o", "-"]).args(redact))
        };
        one(&[]) + &one(&["--redact", "all"])
    }
}

/// Runs it; nothing may come out. Gives all of it.
fn nothing(command: &mut Command) -> String {
    let run = run(command);
    let all = format!("{}{}", run.stdout, run.stderr);
    assert!(!all.is_empty(), "{command:?}");
    assert_eq!(found(&all), None, "{command:?}");
    all
}

/// A cluster in which every place that may hold a secret holds one.
fn world() -> World {
    let text = r#"
base: eks
about: secrets everywhere
debug: [deploy/checkout, -n, shop]
expect: {verdict: degraded}
logs:
  shop/checkout-7d9f8b6c5d-x2x4z/app:
    current: |
      2026-11-22T07:59:00Z c4n4ry-log An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity, token c4n4ry-log
---
kind: PodTemplate
spec:
  containers:
    app:
      command: [app, --password=c4n4ry-command]
      args: ["c4n4ry-argument"]
      envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: keys}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop, creationTimestamp: "2026-11-01T00:00:00Z"}
data: {DB_PASSWORD: c4n4ry-config-map, AWS_SECRET_ACCESS_KEY: c4n4ry-config-map, HTTPS_PROXY: "http://me:c4n4ry-config-map@proxy:1"}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: shop, creationTimestamp: "2026-11-01T00:00:00Z"}
type: Opaque
data: {AWS_SESSION_TOKEN: YzRuNHJ5LXNlY3JldA==}
---
apiVersion: v1
kind: Event
metadata: {name: checkout.1, namespace: shop, creationTimestamp: "2026-11-22T07:40:00Z"}
involvedObject: {apiVersion: apps/v1, kind: ReplicaSet, name: checkout-5c7d9f8b6c, namespace: shop}
reason: FailedCreate
message: 'Error creating: talking-event: admission webhook "w" denied the request: Authorization: Bearer c4n4ry-event, via https://me:c4n4ry-event@w/'
type: Warning
count: 14
firstTimestamp: "2026-11-22T07:40:00Z"
lastTimestamp: "2026-11-22T07:58:00Z"
source: {component: replicaset-controller}
"#;
    World::parse("canary", text).unwrap()
}

/// The world's pod, with what a spec and a status may hold beside; it `waits`, or the probe has reported.
fn pod(world: &World, waits: bool) -> Value {
    let mut pod = world.object("Pod", "shop", "checkout-7d9f8b6c5d-x2x4z").unwrap().clone();
    let env = pod["spec"]["containers"][0]["env"].as_array_mut().unwrap();
    for (name, value) in [
        ("DB_PASSWORD", "c4n4ry-env"),
        ("AWS_SECRET_ACCESS_KEY", "c4n4ry-env"),
        ("AWS_SESSION_TOKEN", "c4n4ry-env"),
        ("HTTPS_PROXY", "http://me:c4n4ry-env@proxy:3128"),
        ("AWS_ENDPOINT_URL_STS", "https://me:c4n4ry-env@sts.example.com"),
    ] {
        env.push(json!({"name": name, "value": value}));
    }
    pod["metadata"]["annotations"] = json!({
        "example.com/note": "c4n4ry-annotation", "kubernetes.io/note": "password=c4n4ry-annotation",
    });
    let quoted =
        "talking-status: cannot pull: https://me:c4n4ry-status@registry/ Authorization: Basic c4n4ry-status";
    let report = json!({
        "schema": "irsa-probe/v1", "version": "0.1.0", "ended": "complete", "now": 1_795_334_380, "millis": 64,
        "sts": {"roleArn": "arn:aws:iam::111122223333:role/shop-checkout", "sessionName": "s", "assume": {
            "status": 403, "code": "AccessDenied", "requestId": "r", "millis": 22,
            "message": "talking-report: Not authorized WebIdentityToken=c4n4ry-report&a=1 {\"SessionToken\":\"c4n4ry-report\"}"}},
    });
    if waits {
        pod["status"]["containerStatuses"][0] = json!({
            "name": "app", "ready": false, "restartCount": 3, "image": "i", "imageID": "i",
            "state": {"waiting": {"reason": "ImagePullBackOff", "message": quoted}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "c4n4ry-termination",
                                         "finishedAt": "2026-11-22T07:59:00Z"}},
        });
        return pod;
    }
    pod["spec"]["ephemeralContainers"] =
        json!([{"name": "irsa-probe-00000", "image": "i", "targetContainerName": "app"}]);
    pod["status"]["ephemeralContainerStatuses"] = json!([{"name": "irsa-probe-00000", "state": {"terminated": {
        "exitCode": 0, "reason": "Completed", "finishedAt": "2026-11-22T07:59:30Z", "message": report.to_string()}}}]);
    pod
}

/// The same cluster as files, with answers of AWS that quote.
fn files(machine: &Machine, waits: bool) -> PathBuf {
    let world = world();
    let said = "talking-answer: not authorized, X-Amz-Security-Token: c4n4ry-answer";
    let answer = |action: &str, code: &str| {
        json!({"apiVersion": "irsa/v1", "kind": "AwsAnswer", "account": "111122223333", "action": action,
               "request": {"RoleName": "shop-checkout"}, "error": {"code": code, "message": said}})
    };
    let trail = json!({
        "eventName": "AssumeRoleWithWebIdentity", "eventTime": "2026-11-22T07:00:00Z", "errorCode": "AccessDenied",
        "errorMessage": "password=c4n4ry-trail", "userAgent": "c4n4ry-agent",
        "userIdentity": {"userName": "system:serviceaccount:shop:checkout"},
    });
    let mut documents: Vec<Value> = world
        .objects
        .iter()
        .filter(|object| object.resource.kind != "Pod")
        .map(|object| object.value.clone())
        .collect();
    documents.extend([
        pod(&world, waits),
        answer("iam:GetRole", "AccessDenied"),
        answer("iam:ListOpenIDConnectProviders", "Odd"),
        json!({"Events": [{"EventName": "AssumeRoleWithWebIdentity", "CloudTrailEvent": trail.to_string()}]}),
    ]);
    let text: Vec<String> = documents.iter().map(|document| format!("{document:#}\n")).collect();
    machine.write("files.yaml", text.join("---\n"))
}

/// A proxy, STS, IAM and EKS that quote, a cluster that does where it can, and a run that meets them all.
fn run_among_parrots(tongue: Tongue, page: bool) {
    let machine = Machine::new();
    let kube = FakeKube::start_behind(&world(), Front { tls: false, ..Front::default() });
    let (cluster, cluster_address) = Parrot::start(tongue, page, Some(kube.address()));
    let (aws, aws_address) = Parrot::start(tongue, page, None);
    let (proxy, proxy_address) = Parrot::start(tongue, page, None);
    machine.kubeconfig(
        &json!({"server": format!("http://{cluster_address}")}),
        &json!({"token": irsa_tests::kube_api::TOKEN}),
    );
    let set = |command: &mut Command| {
        command
            .args(["deploy/checkout", "--no-probe", "--action", "s3:GetObject", "--cluster-name", "blue"])
            .args(["--error", "AccessDenied: Not authorized, WebIdentityToken=c4n4ry-said"])
            .env("AWS_ENDPOINT_URL", format!("http://{aws_address}"))
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", AWS_KEY)
            .env("AWS_SESSION_TOKEN", AWS_SESSION)
            .env("HTTPS_PROXY", format!("http://me:{PROXY}@{proxy_address}"));
    };
    let all = machine.searched(|command| set(command.arg("debug"))) + &machine.bundled(set);
    // The run met what was to be met, and it was quoted.
    let (sent, quoted) = aws.heard();
    assert!(sent.contains(AWS_SESSION) && sent.contains("WebIdentityToken=eyJ"), "{sent}");
    assert!(found(&quoted).is_some(), "{quoted}");
    let (sent, quoted) = proxy.heard();
    assert!(found(&sent).is_some() && found(&quoted).is_some(), "{sent}");
    assert!(cluster.heard().1.contains("quoting-parrot"));
    assert_eq!(kube.secret_values_read(), 0);
    // What was said was repeated but for the secrets.
    assert!(page || (all.contains("quoting-parrot") && all.contains("[withheld]")), "{all}");
    let signatures = kube.token_signatures();
    assert!(!signatures.is_empty(), "no token was made");
    let signed = aws.heard().0;
    let signed = signed.split("Signature=").skip(1).map(|rest| rest[..64].to_owned());
    let signed: Vec<String> = signed.collect();
    assert!(!signed.is_empty(), "nothing was signed");
    let packed: String = all.split_whitespace().collect();
    for signature in signatures.iter().chain(&signed) {
        assert!(!packed.contains(signature.as_str()), "{signature}: {all}");
    }
}

#[test]
fn what_servers_and_proxies_quote_does_not_come_out() {
    for tongue in Tongue::ALL {
        run_among_parrots(tongue, false);
    }
    run_among_parrots(Tongue::Plain, true);
}

#[test]
fn what_an_api_server_quotes_does_not_come_out() {
    for (tongue, page) in
        [(Tongue::Plain, false), (Tongue::Json, false), (Tongue::Base64, true), (Tongue::Url, true)]
    {
        for user in [json!({"token": BEARER}), json!({"username": "me", "password": PASSWORD})] {
            let (parrot, address) = Parrot::start(tongue, page, None);
            let machine = Machine::new();
            machine.kubeconfig(&json!({"server": format!("http://{address}")}), &user);
            let mut command = machine.plugin();
            let all = nothing(command.args(["debug", "--no-probe", "-vv", "sa/checkout", "pod/checkout"]));
            let (sent, quoted) = parrot.heard();
            // Base64 of Base64 is too much for everybody.
            let is_seen = tongue == Tongue::Base64 || found(&quoted).is_some();
            assert!(found(&sent).is_some() && is_seen, "{sent}");
            assert!(all.contains("quoting-parrot"), "{all}");
            nothing(machine.plugin().arg("thumbprint"));
            // As kubectl asks for candidates; it is told nothing of errors.
            let link = machine.path("kubectl_complete-irsa");
            std::os::unix::fs::symlink(binary(), &link).unwrap();
            let candidates = Command::new(&link)
                .args(["debug", "pod/"])
                .env("KUBECONFIG", machine.path("config"))
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert_eq!(
                found(&String::from_utf8_lossy(&[candidates.stdout, candidates.stderr].concat())),
                None
            );
        }
    }
}

#[test]
fn what_the_cluster_holds_does_not_come_out() {
    // A report that an earlier run left is not read where the probe is not wanted.
    for (waits, word) in [(true, "talking-status"), (false, "talking-event")] {
        a_cluster_does_not_come_out(waits, word);
    }
}

fn a_cluster_does_not_come_out(waits: bool, word: &str) {
    let mut world = world();
    let with_secrets = pod(&world, waits);
    let place = world.objects.iter_mut().find(|object| object.resource.kind == "Pod").unwrap();
    place.value = with_secrets;
    let kube = FakeKube::start(&world);
    let machine = Machine::new();
    let ca = STANDARD.encode(kube.ca_pem());
    let cluster = json!({"server": kube.url(), "certificate-authority-data": ca});
    machine.kubeconfig(&cluster, &json!({"token": irsa_tests::kube_api::TOKEN}));
    let all = machine.searched(|command| {
        command.args(["debug", "deploy/checkout", "pod/checkout-7d9f8b6c5d-x2x4z", "--no-probe"]);
    });
    let bundles = machine.bundled(|command| {
        command.args(["deploy/checkout", "--no-probe"]);
    });
    for word in ["talking-event", word] {
        assert!(all.contains(word) && bundles.contains(word), "{word}: {all}");
    }
    let asked: Vec<String> = kube.requests().iter().map(|seen| format!("{seen:?}")).collect();
    for kind in ["configmaps", "secrets", "events", "log"] {
        assert!(asked.iter().any(|seen| seen.contains(kind)), "{kind}: {asked:?}");
    }
    assert_eq!(kube.secret_values_read(), 0);
}

#[test]
fn what_files_and_texts_hold_does_not_come_out() {
    let machine = Machine::new();
    for (waits, word) in [(true, "talking-status"), (false, "talking-report")] {
        let file = files(&machine, waits);
        let all = machine.searched(|command| {
            let targets = ["deploy/checkout", "pod/checkout-7d9f8b6c5d-x2x4z"];
            command.arg("debug").args(targets).args(["-n", "shop", "--from"]).arg(&file);
        });
        let bundles = machine.bundled(|command| {
            command.args(["deploy/checkout", "-n", "shop", "--from"]).arg(&file);
        });
        for word in ["talking-event", "talking-answer", word] {
            assert!(all.contains(word) && bundles.contains(word), "{word}: {all}");
        }
    }
    let file = files(&machine, false);
    // Not what it should be: YAML that ends too soon, fields of another type.
    for broken in [
        "kind: Secret\ndata: {a: \"c4n4ry",
        "{kind: Pod, metadata: {name: p}, spec: c4n4ry-spec}",
        "a: [c4n4ry",
    ] {
        let file = machine.write("broken.yaml", broken);
        nothing(machine.plugin().args(["debug", "pod/p", "--from"]).arg(file));
    }
    let text = "boom password=c4n4ry-said AKIAIOSFODNN7EXAMPLE AccessDenied: Not authorized to perform \
                sts:AssumeRoleWithWebIdentity (Authorization: Bearer c4n4ry-said) https://me:c4n4ry-said@proxy/";
    let unknown = "boom: aws says password=c4n4ry-said and Authorization: Bearer c4n4ry-said";
    for text in [text, unknown] {
        let piped = machine.write("said", text);
        nothing(machine.plugin().args(["explain", text]));
        nothing(machine.plugin().args(["explain", "-"]).stdin(std::fs::File::open(&piped).unwrap()));
        for (_, form, _) in Format::ALL {
            let debug = ["debug", "deploy/checkout", "-n", "shop", "-v", "-o", form, "--error"];
            nothing(machine.plugin().args(debug).arg(text).arg("--from").arg(&file));
            let mut command = machine.plugin();
            command.args(debug).args(["-", "--from"]).arg(&file).stdin(std::fs::File::open(&piped).unwrap());
            nothing(&mut command);
        }
    }
}

/// A script that notes its environment and arguments.
fn script(machine: &Machine, name: &str, then: &str) -> PathBuf {
    let noted = machine.path(&format!("{name}.noted"));
    let text = format!(
        "#!/bin/sh\n{{ printenv KUBERNETES_EXEC_INFO; echo \"$@\"; }} >{}\n{then}\n",
        noted.display()
    );
    let path = machine.write(name, text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn what_signing_in_is_made_of_does_not_come_out() {
    let (parrot, address) = Parrot::start(Tongue::Plain, false, None);
    let server = json!({"server": format!("http://{address}")});
    let machine = Machine::new();
    let scripts = std::cell::Cell::new(0);
    let exec = |then: &str| {
        scripts.set(scripts.get() + 1);
        let name = format!("exec-{}", scripts.get());
        json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": script(&machine, &name, then),
                        "args": ["get-token"], "env": [{"name": "E", "value": "c4n4ry-exec-env"}], "interactiveMode": "Never",
                        "provideClusterInfo": true, "installHint": "password=c4n4ry-hint"}})
    };
    let credential = json!({"kind": "ExecCredential", "status": {"token": BEARER}});
    let key = "-----BEGIN PRIVATE KEY-----\nc4n4ry-key\n-----END PRIVATE KEY-----\n";
    let certificate = "-----BEGIN CERTIFICATE-----\nc4n4ry-cert\n-----END CERTIFICATE-----\n";
    let both = json!({"status": {"clientCertificateData": certificate, "clientKeyData": key}});
    for (user, reaches) in [
        (exec(&format!("echo c4n4ry-stderr >&2; echo '{credential}'")), true),
        // Its words are shown where it fails; what it was given is not.
        (exec("echo password=c4n4ry-stderr $E >&2; echo c4n4ry-stdout $E; exit 3"), false),
        (exec("echo c4n4ry-stderr $E >&2; echo c4n4ry-stdout $E"), false),
        (exec(&format!("echo '{both}'")), false),
        (
            json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/nonexistent/c",
                         "installHint": "password=c4n4ry-hint", "env": [{"name": "E", "value": "c4n4ry-exec-env"}]}}),
            false,
        ),
        (
            json!({"auth-provider": {"name": "oidc", "config": {"id-token": BEARER, "refresh-token": "c4n4ry-refresh"}}}),
            true,
        ),
        (json!({"auth-provider": {"name": "gcp", "config": {"access-token": "c4n4ry-access"}}}), false),
        (json!({"tokenFile": machine.write("token", BEARER)}), true),
        (json!({"token": "c4n4ry-bad\nX: 1"}), false),
        (
            json!({"client-certificate-data": STANDARD.encode(certificate), "client-key-data": STANDARD.encode(key)}),
            false,
        ),
        (
            json!({"client-key-data": "c4n4ry-no-base64", "client-certificate-data": "c4n4ry-no-base64"}),
            false,
        ),
        (json!({"token": ["c4n4ry-type"]}), false),
    ] {
        parrot.heard.lock().unwrap().0.clear();
        machine.kubeconfig(&server, &user);
        let all = nothing(machine.plugin().args(["debug", "--no-probe", "-vv", "pod/checkout"]));
        assert_eq!(found(&parrot.heard().0).is_some(), reaches, "{user}: {all}");
    }
    let noted = std::fs::read_to_string(machine.path("exec-1.noted")).unwrap();
    assert!(noted.contains("ExecCredential") && noted.contains("get-token"), "{noted}");
    assert_eq!(found(&noted), None);
    // Proxies of the kubeconfig that refuse, or are none.
    machine.kubeconfig(
        &json!({"server": "https://kube.invalid", "proxy-url": format!("http://me:{PROXY}@{address}")}),
        &json!({"token": BEARER}),
    );
    parrot.heard.lock().unwrap().0.clear();
    nothing(machine.plugin().args(["debug", "--no-probe", "-vv", "pod/checkout"]));
    nothing(machine.plugin().args(["thumbprint"]));
    assert!(found(&parrot.heard().0).is_some());
    for url in [
        format!("ftp://me:{PROXY}@h"),
        format!("socks4://me:{PROXY}@h"),
        format!("http://me:{PROXY}@127.0.0.1:9"),
    ] {
        machine.kubeconfig(
            &json!({"server": "https://kube.invalid", "proxy-url": url}),
            &json!({"token": BEARER}),
        );
        nothing(machine.plugin().args(["debug", "--no-probe", "pod/checkout"]));
    }
    // An issuer behind a proxy that refuses.
    let mut command = machine.plugin();
    command.env("HTTPS_PROXY", format!("http://me:{PROXY}@{address}"));
    nothing(command.args(["thumbprint", "https://issuer.invalid/id"]));
}

#[test]
fn credentials_of_aws_do_not_come_out() {
    let kube = FakeKube::start(&world());
    let machine = Machine::new();
    let ca = STANDARD.encode(kube.ca_pem());
    let cluster = json!({"server": kube.url(), "certificate-authority-data": ca});
    machine.kubeconfig(&cluster, &json!({"token": irsa_tests::kube_api::TOKEN}));
    let issued = json!({"Version": 1, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": AWS_KEY, "SessionToken": AWS_SESSION});
    let scripts = std::cell::Cell::new(0);
    let process = |then: &str| {
        scripts.set(scripts.get() + 1);
        let script = script(&machine, &format!("process-{}", scripts.get()), then);
        format!("credential_process = {}\n", script.display())
    };
    std::fs::create_dir_all(machine.path(".aws/sso/cache")).unwrap();
    let cache = json!({"accessToken": SSO, "expiresAt": "2099-01-01T00:00:00Z", "clientSecret": "c4n4ry-secret",
                       "refreshToken": "c4n4ry-refresh", "region": "eu-west-1", "startUrl": "https://s.invalid/"});
    // The SHA-1 of the start URL, as the SDK names the file.
    machine.write(".aws/sso/cache/304c39704bc7d346318cc324c4270e65c377db1c.json", cache.to_string());
    for (settings, sent) in [
        (format!("aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {AWS_KEY}\naws_session_token = {AWS_SESSION}\n"), Some(AWS_SESSION)),
        (process(&format!("echo '{issued}'")), Some(AWS_SESSION)),
        (process("echo c4n4ry-stderr >&2; echo c4n4ry-stdout; exit 3"), None),
        (process("echo '{\"Version\": 1, \"SecretAccessKey\": \"c4n4ry-stdout\"}'"), None),
        (
            "sso_start_url = https://s.invalid/\nsso_region = eu-west-1\nsso_account_id = 111122223333\nsso_role_name = r\n".to_owned(),
            Some(SSO),
        ),
        ("aws_secret_access_key = c4n4ry-alone\nrole_arn = c4n4ry\nsource_profile = none\n".to_owned(), None),
    ] {
        let (aws, address) = Parrot::start(Tongue::Plain, false, None);
        let config = machine.write(".aws/config", format!("[default]\nregion = eu-west-1\n{settings}"));
        let mut command = machine.plugin();
        command.args(["debug", "pod/checkout-7d9f8b6c5d-x2x4z", "-n", "shop", "--no-probe", "-vv"]);
        command.env("AWS_CONFIG_FILE", config).env("AWS_ENDPOINT_URL_IAM", format!("http://{address}"));
        command.env("AWS_ENDPOINT_URL", format!("http://{address}"));
        nothing(&mut command);
        let heard = aws.heard().0;
        match sent {
            Some(secret) => assert!(heard.contains(secret), "{settings}: {heard}"),
            None => assert_eq!(found(&heard), None, "{settings}"),
        }
    }
    for index in 1..=scripts.get() {
        let noted = std::fs::read_to_string(machine.path(&format!("process-{index}.noted"))).unwrap();
        assert_eq!(found(&noted), None);
    }
}

#[test]
fn a_panic_and_the_other_commands_show_nothing() {
    let kube = FakeKube::start(&world());
    let machine = Machine::new();
    let ca = STANDARD.encode(kube.ca_pem());
    let cluster = json!({"server": kube.url(), "certificate-authority-data": ca});
    machine.kubeconfig(&cluster, &json!({"token": irsa_tests::kube_api::TOKEN}));
    let environment = [
        ("AWS_SECRET_ACCESS_KEY", AWS_KEY.to_owned()),
        ("AWS_SESSION_TOKEN", AWS_SESSION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("HTTPS_PROXY", format!("http://me:{PROXY}@127.0.0.1:9")),
    ];
    // Of a debug build, the AWS SDK's client panics where the machine has no certificate authorities.
    let mut command = machine.plugin();
    command
        .envs(environment.clone())
        .env("SSL_CERT_FILE", "/nonexistent")
        .env("SSL_CERT_DIR", "/nonexistent");
    let panicked =
        nothing(command.args(["debug", "pod/checkout-7d9f8b6c5d-x2x4z", "-n", "shop", "--no-probe"]));
    assert!(panicked.contains("has a bug") || !cfg!(debug_assertions), "{panicked}");
    for words in [
        "--help",
        "debug --help",
        "version",
        "version -o json",
        "image",
        "explain",
        "explain proxy",
        "lint --help",
        "completion bash",
    ] {
        nothing(machine.plugin().envs(environment.clone()).args(words.split(' ')));
    }
    let pages = machine.path("man");
    std::fs::create_dir(&pages).unwrap();
    run(machine.plugin().envs(environment).arg("man").arg(&pages));
    let written: Vec<_> = std::fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(written.iter().any(|page| page.extension() == Some(OsStr::new("1"))), "{written:?}");
    for page in &written {
        assert_eq!(found(&read(page)), None, "{page:?}");
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

//! The way to the API server: who asks, through which proxy, and what is trusted. Each test is one trap on that way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use irsa_tests::kube_api::{FakeKube, Front, TOKEN};
use irsa_tests::proxy::{FakeProxy, Kind};
use irsa_tests::run::{Run, plugin, run};
use irsa_tests::world::{World, bases_dir};
use serde_json::{Value, json};

const POD: &str = "pod/checkout-7d9f8b6c5d-x2x4z";
/// The proxies' login, as HTTP has it.
const BASIC: &str = "Basic bWU6aHVudGVyMg==";

fn base() -> World {
    World::load(&bases_dir().join("eks-without-aws.yaml")).unwrap()
}

/// A directory with a kubeconfig, and the cluster and user that stand in it.
struct Config {
    directory: tempfile::TempDir,
    cluster: Value,
    user: Value,
}

impl Config {
    /// Of a server that the kubeconfig's own authority vouches for.
    fn of(kube: &FakeKube) -> Config {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), kube.ca_pem()).unwrap();
        let cluster = json!({"server": kube.url(), "certificate-authority": "ca.pem"});
        Config { directory, cluster, user: json!({"token": TOKEN}) }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self) -> PathBuf {
        let path = self.path().join("config");
        let config = json!({
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "shop"}}],
            "clusters": [{"name": "k", "cluster": self.cluster}],
            "users": [{"name": "u", "user": self.user}],
        });
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// The run, still to be changed.
    fn debug(&self) -> Command {
        let mut command = plugin();
        command.env("KUBECONFIG", self.write()).args(["debug", "--no-probe", POD]);
        command
    }

    /// A user that signs in with a script.
    fn sign_in_with(&mut self, script: &str) {
        let plugin = self.path().join("plugin");
        std::fs::write(&plugin, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755)).unwrap();
        let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin",
                          "interactiveMode": "Never"});
        self.user = json!({"exec": exec});
    }
}

/// It got there: without AWS the diagnosis is inconclusive.
fn reached(run: &Run) {
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stdout.contains("inconclusive"), "{run:?}");
}

/// It did not, and says why in one line that holds `words`.
fn refused(run: &Run, words: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
    assert!(run.stderr.contains(words) && run.stderr.lines().count() == 1, "{words}: {run:?}");
    assert!(!run.stderr.contains("has a bug") && !run.stderr.contains("hunter2"), "{run:?}");
}

#[test]
fn an_exec_plugin_runs_once_for_a_connection_through_an_https_proxy() {
    let kube = FakeKube::start(&base());
    let proxy = FakeProxy::start(Kind::Https, kube.address());
    let mut config = Config::of(&kube);
    let credential = json!({"kind": "ExecCredential", "status": {"token": TOKEN}});
    let ran = config.path().join("ran");
    config.sign_in_with(&format!("echo once >>{}\necho '{credential}'", ran.display()));
    config.cluster["proxy-url"] = json!(proxy.url());
    let authorities = config.path().join("proxy.pem");
    std::fs::write(&authorities, proxy.ca_pem()).unwrap();
    reached(&run(config.debug().env("SSL_CERT_FILE", &authorities)));
    assert_eq!(std::fs::read_to_string(&ran).unwrap(), "once\n");
}

#[test]
fn the_time_limit_ends_an_exec_plugin_that_hangs() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    let started = config.path().join("started");
    config.sign_in_with(&format!("echo $$ >{}\nexec sleep 600", started.display()));
    let since = Instant::now();
    refused(&run(config.debug().args(["--timeout", "2s"])), "plugin did not end within 2 s (--timeout)");
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
    let pid = std::fs::read_to_string(&started).unwrap();
    while Path::new("/proc").join(pid.trim()).join("exe").exists() {
        assert!(since.elapsed() < Duration::from_secs(20), "the exec plugin is still running");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_time_limit_ends_the_wait_for_a_token_file() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    config.user = json!({"tokenFile": "pipe"});
    assert!(Command::new("mkfifo").arg(config.path().join("pipe")).status().unwrap().success());
    refused(&run(config.debug().args(["--timeout", "1s"])), "signing in did not end within 1 s (--timeout)");
}

#[test]
fn an_exec_plugin_that_prints_without_end_is_stopped() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    config.sign_in_with("exec yes hunter2");
    refused(&run(&mut config.debug()), "it is larger than 1 MiB");
}

#[test]
fn the_environments_proxy_is_not_for_what_no_proxy_names() {
    let kube = FakeKube::start(&base());
    let config = Config::of(&kube);
    // Nobody listens there.
    let nowhere = |no_proxy: &str| {
        run(config.debug().env("HTTPS_PROXY", "http://127.0.0.2:1").env("NO_PROXY", no_proxy))
    };
    for no_proxy in ["127.0.0.1", "*", "example.com, *", "127.0.0.0/8", "10.0.0.0/8,127.0.0.1/32"] {
        reached(&nowhere(no_proxy));
    }
    // The proxy's own address says nothing of the server, and what cannot be read excludes nothing.
    for no_proxy in ["127.0.0.2", "10.0.0.0/8", "127.0.0.0/99", "", ".example.com"] {
        refused(&nowhere(no_proxy), "refused");
    }
}

#[test]
fn proxies_of_every_kind_from_the_environment_and_the_kubeconfig() {
    let kube = FakeKube::start(&base());
    let server = kube.address();
    for (kind, login) in [(Kind::Http, BASIC), (Kind::Https, BASIC), (Kind::Socks5, "me:hunter2")] {
        let proxy = FakeProxy::start(kind, server);
        let mut config = Config::of(&kube);
        let authorities = config.path().join("proxy.pem");
        std::fs::write(&authorities, proxy.ca_pem()).unwrap();
        let expected = format!("{server} {login}");
        let mut by_environment = config.debug();
        by_environment.env("HTTPS_PROXY", proxy.url()).env("NO_PROXY", "").env("SSL_CERT_FILE", &authorities);
        reached(&run(&mut by_environment));
        let first = proxy.asked().len();
        assert!(first > 0 && proxy.asked().contains(&expected), "{kind:?}: {:?}", proxy.asked());

        // The kubeconfig's holds whatever the environment says.
        config.cluster["proxy-url"] = json!(proxy.url());
        reached(&run(config.debug().env("NO_PROXY", "*").env("SSL_CERT_FILE", &authorities)));
        assert!(proxy.asked().len() > first, "{kind:?}: {:?}", proxy.asked());
    }
}

#[test]
fn the_name_of_a_server_is_the_proxys_to_resolve() {
    let kube = FakeKube::start(&base());
    for (kind, login) in [(Kind::Http, BASIC), (Kind::Socks5, "me:hunter2")] {
        let proxy = FakeProxy::start(kind, kube.address());
        let mut config = Config::of(&kube);
        config.cluster["proxy-url"] = json!(proxy.url());
        config.cluster["tls-server-name"] = json!("localhost");
        for (server, asked) in
            [("https://kube.invalid", "kube.invalid:443"), ("https://[fd00::1]:6443", "[fd00::1]:6443")]
        {
            config.cluster["server"] = json!(server);
            reached(&run(&mut config.debug()));
            assert_eq!(proxy.asked().pop().unwrap(), format!("{asked} {login}"));
        }
    }
    // Without TLS the port is 80.
    let plain = FakeKube::start_behind(&base(), Front { tls: false, ..Front::default() });
    for kind in [Kind::Http, Kind::Socks5] {
        let proxy = FakeProxy::start(kind, plain.address());
        let mut config = Config::of(&plain);
        config.cluster = json!({"server": "http://kube.invalid", "proxy-url": proxy.url()});
        reached(&run(&mut config.debug()));
        assert!(
            proxy.asked().iter().all(|asked| asked.starts_with("kube.invalid:80 ")),
            "{:?}",
            proxy.asked()
        );
    }
}

#[test]
fn an_https_proxy_is_checked_with_the_machines_authorities_and_not_the_clusters() {
    let kube = FakeKube::start(&base());
    let proxy = FakeProxy::start(Kind::Https, kube.address());
    let mut config = Config::of(&kube);
    config.cluster["proxy-url"] = json!(proxy.url());
    // The cluster's name, authority and leave to skip the check are no matter of the proxy's.
    config.cluster["tls-server-name"] = json!("localhost");
    let authorities = config.path().join("proxy.pem");
    std::fs::write(&authorities, proxy.ca_pem()).unwrap();
    reached(&run(config.debug().env("SSL_CERT_FILE", &authorities)));
    let clusters = config.path().join("ca.pem");
    refused(&run(config.debug().env("SSL_CERT_FILE", &clusters)), "certificate");
    config.cluster["insecure-skip-tls-verify"] = json!(true);
    refused(&run(config.debug().env("SSL_CERT_FILE", &clusters)), "certificate");
}

#[test]
fn a_proxy_that_cannot_be_used_is_named_without_its_password() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    for (url, words) in [
        ("socks4://me:hunter2@127.0.0.1:1", "a proxy of the kind socks4:// is not supported"),
        ("ftp://me:hunter2@127.0.0.1:1", "proxy-url is not the URL of a proxy"),
        ("http://me:hunter2@127.0.0.1:1", "refused"),
        ("socks5://me:hunter2@127.0.0.1:1", "refused"),
    ] {
        config.cluster["proxy-url"] = json!(url);
        refused(&run(&mut config.debug()), words);
    }
}

#[test]
fn the_machine_needs_no_authorities_of_its_own() {
    let kube = FakeKube::start(&base());
    let plain = FakeKube::start_behind(&base(), Front { tls: false, ..Front::default() });
    let mut config = Config::of(&kube);
    let without = |config: &Config| {
        let empty = config.path().join("empty");
        std::fs::create_dir_all(&empty).unwrap();
        let mut command = config.debug();
        command.env("SSL_CERT_FILE", config.path().join("none.pem")).env("SSL_CERT_DIR", empty);
        // Of a debug build, the AWS SDK's client panics without any.
        command.env("AWS_CA_BUNDLE", config.path().join("ca.pem"));
        run(&mut command)
    };
    reached(&without(&config));
    config.cluster = json!({"server": kube.url(), "insecure-skip-tls-verify": true});
    reached(&without(&config));
    // A missing file is no matter where nothing is checked.
    config.cluster["certificate-authority"] = json!("missing.pem");
    reached(&without(&config));
    config.cluster = json!({"server": plain.url()});
    reached(&without(&config));
    // A proxy without TLS needs none, either.
    let proxy = FakeProxy::start(Kind::Http, kube.address());
    config.cluster = Config::of(&kube).cluster;
    config.cluster["certificate-authority"] = json!("ca.pem");
    config.cluster["proxy-url"] = json!(proxy.url());
    reached(&without(&config));
}

#[test]
fn a_token_that_no_header_can_hold_is_refused() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    for token in ["hunter2\nX-Other: 1", "hunter2 \u{1}"] {
        config.user = json!({"token": token});
        refused(&run(&mut config.debug()), "characters that are not allowed in an HTTP header");
        std::fs::write(config.path().join("token"), token).unwrap();
        config.user = json!({"tokenFile": "token"});
        refused(&run(&mut config.debug()), "characters that are not allowed in an HTTP header");
    }
    config.user = json!({"username": "me", "password": "hunter2"});
    refused(&run(&mut config.debug()), "Unauthorized");
    // What a file holds around its token is not the token's.
    std::fs::write(config.path().join("token"), format!("  {TOKEN}\r\n")).unwrap();
    config.user = json!({"tokenFile": "token"});
    reached(&run(&mut config.debug()));
}

#[test]
fn a_token_file_wins_over_a_token() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    std::fs::write(config.path().join("token"), TOKEN).unwrap();
    config.user = json!({"token": "another", "tokenFile": "token"});
    reached(&run(&mut config.debug()));
    std::fs::write(config.path().join("token"), "another").unwrap();
    config.user = json!({"token": TOKEN, "tokenFile": "token"});
    refused(&run(&mut config.debug()), "Unauthorized");
    reached(&run(config.debug().args(["--token", TOKEN])));
    config.user = json!({"token": TOKEN, "tokenFile": "missing"});
    refused(&run(&mut config.debug()), "cannot read the token file");
}

#[test]
fn blank_fields_are_as_good_as_none() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    config.cluster["tls-server-name"] = json!("");
    config.cluster["proxy-url"] = json!("");
    config.cluster["certificate-authority-data"] = json!("");
    config.user = json!({"token": TOKEN, "tokenFile": "", "username": "", "client-certificate": "",
                         "client-key-data": "", "as": "", "as-uid": "", "as-groups": [""]});
    reached(&run(&mut config.debug()));
    let asked = kube.requests();
    assert!(asked.iter().all(|seen| seen.impersonate_user.is_none() && seen.impersonate_uid.is_none()));
    assert!(asked.iter().all(|seen| seen.impersonate_groups.is_empty()), "{asked:?}");
    // A blank authority is the machine's, and not nobody.
    config.cluster =
        json!({"server": kube.url(), "certificate-authority": "", "certificate-authority-data": ""});
    let authorities = config.path().join("ca.pem");
    reached(&run(config.debug().env("SSL_CERT_FILE", authorities)));
}

#[test]
fn whom_to_act_as_may_have_extras() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    config.user["as"] = json!("alice");
    config.user["as-user-extra"] = json!({"example.com/Scope": ["view", "edit"], "reason": ["a 100% test"]});
    reached(&run(&mut config.debug()));
    for seen in kube.requests() {
        let mut extra = seen.impersonate_extra.clone();
        extra.sort();
        let expected =
            [("example.com%2fscope", "edit"), ("example.com%2fscope", "view"), ("reason", "a 100% test")];
        assert_eq!(extra, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
    config.user["as"] = json!("a\nb");
    refused(
        &run(&mut config.debug()),
        "to act as contains characters that are not allowed in an HTTP header",
    );
}

#[test]
fn a_server_may_have_a_path_and_an_ipv6_address() {
    let prefix = "/k8s/clusters/c-1";
    let rancher = FakeKube::start_behind(&base(), Front { prefix, ..Front::default() });
    let mut config = Config::of(&rancher);
    reached(&run(&mut config.debug()));
    config.cluster["server"] = json!(format!("{}/", rancher.url()));
    reached(&run(&mut config.debug()));

    let ipv6 =
        FakeKube::start_behind(&base(), Front { address: Ipv6Addr::LOCALHOST.into(), ..Front::default() });
    assert!(ipv6.url().starts_with("https://[::1]:"), "{}", ipv6.url());
    reached(&run(Config::of(&ipv6).debug().env("NO_PROXY", "::1")));
    assert_eq!(ipv6.address().ip(), IpAddr::V6(Ipv6Addr::LOCALHOST));
}

#[test]
fn the_name_to_expect_in_the_servers_certificate() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    for name in ["localhost", "127.0.0.1", "::1"] {
        config.cluster["tls-server-name"] = json!(name);
        reached(&run(&mut config.debug()));
    }
    config.cluster["tls-server-name"] = json!("other.example");
    refused(&run(&mut config.debug()), "certificate");
    reached(&run(config.debug().args(["--tls-server-name", "localhost"])));
    config.cluster["tls-server-name"] = json!("no name");
    refused(&run(&mut config.debug()), "the TLS server name \"no name\" is not a host name");
}

#[test]
fn a_client_certificate_of_version_1_is_named_as_the_cause() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    let pem = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates/client-v1.pem");
    config.user = json!({"client-certificate": pem, "client-key": pem});
    refused(&run(&mut config.debug()), "the client certificate is X.509 version 1");
}

#[test]
fn a_clients_certificate_and_key_may_lie_in_one_file() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    let text = std::fs::read_to_string(kube.kubeconfig_client_cert(config.path())).unwrap();
    let theirs: Value = serde_json::from_str(&text).unwrap();
    let part = |field: &str| {
        let data = theirs["users"][0]["user"][field].as_str().unwrap();
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).unwrap()
    };
    let (certificate, key) = (part("client-certificate-data"), part("client-key-data"));
    std::fs::write(config.path().join("both.pem"), [&certificate[..], &key].concat()).unwrap();
    config.user = json!({"client-certificate": "both.pem", "client-key": "both.pem"});
    reached(&run(&mut config.debug()));

    // An exec plugin may make them, too.
    let credential = json!({"status": {"clientCertificateData": String::from_utf8_lossy(&certificate),
                                       "clientKeyData": String::from_utf8_lossy(&key)}});
    config.sign_in_with(&format!("cat <<'END'\n{credential}\nEND"));
    reached(&run(&mut config.debug()));

    config.user = json!({"client-certificate": "both.pem"});
    refused(&run(&mut config.debug()), "the client certificate and its key must both be given");
    std::fs::write(config.path().join("odd.pem"), "-----BEGIN PRIVATE KEY-----hunter2\n").unwrap();
    config.user = json!({"client-certificate": "both.pem", "client-key": "odd.pem"});
    refused(&run(&mut config.debug()), "the client's key is not a PEM private key");
    config.user = json!({"client-certificate": "odd.pem", "client-key": "both.pem"});
    refused(&run(&mut config.debug()), "the client's certificate contains no PEM certificate");
}

#[test]
fn a_busy_server_is_asked_again_when_it_says() {
    let kube = FakeKube::start(&base());
    let config = Config::of(&kube);
    kube.be_busy(2, 0);
    reached(&run(&mut config.debug()));
    let busy = kube.requests().iter().filter(|seen| seen.status == Some(429)).count();
    assert_eq!(busy, 2);

    // Not beyond the time that an answer may take.
    kube.be_busy(usize::MAX, 3600);
    let since = Instant::now();
    refused(&run(&mut config.debug()), "too many requests");
    kube.be_busy(usize::MAX, u64::MAX);
    refused(&run(&mut config.debug()), "too many requests");
    // Nor again and again.
    kube.be_busy(usize::MAX, 0);
    refused(&run(&mut config.debug()), "too many requests");
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
}

#[test]
fn what_a_server_sends_is_not_repeated_where_it_cannot_be_read() {
    let kube = FakeKube::start(&base());
    let mut config = Config::of(&kube);
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n{\"metadata\": \"hunter2\"}",
        "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhunter2",
        "HTTP/1.1 302 Found\r\nLocation: http://hunter2/\r\nContent-Length: 0\r\n\r\n",
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        config.cluster = json!({"server": format!("http://{}", listener.local_addr().unwrap())});
        let mut child = config.debug();
        let child =
            child.env("RUST_LOG", "trace").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let _ = std::io::Read::read(&mut stream, &mut head).unwrap();
        std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && !stderr.contains("hunter2"), "{stderr}");
    }
}

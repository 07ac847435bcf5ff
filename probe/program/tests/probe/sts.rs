//! What STS says.

use crate::pod::{Pod, ROLE};
use crate::server::{Answer, Server, answer};
use crate::token::{ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, service_account};
use irsa_probe::{Ended, Skipped, Why};

const SESSION_ARN: &str = "arn:aws:sts::111122223333:assumed-role/checkout/kubectl-irsa-probe";
/// What STS sends with every answer.
const HEADERS: &str = "Date: Mon, 23 Nov 2026 05:00:00 GMT\r\nx-amzn-RequestId: r-0\r\n";

/// An STS to which everything is right.
pub fn accepts(request: &str) -> Answer {
    let body = if request.contains("Action=AssumeRoleWithWebIdentity") {
        format!(
            "<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>{ACCESS_KEY}</AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey>\
             <SessionToken>{SESSION_TOKEN}</SessionToken><Expiration>2026-11-23T06:00:00Z</Expiration></Credentials>\
             <AssumedRoleUser><Arn>{SESSION_ARN}</Arn></AssumedRoleUser><RequestId>r-1</RequestId>\
             </AssumeRoleWithWebIdentityResponse>"
        )
    } else {
        format!(
            "<GetCallerIdentityResponse><Arn>{SESSION_ARN}</Arn><Account>111122223333</Account>\
             <RequestId>r-2</RequestId></GetCallerIdentityResponse>"
        )
    };
    answer(200, HEADERS, &body)
}

/// An STS that refuses.
pub fn refuses(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>r-9</RequestId></ErrorResponse>"
    );
    answer(status, HEADERS, &body)
}

fn pod(server: &Server) -> Pod {
    let mut pod = Pod::new();
    pod.set("AWS_ENDPOINT_URL_STS", &server.url());
    pod
}

#[test]
fn an_accepted_token_shows_who_the_caller_is() {
    let server = Server::tls(accepts);
    let mut pod = pod(&server);
    let bundle = pod.path("bundle.pem");
    std::fs::write(&bundle, server.authority()).unwrap();
    pod.set("AWS_CA_BUNDLE", &bundle);
    let report = pod.run().report;

    assert_eq!((report.ended, report.unfinished.len()), (Some(Ended::Complete), 0));
    let sts = report.sts.unwrap();
    assert_eq!((sts.skipped, sts.role_arn.as_deref()), (None, Some(ROLE)));
    let assume = sts.assume.unwrap();
    assert_eq!((assume.status, assume.arn.as_deref()), (Some(200), Some(SESSION_ARN)));
    let caller = sts.caller.unwrap();
    assert_eq!((caller.arn.as_deref(), caller.account.as_deref()), (Some(SESSION_ARN), Some("111122223333")));
    assert_eq!(report.clock.unwrap().remote, "Mon, 23 Nov 2026 05:00:00 GMT");
    let network = report.network.unwrap();
    assert_eq!(network.why, Some(Why::Override));
    let tls = network.connection.tls.unwrap();
    assert_eq!(
        (tls.version.as_deref(), tls.issuer.as_deref()),
        (Some("TLSv1_3"), Some("CN=Corporate Interception CA"))
    );
    assert_eq!(tls.bundle, Some(format!("AWS_CA_BUNDLE={bundle}")));

    let [assume, caller] = server.requests().try_into().unwrap();
    assert!(assume.contains(&format!("WebIdentityToken={}", service_account())), "the file's token is tried");
    assert!(assume.contains("RoleSessionName=kubectl-irsa-probe&DurationSeconds=900"));
    assert!(!assume.contains("Authorization:"), "the first call is not signed");
    assert!(caller.contains(&format!("Credential={ACCESS_KEY}/")), "the second is");
}

#[test]
fn a_refusal_is_quoted_to_the_letter() {
    let message = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
    let server = Server::plain(move |_| refuses(403, "AccessDenied", message));
    let run = pod(&server).run();
    let answer = run.report.sts.unwrap().assume.unwrap();
    assert_eq!((answer.status, answer.code.as_deref()), (Some(403), Some("AccessDenied")));
    assert_eq!((answer.message.as_deref(), answer.request_id.as_deref()), (Some(message), Some("r-9")));
    assert_eq!(run.compact.sts.unwrap().assume.unwrap().message.as_deref(), Some(message));
    assert_eq!(server.requests().len(), 1, "a refusal is not tried again");
}

#[test]
fn throttling_is_an_answer_too() {
    let server = Server::plain(|_| refuses(400, "Throttling", "Rate exceeded"));
    let answer = pod(&server).run().report.sts.unwrap().assume.unwrap();
    assert_eq!((answer.status, answer.code.as_deref()), (Some(400), Some("Throttling")));
}

#[test]
fn what_is_sent_back_is_withheld() {
    let server = Server::plain(|request| {
        if request.contains("Action=AssumeRole") {
            return accepts(request);
        }
        let message =
            format!("The canonical string should have been x-amz-security-token:{SESSION_TOKEN} host:h");
        refuses(403, "SignatureDoesNotMatch", &message)
    });
    let caller = pod(&server).run().report.sts.unwrap().caller.unwrap();
    let message = caller.message.unwrap();
    assert!(message.ends_with("x-amz-security-token:[withheld] host:h"), "the rest of it is shown");

    let server = Server::plain(|_| {
        let message = format!("Value '{}' at 'webIdentityToken' failed", service_account());
        refuses(400, "ValidationError", &message)
    });
    let answer = pod(&server).run().report.sts.unwrap().assume.unwrap();
    assert_eq!(answer.message.as_deref(), Some("Value '[withheld]' at 'webIdentityToken' failed"));
}

#[test]
fn garbage_is_no_answer_of_sts() {
    let page = Server::plain(|_| answer(200, "Content-Type: text/html\r\n", "<html>Sign in</html>"));
    let sts = pod(&page).run().report.sts.unwrap();
    let assume = sts.assume.unwrap();
    assert_eq!((assume.status, assume.arn, assume.code), (Some(200), None, None));
    assert_eq!((assume.content_type.as_deref(), assume.excerpt), (Some("text/html"), None));
    assert!(sts.caller.is_none());

    let noise = Server::plain(|_| Some("\u{1b}[2J\0\u{fffd} no HTTP at all\r\n\r\n".into()));
    let assume = pod(&noise).run().report.sts.unwrap().assume.unwrap();
    assert_eq!(assume.fault.unwrap().kind, irsa_probe::FaultKind::Protocol);

    let silent = Server::plain(|_| Some(String::new()));
    let assume = pod(&silent).run().report.sts.unwrap().assume.unwrap();
    assert_eq!(assume.fault.unwrap().kind, irsa_probe::FaultKind::Reset);
}

#[test]
fn nobody_is_asked_for_credentials_against_the_user_s_will() {
    let server = Server::plain(accepts);
    let mut pod = pod(&server);
    pod.options.no_assume = true;
    let agent = Server::plain(accepts);
    pod.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &agent.url());
    let report = pod.run().report;
    let sts = report.sts.unwrap();
    assert_eq!((sts.skipped, sts.assume.is_none()), (Some(Skipped::NoAssume), true));
    assert!(report.clock.is_some(), "a plain GET shows the clock");
    assert!(server.requests().iter().all(|request| request.starts_with("GET / ")));
    assert!(report.container_credentials.unwrap().answer.is_none());
    assert!(agent.requests().is_empty());
}

#[test]
fn what_is_missing_is_named() {
    let server = Server::plain(accepts);
    let skipped = |name: &str, value: &str| {
        let mut pod = pod(&server);
        pod.set(name, value);
        pod.run().report.sts.unwrap().skipped
    };
    assert_eq!(skipped("AWS_ROLE_ARN", ""), Some(Skipped::NoRoleArn));
    assert_eq!(skipped("AWS_WEB_IDENTITY_TOKEN_FILE", ""), Some(Skipped::NoTokenFile));
    assert_eq!(skipped("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token"), Some(Skipped::NoToken));
    // Nothing answers there, and nothing would be sent.
    assert_eq!(skipped("AWS_ENDPOINT_URL_STS", "http://192.0.2.1:9/"), Some(Skipped::PlainHttp));
    assert!(server.requests().iter().all(|request| request.starts_with("GET / ")));
}

#[test]
fn the_clocks_are_read_side_by_side() {
    // A portal on the way dates its answers by a clock of its own.
    let date = "Date: Thu, 01 Jan 2015 00:00:00 GMT\r\n";
    let server = Server::plain(move |_| answer(403, date, ""));
    assert_eq!(pod(&server).run().report.clock, None);
    let server = Server::plain(move |_| answer(403, &format!("{date}x-amzn-RequestId: r-0\r\n"), ""));
    let report = pod(&server).run().report;
    let clock = report.clock.unwrap();
    assert_eq!(clock.remote, "Thu, 01 Jan 2015 00:00:00 GMT");
    assert!(clock.local > 1_700_000_000 && report.now.unwrap() - clock.local < 60);
}

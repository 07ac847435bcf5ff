//! The token file, as root and as others.

use crate::pod::{Pod, is_root};
use crate::server::Server;
use crate::sts::accepts;
use irsa_probe::{FaultKind, Skipped};
use std::process::Command;

#[test]
fn the_links_of_a_projected_volume_and_the_claims_are_seen() {
    let report = Pod::new().run().report;
    let token = report.token.unwrap();
    let links: Vec<_> = token.own.links.iter().map(|link| link.to.as_str()).collect();
    assert!(links.ends_with(&["..data/token", "..2026"]), "{links:?}");
    assert!(token.own.readable && token.own.fault.is_none());
    let jwt = token.jwt.unwrap();
    assert_eq!((jwt.parts, jwt.alg.as_deref(), jwt.kid.as_deref()), (3, Some("RS256"), Some("7f3a")));
    let claims = jwt.claims.unwrap();
    assert_eq!(claims.sub.as_deref(), Some("system:serviceaccount:shop:checkout"));
    assert_eq!(
        (claims.aud.as_slice(), claims.exp),
        (["sts.amazonaws.com".to_owned()].as_slice(), Some(1_900_000_000))
    );
    assert_eq!(claims.kubernetes.unwrap().pod.unwrap().name.as_deref(), Some("checkout-7d9f"));
}

#[test]
fn a_mode_that_shuts_out_is_told_from_what_else_does() {
    if !is_root() {
        // Only root can give files away and run as others.
        return;
    }
    let server = Server::plain(accepts);
    for (uid, gid, mode, user, readable) in [
        (0, 0, 0o600, 65534, false),
        (0, 0, 0o644, 65534, true),
        (0, 65534, 0o640, 65534, true),
        (0, 2000, 0o640, 65534, false),
        (1000, 1000, 0o600, 1000, true),
        (1000, 1000, 0o600, 1001, false),
    ] {
        let mut pod = Pod::new();
        pod.own_token(uid, gid, mode);
        pod.run_as(user);
        pod.set("AWS_ENDPOINT_URL_STS", &server.url());
        let report = pod.run().report;
        let case = format!("{uid}:{gid} {mode:o} as {user}");
        assert_eq!(report.process.unwrap().identity.unwrap().uid, [user; 4], "{case}");
        let own = report.token.unwrap().own;
        assert_eq!((own.readable, own.mode_permits), (readable, Some(readable)), "{case}");
        assert_eq!(own.stat.unwrap().mode, format!("{mode:04o}"), "{case}");
        assert_eq!(
            own.fault.map(|fault| fault.kind),
            (!readable).then_some(FaultKind::PermissionDenied),
            "{case}"
        );
        assert_eq!(report.sts.unwrap().skipped, (!readable).then_some(Skipped::NoToken), "{case}");
    }
}

#[test]
fn a_pipe_in_its_place_does_not_hang() {
    let mut pod = Pod::new();
    let pipe = pod.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    pod.set("AWS_WEB_IDENTITY_TOKEN_FILE", &pipe);
    let own = pod.run().report.token.unwrap().own;
    assert_eq!(own.fault.unwrap().kind, FaultKind::WrongFileType);
    assert_eq!(own.stat.unwrap().kind, "other");
}

#[test]
fn what_is_no_token_is_tried_all_the_same_and_not_shown() {
    let server = Server::plain(|_| crate::sts::refuses(400, "InvalidIdentityToken", "not a valid JWT"));
    let mut pod = Pod::new();
    pod.set("AWS_ENDPOINT_URL_STS", &server.url());
    pod.mount("other", "correcthorsebatterystaple\n");
    let path = pod.path("other/token");
    pod.set("AWS_WEB_IDENTITY_TOKEN_FILE", &path);
    let report = pod.run().report;
    let jwt = report.token.as_ref().unwrap().jwt.as_ref().unwrap();
    assert_eq!((jwt.parts, jwt.padded), (1, true));
    assert_eq!(
        report.sts.as_ref().unwrap().assume.as_ref().unwrap().code.as_deref(),
        Some("InvalidIdentityToken")
    );
    assert!(!serde_json::to_string(&report).unwrap().contains("correcthorse"));
    assert!(server.requests()[0].ends_with("WebIdentityToken=correcthorsebatterystaple%0A"), "as it is");
}

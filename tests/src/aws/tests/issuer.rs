//! What issuers publish, and what STS makes of it.

use super::*;

const HOST: &str = "oidc.eks.eu-west-1.amazonaws.com";
const DISCOVERY: &str = "/id/A/.well-known/openid-configuration";

fn get(fakes: &Fakes, target: &str) -> Result<Got, NoAnswer> {
    fakes.send(&Call { method: "GET", host: HOST, target, headers: Vec::new(), body: String::new() })
}

/// STS's answer to a good token: a code, or nothing.
fn sts_says(fakes: &Fakes) -> Option<String> {
    let token = fakes.token(|_| {});
    let params = [("RoleArn", ROLE), ("RoleSessionName", "debug"), ("WebIdentityToken", token.as_str())];
    let got = fakes.assume(STS, &params).unwrap();
    (got.code != 200).then(|| refusal(&got).2)
}

#[test]
fn the_documents_are_those_of_the_api_server() {
    let fakes = fakes("", "");
    let configuration = get(&fakes, DISCOVERY).unwrap();
    assert_eq!((configuration.code, configuration.header("content-type")), (200, "application/json"));
    assert_eq!(configuration.json()["issuer"], ISSUER);
    let keys = configuration.json()["jwks_uri"].as_str().unwrap().trim_start_matches("https://").to_owned();
    let keys = get(&fakes, keys.trim_start_matches(HOST)).unwrap();
    assert_eq!(keys.json(), fakes.kube.key_set());
    assert_eq!(get(&fakes, "/id/B/keys").unwrap().code, 404);
    assert_eq!(sts_says(&fakes), None);
    let actions: Vec<String> = fakes.aws.requests().into_iter().map(|seen| seen.action).collect();
    assert_eq!(actions[..2], [format!("GET {DISCOVERY}"), "GET /id/A/keys".to_owned()]);
}

#[test]
fn what_can_be_wrong_with_them() {
    for (serves, target, status) in [
        ("{discovery: not-found}", DISCOVERY, 404),
        ("{discovery: html}", DISCOVERY, 200),
        ("{jwks: forbidden}", "/id/A/keys", 403),
        ("{jwks: html}", "/id/A/keys", 200),
        ("{issuerField: 'https://other.example'}", DISCOVERY, 200),
        ("{keys: none}", "/id/A/keys", 200),
        ("{keys: other}", "/id/A/keys", 200),
        ("{keys: without-kid}", "/id/A/keys", 200),
    ] {
        let fakes = fakes(&format!("issuerServes: {serves}"), "");
        let got = get(&fakes, target).unwrap();
        assert_eq!(got.code, status, "{serves}");
        assert!(sts_says(&fakes).is_some_and(|message| message.starts_with("Couldn't retrieve")), "{serves}");
    }
}

#[test]
fn slow_and_silent_issuers() {
    for serves in ["{jwks: slow}", "{discovery: hang}"] {
        let fakes = fakes(&format!("issuerServes: {serves}"), "");
        assert!(sts_says(&fakes).is_some_and(|message| message.starts_with("Couldn't retrieve")), "{serves}");
    }
}

#[test]
fn a_private_certificate_needs_its_thumbprint() {
    let private = "issuerServes: {certificate: private-ca}";
    let unknown = fakes(private, "");
    assert_eq!(get(&unknown, DISCOVERY).unwrap_err(), NoAnswer::Broken);
    let mismatch = "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint";
    assert_eq!(sts_says(&unknown).as_deref(), Some(mismatch));
    let account = ACCOUNT.replace("  - {}", "  - {thumbprints: [issuer-ca]}");
    let known = start(&format!("{HEADER}{private}\n---\n{account}"));
    assert_eq!(sts_says(&known), None);
}

#[test]
fn other_clusters_have_issuers_and_keys_of_their_own() {
    let cluster =
        "eks: [{name: green, region: eu-west-1, issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/B'}]";
    let fakes = fakes("", cluster);
    let keys = get(&fakes, "/id/B/keys").unwrap().json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert_ne!(keys, fakes.kube.key_set());
}

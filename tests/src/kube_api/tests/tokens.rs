//! Tokens and the issuer's documents.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::json;

const CHECKOUT: &str = "/api/v1/namespaces/shop/serviceaccounts/checkout/token";
/// The issuer of the recordings.
const RECORDED: &str = "https://oidc.eks.us-east-1.amazonaws.com/id/B61F0D97A2C84E5D93F02AE871C4D5B0";
const POD_UID: &str = "154932eb-10ae-47a8-afd3-c6e307088f1c";

fn request(pod: &str, uid: &str, seconds: i64) -> Value {
    let reference = json!({"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid});
    json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
           "spec": {"audiences": ["sts.amazonaws.com"], "expirationSeconds": seconds, "boundObjectRef": reference}})
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn a_token_bound_to_a_pod_is_as_recorded() {
    let kube = shop_with(&format!("now: 2026-11-22T06:55:34Z\nissuer: {RECORDED}\n"));
    let got = post(&kube, CHECKOUT, &request("checkout-1", POD_UID, 600));
    let answer = got.json();
    assert_eq!(got.code, 201);
    let metadata = json!({"name": "checkout", "namespace": "shop", "uid": "3cd326f9-8446-408e-9888-dfe35cff46c1",
                          "creationTimestamp": "2026-11-22T06:55:34Z"});
    assert_eq!(answer["metadata"], metadata);
    assert_eq!(answer["spec"], request("checkout-1", POD_UID, 600)["spec"]);
    assert_eq!(answer["status"]["expirationTimestamp"], "2026-11-22T07:05:34Z");

    let mut claims = claims(answer["status"]["token"].as_str().unwrap());
    assert_eq!(claims["jti"].take().as_str().unwrap().len(), 36);
    let recorded = json!({
        "aud": ["sts.amazonaws.com"], "exp": 1_795_331_134, "iat": 1_795_330_534, "nbf": 1_795_330_534, "jti": null,
        "iss": RECORDED,
        "kubernetes.io": {
            "namespace": "shop",
            "node": {"name": "node-1", "uid": "e477fd85-2760-4b54-aaa1-7424639949ca"},
            "pod": {"name": "checkout-1", "uid": POD_UID},
            "serviceaccount": {"name": "checkout", "uid": "3cd326f9-8446-408e-9888-dfe35cff46c1"},
        },
        "sub": "system:serviceaccount:shop:checkout",
    });
    assert_eq!(claims, recorded);
}

#[test]
fn signatures_verify_against_the_key_set() {
    let kube = shop();
    let token = kube.mint(&json!({"sub": "x"}));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = get_as(&kube, "/openid/v1/jwks", "application/jwk-set+json").json()["keys"][0].clone();
    assert_eq!(key, kube.key_set()["keys"][0]);
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    assert_eq!(point, kube.issuer_public_key());
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message.as_bytes(), &signature).unwrap();
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!(header, json!({"alg": "ES256", "kid": key["kid"]}));
}

#[test]
fn unbound_tokens_and_defaults() {
    let kube = shop_with("issuer: https://issuer.example\n");
    let answer = post(&kube, CHECKOUT, &json!({"spec": {}})).json();
    assert_eq!(answer["spec"]["expirationSeconds"], 3600);
    assert_eq!(answer["spec"]["audiences"], json!(["https://issuer.example"]));
    assert_eq!(answer["spec"]["boundObjectRef"], Value::Null);
    let claims = claims(answer["status"]["token"].as_str().unwrap());
    assert_eq!(claims["iss"], "https://issuer.example");
    assert!(claims["kubernetes.io"]["pod"].is_null());
}

#[test]
fn a_node_that_is_gone_leaves_only_its_name() {
    let answer = post(&shop(), CHECKOUT, &request("checkout-2", "", 600)).json();
    let claims = claims(answer["status"]["token"].as_str().unwrap());
    assert_eq!(claims["kubernetes.io"]["node"], json!({"name": "gone"}));
}

#[test]
fn refusals() {
    let kube = shop();
    let default = "/api/v1/namespaces/shop/serviceaccounts/default/token";
    let nobody = "/api/v1/namespaces/shop/serviceaccounts/nobody/token";
    for (target, body, code, message) in [
        (
            default,
            request("checkout-1", POD_UID, 600),
            400,
            "cannot bind token for serviceaccount \"default\" to pod running with different serviceaccount name.",
        ),
        (
            CHECKOUT,
            request("checkout-1", POD_UID, 60),
            422,
            "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes",
        ),
        (nobody, request("checkout-1", POD_UID, 600), 404, "serviceaccounts \"nobody\" not found"),
        (CHECKOUT, request("nope", "", 600), 404, "pods \"nope\" not found"),
        (
            CHECKOUT,
            request("checkout-1", "old", 600),
            409,
            "Operation cannot be fulfilled on Pod \"checkout-1\": the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated",
        ),
    ] {
        let got = post(&kube, target, &body);
        assert_eq!((got.code, got.message().as_str()), (code, message));
    }
}

#[test]
fn discovery_of_the_issuer() {
    let kube = shop_with(&format!("issuer: {RECORDED}\n"));
    let configuration = get(&kube, "/.well-known/openid-configuration").json();
    assert_eq!(configuration["issuer"], RECORDED);
    assert_eq!(configuration["jwks_uri"], format!("{RECORDED}/keys"));
    let refused = get_as(&kube, "/openid/v1/jwks", "application/json");
    assert_eq!(refused.code, 406);
    assert_eq!(
        refused.message(),
        "406: Not Acceptable\n\nAvailable representations: application/jwk-set+json"
    );
    let keys = get_as(&kube, "/openid/v1/jwks", "*/*");
    assert_eq!((keys.code, keys.header("content-type")), (200, "application/jwk-set+json"));
}

#[test]
fn bodies_are_json() {
    let kube = shop();
    let type_of = |value| {
        let headers = [("Content-Type", value)];
        send(
            &kube,
            &Call { method: "POST", target: CHECKOUT, headers: &headers, body: "{}", ..Call::default() },
        )
        .code
    };
    assert_eq!(type_of("application/json; charset=utf-8"), 201);
    assert_eq!(type_of("application/vnd.kubernetes.protobuf"), 415);
    let garbage = send(&kube, &Call { method: "POST", target: CHECKOUT, body: "{", ..Call::default() });
    assert_eq!((garbage.code, &garbage.json()["reason"]), (400, &json!("BadRequest")));
}

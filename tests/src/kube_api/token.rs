//! Service account tokens: TokenRequest, and the issuer's discovery documents.
//!
//! The recordings' keys are RSA; `ring` cannot make RSA keys, so tokens are signed with ES256 by a key made at start.
//! Everything else is as recorded, and a test can verify the signature against the key set.

use super::accept::require;
use super::resources::{Resource, by_path};
use super::route::ResourcePath;
use super::status::{Answer, JSON, bad_request, conflict, invalid_field, not_found};
use super::store::Store;
use crate::world::{Object, uid_of};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const GROUP: &str = "authentication.k8s.io";

/// The token issuer of one server.
pub struct Issuer {
    url: String,
    key: EcdsaKeyPair,
    random: SystemRandom,
    issued: AtomicU64,
}

impl Issuer {
    /// An issuer with a fresh key.
    pub fn new(url: &str) -> Issuer {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("the system has random numbers");
        let key =
            EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("ring reads its own key");
        Issuer { url: url.to_owned(), key, random, issued: AtomicU64::new(0) }
    }

    /// The public key as an uncompressed point, as `ring::signature::UnparsedPublicKey` wants it.
    pub fn public_key(&self) -> Vec<u8> {
        self.key.public_key().as_ref().to_vec()
    }

    /// Signs claims as a JWT.
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": self.key_id()});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let signature =
            self.key.sign(&self.random, message.as_bytes()).expect("ECDSA signing needs only randomness");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn key_id(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, self.key.public_key().as_ref());
        URL_SAFE_NO_PAD.encode(digest)
    }

    /// The JSON Web Key Set.
    pub fn key_set(&self) -> Value {
        let point = self.public_key();
        // 0x04, then 32 bytes of x and 32 bytes of y.
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"keys": [{
            "use": "sig", "kty": "EC", "kid": self.key_id(), "crv": "P-256", "alg": "ES256",
            "x": coordinate(&point[1..33]), "y": coordinate(&point[33..65]),
        }]})
    }

    /// `/openid/v1/jwks`, recordings `openid-jwks` and `openid-jwks-accept-json`.
    pub fn answer_key_set(&self, accept: &str) -> Result<Answer, Answer> {
        const JWKS: &str = "application/jwk-set+json";
        require(accept, JWKS)?;
        Ok(Answer::bytes(200, JWKS, self.key_set().to_string().into_bytes()))
    }

    /// `/.well-known/openid-configuration`, recording `openid-configuration`.
    pub fn answer_configuration(&self, accept: &str) -> Result<Answer, Answer> {
        require(accept, JSON)?;
        Ok(Answer::json(200, &configuration(&self.url)))
    }

    /// Answers TokenRequest, in the order of checks of `TokenREST.Create`; recordings `token-request*`.
    pub fn create(
        &self,
        store: &Store,
        at: &ResourcePath,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Answer, Answer> {
        let request: Value = serde_json::from_slice(body)
            .map_err(|error| bad_request(&format!("the object provided is unrecognized: {error}")))?;
        let account = lookup(store, "serviceaccounts", &at.namespace, &at.name)?;
        let seconds = expiration(&request["spec"]["expirationSeconds"])?;
        let audiences = match &request["spec"]["audiences"] {
            Value::Array(given) if !given.is_empty() => json!(given),
            _ => json!([self.url]),
        };
        let reference = &request["spec"]["boundObjectRef"];
        let bound = bound_object(store, at, reference)?;
        let account = &account.value;
        let claims = self.claims(at, account, bound, &audiences, now, seconds);
        let expires = now + SignedDuration::from_secs(seconds);
        // Without a bound object a real server says `"boundObjectRef": null`: the field has no omitempty.
        let answer = json!({
            "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": at.name, "namespace": at.namespace, "uid": account["metadata"]["uid"],
                "creationTimestamp": now.to_string(),
            },
            "spec": { "audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": reference },
            "status": { "token": self.sign(&claims), "expirationTimestamp": expires.to_string() },
        });
        Ok(Answer::json(201, &answer))
    }

    /// The issuer's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A token that a kubelet asks for: bound to the pod.
    pub fn mint_for(
        &self,
        store: &Store,
        pod: &Value,
        audiences: &Value,
        issued: Timestamp,
        seconds: i64,
    ) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = pod["spec"]["serviceAccountName"].as_str().unwrap_or("default");
        let at = ResourcePath {
            plural: "serviceaccounts".to_owned(),
            namespace: text(&pod["metadata"]["namespace"]),
            name: name.to_owned(),
            ..ResourcePath::default()
        };
        let account = lookup(store, "serviceaccounts", &at.namespace, name);
        let account = account.map_or(Value::Null, |object| object.value.clone());
        let bound = bound_claims(store, pod);
        self.sign(&self.claims(&at, &account, bound, audiences, issued, seconds))
    }

    fn claims(
        &self,
        at: &ResourcePath,
        account: &Value,
        bound: Value,
        audiences: &Value,
        now: Timestamp,
        seconds: i64,
    ) -> Value {
        let issued = now.as_second();
        let serial = self.issued.fetch_add(1, Ordering::SeqCst);
        let mut kubernetes = json!({
            "namespace": at.namespace,
            "serviceaccount": { "name": at.name, "uid": account["metadata"]["uid"] },
        });
        for (key, value) in bound.as_object().into_iter().flatten() {
            kubernetes[key] = value.clone();
        }
        json!({
            "aud": audiences, "exp": issued + seconds, "iat": issued, "iss": self.url,
            "jti": uid_of(&format!("token {serial} at {now}")), "kubernetes.io": kubernetes, "nbf": issued,
            "sub": format!("system:serviceaccount:{}:{}", at.namespace, at.name),
        })
    }
}

/// The discovery document of an issuer.
pub fn configuration(issuer: &str) -> Value {
    json!({
        "issuer": issuer, "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })
}

fn expiration(value: &Value) -> Result<i64, Answer> {
    let seconds = if value.is_null() { 3600 } else { value.as_i64().unwrap_or_default() };
    let invalid = |why| invalid_field(GROUP, "TokenRequest", "spec.expirationSeconds", &json!(seconds), why);
    match seconds {
        ..600 => Err(invalid("may not specify a duration less than 10 minutes")),
        4_294_967_297.. => Err(invalid("may not specify a duration larger than 2^32 seconds")),
        _ => Ok(seconds),
    }
}

fn lookup(store: &Store, plural: &str, namespace: &str, name: &str) -> Result<Arc<Object>, Answer> {
    let resource: Option<&Resource> = by_path("", plural);
    resource.and_then(|r| store.find(r, namespace, name)).ok_or_else(|| not_found("", plural, name))
}

/// The private claims that the bound object adds: the pod and its node, a node or a secret.
fn bound_object(store: &Store, at: &ResourcePath, reference: &Value) -> Result<Value, Answer> {
    if reference.is_null() {
        return Ok(json!({}));
    }
    let text = |key: &str| reference[key].as_str().unwrap_or_default();
    let (kind, name) = (text("kind"), text("name"));
    let (object, claims) = match (text("apiVersion"), kind) {
        ("v1", "Pod") => bound_pod(store, at, name)?,
        ("v1", "Node") => {
            let node = lookup(store, "nodes", "", name)?;
            let claims = json!({ "node": name_and_uid(&node.value) });
            (node, claims)
        }
        ("v1", "Secret") => {
            let secret = lookup(store, "secrets", &at.namespace, name)?;
            let claims = json!({ "secret": name_and_uid(&secret.value) });
            (secret, claims)
        }
        (api_version, kind) => {
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            let message = format!("cannot bind token to object of type {group}/{version}, Kind={kind}");
            return Err(bad_request(&message));
        }
    };
    let uid = object.value["metadata"]["uid"].as_str().unwrap_or_default();
    match text("uid") {
        given if given.is_empty() || given == uid => Ok(claims),
        given => Err(conflict(
            "",
            kind,
            name,
            &format!(
                "the UID in the bound object reference ({given}) does not match the UID in record. The object might \
                 have been deleted and then recreated"
            ),
        )),
    }
}

fn bound_pod(store: &Store, at: &ResourcePath, name: &str) -> Result<(Arc<Object>, Value), Answer> {
    let pod = lookup(store, "pods", &at.namespace, name)?;
    let runs_as = pod.value["spec"]["serviceAccountName"].as_str().unwrap_or("default");
    if runs_as != at.name {
        return Err(bad_request(&format!(
            "cannot bind token for serviceaccount {:?} to pod running with different serviceaccount name.",
            at.name
        )));
    }
    let claims = bound_claims(store, &pod.value);
    Ok((pod, claims))
}

/// The private claims of a token that is bound to this pod.
fn bound_claims(store: &Store, pod: &Value) -> Value {
    let mut claims = json!({ "pod": name_and_uid(pod) });
    if let Some(node) = pod["spec"]["nodeName"].as_str() {
        let known = lookup(store, "nodes", "", node);
        claims["node"] = known.map_or_else(|_| json!({ "name": node }), |node| name_and_uid(&node.value));
    }
    claims
}

fn name_and_uid(object: &Value) -> Value {
    json!({"name": object["metadata"]["name"], "uid": object["metadata"]["uid"]})
}

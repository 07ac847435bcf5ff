//! A file of the user's is read, each object with its place, or refused with a place in it. Whatever answers of AWS it contains, they
//! are about the identity that is asked about, or about none.
#![no_main]

use irsa::derive::plan::Plan;
use irsa::documents::{DocumentError, Store};
use irsa::facts::kubernetes::{ConfigMap, Pod, Secret, ServiceAccount};
use irsa::facts::{Fact, Position, Source};
use irsa_fuzz::assert_harmless;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut store = Store::default();
    if let Ok(contents) = store.read_found("file.yaml", bytes.to_vec()) {
        for skipped in contents.skipped {
            assert_harmless(&skipped.in_short());
            place(&skipped).into_iter().for_each(|position| stands_in(bytes, position));
        }
    }
    answers(&store);
    let mut store = Store::default();
    if let Err(error) = store.read("file.yaml", bytes.to_vec()) {
        assert_harmless(&error.to_string());
        return place(&error).into_iter().for_each(|position| stands_in(bytes, position));
    }
    let mut found = Vec::new();
    found.extend(store.names::<Pod>(None).iter().map(|name| source(store.get::<Pod>(None, name))));
    found.extend(
        store
            .names::<ServiceAccount>(None)
            .iter()
            .map(|name| source(store.get::<ServiceAccount>(None, name))),
    );
    found
        .extend(store.names::<ConfigMap>(None).iter().map(|name| source(store.get::<ConfigMap>(None, name))));
    found.extend(store.names::<Secret>(None).iter().map(|name| source(store.get::<Secret>(None, name))));
    for source in found {
        let Source::File { position, .. } = source.at(".metadata.name") else {
            panic!("{source} is no file")
        };
        stands_in(bytes, position);
    }
});

/// What AWS says about an identity.
fn answers(store: &Store) {
    let arn = "arn:aws:iam::111122223333:role/checkout";
    let aws = store.aws(&Plan {
        namespace: String::from("shop"),
        service_account: String::from("checkout"),
        audience: String::from("sts.amazonaws.com"),
        role_arn: Some(String::from(arn)),
        role_name: None,
        seeks_role: false,
        region: String::from("eu-west-1"),
        host: String::from("sts.eu-west-1.amazonaws.com"),
        session_name: String::from("kubectl-irsa-debug"),
        second_host: None,
    });
    assert!(aws.role.known().is_none_or(|role| role.value.name == "checkout"));
    let provider = "arn:aws:iam::111122223333:oidc-provider/";
    assert!(aws.provider.known().is_none_or(|found| found.value.arn.starts_with(provider)));
}

/// Where an object stands of which the store has the name.
fn source<T>(fact: Fact<T>) -> Source {
    fact.known().expect("what has a name is there").source.clone()
}

fn place(error: &DocumentError) -> Option<Position> {
    match error {
        DocumentError::NotText { place }
        | DocumentError::Malformed { place, .. }
        | DocumentError::NotAnObject { place, .. }
        | DocumentError::NoKind { place, .. }
        | DocumentError::Form { place, .. }
        | DocumentError::Part { place, .. }
        | DocumentError::Template { place }
        | DocumentError::Unused { place, .. }
        | DocumentError::Field { place, .. }
        | DocumentError::Secret { place, .. } => Some(place.position),
        _ => None,
    }
}

/// Lines end as the file's own reader and YAML have it: with a line feed, a carriage return, or both.
fn stands_in(bytes: &[u8], Position { line, column }: Position) {
    let lines = 1 + bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    assert!((1..=lines).contains(&line), "line {line} of {lines}");
    assert!((1..=bytes.len() + 1).contains(&column), "column {column}");
}

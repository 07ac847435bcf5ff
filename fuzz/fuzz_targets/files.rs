//! A file of the user's is read, each object with its place, or refused with a place in it.
#![no_main]

use irsa::documents::{DocumentError, Store};
use irsa::facts::kubernetes::{ConfigMap, Pod, Secret, ServiceAccount};
use irsa::facts::{Fact, Position, Source};
use irsa_fuzz::assert_harmless;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
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

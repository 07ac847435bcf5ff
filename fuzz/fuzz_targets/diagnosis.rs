//! Whatever objects the files hold, the diagnosis is one: the same each time, in every form, and with nothing that drives a
//! terminal or a shell. A file that fails is one for `--from`.
#![no_main]

use irsa::diagnosis::{Choice, Diagnosis, Verdict, diagnose_all};
use irsa::documents::Store;
use irsa::facts::kubernetes::{Deployment, Pod, ServiceAccount};
use irsa::finding::{Doubt, Severity};
use irsa::output::{Format, Style, render};
use irsa::rounds::of_documents;
use irsa::target::{Kind, Target};
use irsa_fuzz::{assert_harmless, shell, world};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde_json::Value;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    match world::altered(&data[..size], seed) {
        Some(text) if text.len() <= max_size => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
});

fuzz_target!(|bytes: &[u8]| {
    let mut store = Store::default();
    if store.read("file.yaml", bytes.to_vec()).is_err() {
        return;
    }
    let first = |names: Vec<String>, kind| names.into_iter().next().map(|name| Target { kind, name });
    let targets = [
        first(store.names::<Pod>(None), Kind::Pod),
        first(store.names::<Deployment>(None), Kind::Deployment),
        first(store.names::<ServiceAccount>(None), Kind::ServiceAccount),
    ];
    // One of them, so that there is time for many files.
    let Some(target) = targets.into_iter().flatten().cycle().nth(bytes.len() % 3) else { return };
    let namespaces = store.namespace_of(target.kind.kind(), &target.name);
    let Some(namespace) = namespaces.first() else { return };
    let Ok(facts) = of_documents(&store, namespace, &target, None) else { return };
    let diagnoses = diagnose_all(&facts, &Choice::default());
    diagnoses.iter().for_each(is_sound);
    is_rendered(&diagnoses);
    let again = diagnose_all(&facts, &Choice::default());
    assert_eq!(json(&again), json(&diagnoses), "it is the same each time");
});

/// What holds of every diagnosis.
fn is_sound(diagnosis: &Diagnosis) {
    let by_key =
        |key: &str| diagnosis.findings.iter().filter(|finding| finding.key == key).collect::<Vec<_>>();
    for finding in &diagnosis.findings {
        assert_eq!(by_key(&finding.key).len(), 1, "{} is unique", finding.key);
        if let Some(cause) = &finding.caused_by {
            assert!(
                *cause != finding.key && by_key(cause).len() == 1,
                "{} is caused by {cause}",
                finding.key
            );
        }
        finding
            .fixes
            .iter()
            .filter_map(|fix| fix.command())
            .for_each(|command| stays_a_command(&command.to_string()));
    }
    if let Some(root) = &diagnosis.root_cause {
        assert!(root.caused_by.is_none() && by_key(&root.key).len() == 1, "{} is a root cause", root.key);
    }
    // A warning counts where some of those who use it fail already.
    let has_fault = diagnosis
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Error || finding.doubt == Some(Doubt::SomeFail));
    let is_at_fault = matches!(diagnosis.verdict, Verdict::Broken | Verdict::Degraded);
    assert_eq!(has_fault, is_at_fault, "{:?}", diagnosis.verdict);
}

/// What the person fills in; without it the shell stops.
const BLANKS: [&str; 3] = [r#""${CLUSTER:?}""#, r#""${ROLE_ARN:?}""#, r#""${THUMBPRINT:?}""#];

/// A value from the cluster never becomes a part of the command other than a word.
fn stays_a_command(command: &str) {
    let line = shell::read(command).unwrap_or_else(|| panic!("a quotation does not end: {command}"));
    let bare = BLANKS.iter().fold(line.bare, |bare, blank| bare.replace(blank, ""));
    // The one that copies the cluster's CA is a pipeline.
    let ours = if command.contains("configmap kube-root-ca.crt") { "|\"$()" } else { "" };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./- ".contains(c) || ours.contains(c);
    assert!(bare.chars().all(plain), "{command}");
}

/// Every form can be written, and holds the same.
fn is_rendered(diagnoses: &[Diagnosis]) {
    let style = Style { verbose: 2, ..Style::default() };
    let form = |format| {
        let text = render(diagnoses, format, &style).expect("every diagnosis can be written");
        assert_harmless(&text);
        assert!(text.ends_with('\n'), "{text}");
        text
    };
    for format in [Format::Text, Format::Short, Format::Markdown] {
        form(format);
    }
    let yaml: Value = serde_saphyr::from_str(&form(Format::Yaml)).expect("YAML");
    assert_eq!(yaml, json(diagnoses), "YAML and JSON hold the same");
}

fn json(diagnoses: &[Diagnosis]) -> Value {
    let text = render(diagnoses, Format::Json, &Style::default()).expect("every diagnosis can be written");
    serde_json::from_str(&text).expect("JSON")
}

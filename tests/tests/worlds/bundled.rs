//! Every world as a bundle: what is read back from it gets the same diagnosis.

use std::fmt::Write;
use std::sync::Arc;

use irsa::bundle::{self, Redaction};
use irsa::diagnosis::{Choice, Diagnosis, diagnose_until, exit_code};
use irsa::documents::Store;
use irsa::facts::{Facts, Request};
use irsa::rounds::of_documents;
use irsa::target::{self, Target};

/// What is wrong with the bundles of these facts.
pub fn problems(subjects: &[Facts]) -> String {
    // A bundle is no cluster, and whoever reads it has other flags.
    let mut here = subjects.to_vec();
    let live = here[0].request.clone();
    let request = Arc::new(Request {
        live: false,
        kubectl_flags: Vec::new(),
        aws_flags: Vec::new(),
        own_flags: Vec::new(),
        ..(*live).clone()
    });
    here.iter_mut().for_each(|facts| facts.request = request.clone());
    let expected = diagnosed(&here);
    let plain = match bundle::write(subjects, None) {
        Ok(bundle) => bundle.text,
        Err(error) => return format!("no bundle: {error}\n"),
    };
    // `all` is both of the others: each of them for every fourth world.
    let alone = match plain.len() % 4 {
        0 => Some(Redaction::Names),
        1 => Some(Redaction::Accounts),
        _ => None,
    };
    let mut problems = String::new();
    for redaction in [None, Some(Redaction::All)].into_iter().chain(alone.map(Some)) {
        let level = redaction.map_or("nothing", Redaction::word);
        let facts = match read_back(subjects, redaction) {
            Ok(facts) => facts,
            Err(error) => {
                let _ = writeln!(problems, "a bundle with {level} redacted: {error}");
                continue;
            }
        };
        let [expected, found] = [&expected, &diagnosed(&facts)].map(|diagnoses| match redaction {
            None => whole(diagnoses),
            Some(_) => essence(diagnoses),
        });
        if expected != found {
            let lines = expected.lines().zip(found.lines());
            let differ = lines.filter(|(one, other)| one != other).take(3);
            let _ = writeln!(problems, "a bundle with {level} redacted is diagnosed otherwise:");
            differ.for_each(|(one, other)| problems += &format!("- {one}\n+ {other}\n"));
        }
        // Nothing was lost on the way, and there is one way to write it.
        if redaction.is_none() && bundle::write(&facts, None).is_ok_and(|again| again.text != plain) {
            problems += "a bundle of what was read from a bundle is another one\n";
        }
    }
    problems
}

fn read_back(subjects: &[Facts], redaction: Option<Redaction>) -> Result<Vec<Facts>, String> {
    let bundle = bundle::write(subjects, redaction).map_err(|error| error.to_string())?;
    let mut store = Store::default();
    store.read("bundle.yaml", bundle.text.into_bytes()).map_err(|error| error.to_string())?;
    let target: Target = target::parse(&[bundle.target]).map_err(|error| error.to_string())?.remove(0);
    of_documents(&store, &bundle.namespace, &target, None).map_err(|error| error.to_string())
}

/// All that is said.
fn whole(diagnoses: &[Diagnosis]) -> String {
    format!("exit {}\n{}\n", exit_code(diagnoses, false), serde_json::to_string_pretty(diagnoses).unwrap())
}

/// What is found, whatever it is called.
fn essence(diagnoses: &[Diagnosis]) -> String {
    let mut essence = format!("exit {}\n", exit_code(diagnoses, false));
    for diagnosis in diagnoses {
        let value = serde_json::to_value(diagnosis).unwrap();
        let _ = writeln!(
            essence,
            "{} {} root cause {}",
            value["verdict"], value["proof"], value["rootCause"]["id"]
        );
        for finding in value["findings"].as_array().unwrap() {
            let _ = writeln!(essence, "{} {} {}", finding["id"], finding["severity"], finding["confidence"]);
        }
        for link in value["chain"].as_array().unwrap() {
            let _ = writeln!(essence, "{} {}", link["step"], link["status"]);
        }
    }
    essence
}

fn diagnosed(subjects: &[Facts]) -> Vec<Diagnosis> {
    diagnose_until(subjects, &Choice::default(), &|| None).diagnoses
}

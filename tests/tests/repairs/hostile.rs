//! Names and values that would be commands if a shell saw them: whatever is printed is run by bash where every program records how it
//! was called. Nothing runs but what was meant, and a value from the cluster is one word, or a part of one.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use irsa_tests::world::{World, worlds_dir};
use serde_json::{Value, json};

use super::{Acted, first, laid_out, offered};

/// Each would run `touch`, or end the word that it is in.
const PAYLOADS: [&str; 6] = [
    "'; touch X; '",
    "$(touch X)",
    "`touch X`",
    "\ntouch X\n#",
    "\u{1b}]0;\u{7}\" && touch X && \"",
    "${IFS}|touch${IFS}X<>&\\'\u{200b}",
];

/// What is hostile in a world.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// The name of the role, in ARNs and in IAM.
    Role,
    /// The name of the container.
    Container,
    /// Values of variables and annotations.
    Values,
    /// The names of the service account and the workload.
    Names,
    /// The namespace.
    Namespace,
}

const PLACES: [Place; 5] = [Place::Role, Place::Container, Place::Values, Place::Names, Place::Namespace];

impl Place {
    /// A string of an object under this key, as it is here.
    fn text(self, key: &str, text: &str, payload: &str) -> String {
        let whole = |wanted: &str| if text == wanted { format!("{text}{payload}") } else { text.to_owned() };
        match self {
            Self::Role => text.replace("role/shop-checkout", &format!("role/shop-checkout{payload}")),
            Self::Container if key == "name" => whole("app"),
            Self::Values if key == "value" || key.contains('/') && !text.is_empty() => {
                format!("{text}{payload}")
            }
            Self::Names if ["name", "serviceAccountName", "serviceAccount"].contains(&key) => {
                whole("checkout")
            }
            Self::Namespace if ["name", "namespace"].contains(&key) => whole("shop"),
            _ => text.to_owned(),
        }
    }

    fn value(self, key: &str, value: &mut Value, payload: &str) {
        match value {
            Value::String(text) => *text = self.text(key, text, payload),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(key, item, payload)),
            Value::Object(fields) => {
                fields.iter_mut().for_each(|(key, value)| self.value(key, value, payload))
            }
            _ => {}
        }
    }

    fn world(self, world: &mut World, payload: &str) {
        for object in &mut world.objects {
            self.value("", &mut object.value, payload);
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            object.name = text(&object.value["metadata"]["name"]);
            object.namespace = text(&object.value["metadata"]["namespace"]);
        }
        for account in &mut world.accounts {
            for role in account.roles.iter_mut().filter(|_| matches!(self, Self::Role)) {
                role.name = role.name.replace("shop-checkout", &format!("shop-checkout{payload}"));
            }
            for association in account.eks.iter_mut().flat_map(|it| &mut it.pod_identity_associations) {
                association.role_arn = self.text("", &association.role_arn, payload);
            }
        }
        if matches!(self, Self::Namespace) {
            let words = world.header.debug.iter_mut();
            words.filter(|word| *word == "shop").for_each(|word| word.push_str(payload));
        }
    }
}

/// Programs that record their arguments, in a directory of their own.
fn recorders(directory: &Path) {
    // Printed commands may use the first six.
    for program in ["kubectl", "aws", "eksctl", "base64", "tr", "sed", "touch"] {
        let path = directory.join(program);
        let script = "#!/bin/bash\nprintf '%s\\0' \"${0##*/}\" \"$#\" \"$@\" >>\"$RECORD\"\necho an-output\n";
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// The calls that a command line makes, each as its words; what it leaves in its directory.
fn calls(line: &str, programs: &Path) -> (Vec<Vec<String>>, Vec<String>) {
    let (directory, record) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let placeholders = ["ROLE_ARN", "PROFILE", "CLUSTER", "THUMBPRINT"].map(|name| (name, "a-value"));
    Command::new("/bin/bash")
        .args(["-c", line])
        .current_dir(directory.path())
        .env_clear()
        .env("PATH", programs)
        .env("RECORD", record.path())
        .envs(placeholders)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = std::fs::read_to_string(record.path()).unwrap();
    let mut words = text.split_terminator('\0').map(str::to_owned);
    let mut calls = Vec::new();
    while let Some(program) = words.next() {
        let count = words.next().and_then(|count| count.parse().ok()).unwrap();
        calls.push(std::iter::once(program).chain(words.by_ref().take(count)).collect());
    }
    let files = std::fs::read_dir(directory.path()).unwrap();
    (calls, files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect())
}

/// Everything that a diagnosis prints to be pasted.
fn printed(diagnosis: &Value, text: &str) -> BTreeSet<String> {
    let findings = diagnosis["findings"].as_array().into_iter().flatten();
    let fixes = findings.flat_map(|finding| finding["fixes"].as_array().into_iter().flatten());
    let lines = fixes.flat_map(|fix| [&fix["command"], &fix["policy"]["keep"]]).chain([&diagnosis["rerun"]]);
    let lines: Vec<&str> = lines.filter_map(Value::as_str).collect();
    lines.iter().flat_map(|line| [(*line).to_owned(), laid_out(line, text)]).collect()
}

#[test]
fn what_is_hostile_stays_a_word() {
    let programs = tempfile::tempdir().unwrap();
    recorders(programs.path());
    // A world each, and those whose variables or lists are edited once more, with hostile values.
    let worlds: BTreeSet<String> = offered::table().into_values().collect();
    let places = worlds.into_iter().zip(PLACES.into_iter().cycle());
    let edited = offered::table().into_iter().filter(|(offer, _)| {
        ["kubectl set env", "kubectl patch deployment"].contains(&offer.command.as_str())
    });
    let cases = places.chain(edited.map(|(_, world)| (world, Place::Values)));
    let mut run = 0;
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for ((name, place), payload) in cases.zip(PAYLOADS.into_iter().cycle()) {
        let mut world = World::load(&worlds_dir().join(format!("{name}.yaml"))).unwrap();
        place.world(&mut world, payload);
        let acted = Acted::start(world);
        let words: Vec<String> = acted.world.arguments().cloned().collect();
        let (json, text) = acted.debug(&words);
        // It may refuse to look at all.
        let Ok(json) = serde_json::from_str::<Value>(&json.stdout) else { continue };
        // In a document of JSON it is written as JSON has it, and again where the document is a word of JSON.
        let in_json = |text: &str| {
            let quoted = json!(text).to_string();
            quoted.trim_matches('"').to_owned()
        };
        let forms = [payload.to_owned(), in_json(payload), in_json(&in_json(payload))];
        for line in printed(&first(&json), &text.stdout) {
            let (calls, files) = calls(&line, programs.path());
            run += 1;
            assert!(!calls.is_empty(), "{name}, {place:?}: no program was called by\n{line}");
            for call in &calls {
                assert_ne!(call[0], "touch", "{name}, {place:?}: a value was run by\n{line}");
                for word in call.iter().filter(|word| word.contains("touch")) {
                    *met.entry(format!("{place:?}")).or_default() += 1;
                    *met.entry(payload.to_owned()).or_default() += 1;
                    let escaped = word.replace("\\u001b", "\u{1b}").replace("\\u0007", "\u{7}");
                    let is_whole =
                        |form: &String| word.contains(form.as_str()) || escaped.contains(form.as_str());
                    assert!(
                        forms.iter().any(is_whole),
                        "{name}, {place:?}: {word:?} has a part of {payload:?}\n{line}"
                    );
                }
            }
            let is_kept = |file: &String| line.contains(" > ") && file.ends_with(".json");
            assert!(files.iter().all(is_kept), "{name}, {place:?}: {files:?} written by\n{line}");
        }
    }
    println!("{run} printed commands run; words with a hostile value: {met:?}");
    // An ARN with such a role is not one, and is in no command.
    let places = PLACES.iter().map(|place| format!("{place:?}")).filter(|place| place != "Role");
    for wanted in places.chain(PAYLOADS.map(str::to_owned)) {
        assert!(met.contains_key(&wanted), "{wanted:?} is in no command: {met:?}");
    }
}

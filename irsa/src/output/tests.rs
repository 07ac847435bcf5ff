//! What the reader sees, and what must never reach a terminal.

use super::samples::{all, broken, denied, fix, hostile, idle, long, repaired, sound, warned};
use super::{Format, Style, render};
use crate::diagnosis::Diagnosis;
use crate::repair::{Command, Fix, Placeholder};
use crate::text::safe;

const FORMATS: [Format; 5] = [Format::Text, Format::Short, Format::Json, Format::Yaml, Format::Markdown];

fn plain(diagnoses: &[Diagnosis], format: Format) -> String {
    render(diagnoses, format, &Style::default()).unwrap()
}

fn text(diagnosis: Diagnosis) -> String {
    plain(&[diagnosis], Format::Text)
}

fn several() -> Vec<Diagnosis> {
    let mut many = warned();
    many.target.represents =
        ["a", "b", "c", "d", "e", "f", "g"].map(|pod| format!("checkout-7d9f8b6c5d-{pod}")).to_vec();
    vec![many, denied()]
}

fn one_pod_more() -> Diagnosis {
    let mut diagnosis = broken();
    diagnosis.target.represents = vec!["checkout-7d9f8b6c5d-a".into()];
    diagnosis
}

#[test]
fn a_root_cause_with_a_consequence_and_another_fault() {
    insta::assert_snapshot!(text(broken()));
}

#[test]
fn a_warning_only() {
    insta::assert_snapshot!(text(warned()));
}

#[test]
fn inconclusive_for_want_of_a_permission() {
    insta::assert_snapshot!(text(denied()));
}

#[test]
fn all_that_kubernetes_shows_is_sound() {
    insta::assert_snapshot!(text(sound()));
}

#[test]
fn a_long_value_is_cut_around_the_difference() {
    insta::assert_snapshot!(text(long()));
}

#[test]
fn no_identity_was_asked_for() {
    insta::assert_snapshot!(text(idle()));
}

#[test]
fn several_situations() {
    insta::assert_snapshot!(plain(&several(), Format::Text));
}

#[test]
fn one_line_for_a_chat() {
    insta::assert_snapshot!(plain(&[one_pod_more(), denied(), long(), warned()], Format::Short));
}

#[test]
fn a_ticket() {
    insta::assert_snapshot!(plain(&[one_pod_more()], Format::Markdown));
}

#[test]
fn plain_ascii() {
    insta::assert_snapshot!(
        render(&[long()], Format::Text, &Style { unicode: false, ..Style::default() }).unwrap()
    );
}

#[test]
fn powershell_and_cmd_are_told_whose_commands_these_are() {
    let style = Style { posix: false, ..Style::default() };
    let page = |fixes: Vec<Fix>| {
        let mut diagnosis = long();
        diagnosis.root_cause.as_mut().unwrap().fixes = fixes;
        render(&[diagnosis], Format::Text, &style).unwrap()
    };
    let plain = || fix("restart it", &["kubectl", "rollout", "restart", "deployment/checkout"]);
    let annotate = Command::new(["kubectl", "annotate", "sa", "checkout"])
        .ask_after(String::from("role-arn="), Placeholder::RoleArn);
    let quoted = Fix::sample("annotate it", Some(annotate));
    assert!(!page(vec![plain()]).contains("bash"));
    let told = page(vec![plain(), quoted]);
    let (_, fixes) = told.split_once("for bash").unwrap();
    insta::assert_snapshot!(fixes);
}

#[test]
fn all_there_is() {
    insta::assert_snapshot!(
        render(&[one_pod_more()], Format::Text, &Style { verbose: 1, ..Style::default() }).unwrap()
    );
}

/// The same diagnosis on three screens: 80 and 120 columns in colour, and a pipe.
#[test]
fn on_a_terminal() {
    for (name, width) in [("80x24", 80), ("120x40", 120)] {
        let style = Style { color: true, width, ..Style::default() };
        // Escapes, so that the snapshot can be read.
        let page = render(&[repaired()], Format::Text, &style).unwrap().replace('\u{1b}', "\\e");
        insta::assert_snapshot!(name, page);
    }
    insta::assert_snapshot!("pipe", text(repaired()));
}

#[test]
fn a_policy_in_a_ticket() {
    insta::assert_snapshot!(plain(&[repaired()], Format::Markdown));
}

#[test]
fn hostile_strings() {
    insta::assert_snapshot!(text(hostile("\u{1b}[2J\n\u{202e}")));
}

/// What must stay whole: commands, policies, permissions, and a word that fits no line (a name, an ARN, a path).
fn may_overhang(line: &str, width: usize) -> bool {
    let line = line.trim_end_matches(" \\").trim_end_matches(" … (-v)").trim_end_matches(" ... (-v)");
    let bare = line.trim_start().trim_start_matches("then").trim_start_matches("more").trim_start();
    let (rest, word) = line.rsplit_once(' ').unwrap_or(("", line));
    let is_long = super::style::width(word) * 3 > width;
    ["kubectl ", "get ", "\""].iter().any(|start| bare.starts_with(start))
        || (super::style::width(rest) <= width && is_long)
}

#[test]
fn a_page_keeps_its_width() {
    for width in [60, 80, 100] {
        for unicode in [true, false] {
            for verbose in [0, 1] {
                let style = Style { width, unicode, verbose, ..Style::default() };
                let mut samples = all();
                samples.push(hostile(&"very-long-name".repeat(20)));
                samples.push(hostile("漢字"));
                samples.extend(several());
                let text = render(&samples, Format::Text, &style).unwrap();
                for line in text.lines().filter(|line| !may_overhang(line, width)) {
                    assert!(super::style::width(line) <= width, "{width}: {line}");
                }
                // A name in a command stays what it is.
                let mut folded = text.lines().filter(|line| !line.contains('漢'));
                assert!(unicode || folded.all(str::is_ascii), "{text}");
            }
        }
    }
}

const EVIL: [&str; 8] = [
    "\u{1b}[31m",
    "\u{1b}]0;title\u{7}",
    "\n✓ healthy: all is well\n",
    "\r\u{8}\u{7f}",
    "\u{9b}2J\u{85}",
    "\u{202e}\u{2066}\u{200b}\u{feff}",
    "\0\t\u{e0041}\u{2028}",
    "| `x` ``` </td><script>alert(1)</script> [a](b)",
];

#[test]
fn nothing_drives_the_terminal() {
    for evil in EVIL {
        for format in FORMATS {
            for (unicode, verbose) in [(true, 0), (true, 2), (false, 0), (false, 2)] {
                let style = Style { unicode, verbose, ..Style::default() };
                for diagnoses in [vec![hostile(evil)], vec![hostile(evil), broken()]] {
                    let text = render(&diagnoses, format, &style).unwrap();
                    let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || safe::is_invisible(*c));
                    assert_eq!(bad, None, "{format:?} {evil:?}\n{text}");
                    assert!(text.ends_with('\n'));
                    assert!(!text.contains("\n✓ healthy"), "{text}");
                }
            }
        }
    }
}

#[test]
fn a_hostile_name_stays_text_in_markdown() {
    let page = plain(&[hostile(EVIL[7])], Format::Markdown);
    let mut fence: Option<String> = None;
    for line in page.lines() {
        // Nothing within a fence is markup; a fence of the same length ends it.
        let bare = line.trim_start();
        match &fence {
            Some(open) if bare == open => fence = None,
            Some(_) => {}
            None if bare.starts_with("```") => {
                fence = Some(bare.trim_end_matches("sh").trim_end_matches("diff").to_owned())
            }
            None => {
                let outside: String = outside_code(line);
                assert!(!outside.contains("<script"), "{line}");
                if line.starts_with('|') {
                    let columns = line.replace("\\|", "").matches('|').count();
                    assert_eq!(columns, 4, "{line}");
                }
            }
        }
    }
    assert_eq!(fence, None);
}

/// The line without its code spans: from a run of backticks to the next run of the same length.
fn outside_code(line: &str) -> String {
    let line = line.replace("\\`", "");
    let mut out = String::new();
    let mut rest = line.as_str();
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let probed = &rest[start + run..];
        let mut from = 0;
        let end = loop {
            let at = from + probed[from..].find('`').expect("a code span ends");
            let length = probed[at..].len() - probed[at..].trim_start_matches('`').len();
            if length == run {
                break at + length;
            }
            from = at + length;
        };
        rest = &probed[end..];
    }
    out + rest
}

#[test]
fn colour_is_only_added() {
    let style = Style { color: true, ..Style::default() };
    for diagnoses in [all(), several()] {
        let coloured = render(&diagnoses, Format::Text, &style).unwrap();
        assert!(coloured.contains('\u{1b}'));
        let mut stripped = String::new();
        let mut parts = coloured.split("\u{1b}[");
        stripped.push_str(parts.next().unwrap());
        for part in parts {
            stripped.push_str(part.split_once('m').unwrap().1);
        }
        assert_eq!(stripped, plain(&diagnoses, Format::Text));
    }
    for format in [Format::Short, Format::Json, Format::Yaml, Format::Markdown] {
        assert!(!render(&all(), format, &style).unwrap().contains('\u{1b}'));
    }
}

#[test]
fn a_command_to_paste_is_never_wrapped() {
    let narrow = Style { width: 40, ..Style::default() };
    let mut inferred = long();
    inferred.root_cause.as_mut().unwrap().confidence = crate::finding::Confidence::Inferred;
    let page = render(&[inferred], Format::Text, &narrow).unwrap();
    assert!(page.contains("\n  more  kubectl irsa explain role-arn-malformed\n"), "{page}");

    let mut unread = denied();
    assert!(text(unread.clone()).contains("\n      get serviceaccounts -n shop\n"));
    unread.unknowns[0].denied = false;
    unread.unknowns[0].why = String::from("the provider failed; `aws sts get-caller-identity` says why");
    let page = render(&[unread], Format::Text, &narrow).unwrap();
    assert!(page.contains("`aws sts get-caller-identity`"), "{page}");
}

#[test]
fn what_several_faults_need_is_done_once_after_the_last() {
    let text = text(broken());
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part}: {text}"));
    assert_eq!(text.matches("kubectl rollout restart").count(), 1, "{text}");
    assert!(at("\n2 static-env-keys") < at("kubectl rollout restart"), "{text}");
    assert!(at("kubectl annotate") < at("\n2 static-env-keys"), "{text}");
    assert!(at("kubectl rollout restart") < at("then  kubectl irsa debug"), "{text}");
}

#[test]
fn control_characters_in_a_command_are_escaped_for_the_shell() {
    for format in [Format::Text, Format::Short, Format::Markdown] {
        let text = plain(&[hostile("\u{1b}c")], format);
        assert!(text.contains(r"$'\033c'"), "{text}");
    }
}

#[test]
fn nothing_to_say_is_an_empty_text() {
    assert_eq!(plain(&[], Format::Text), "");
    assert_eq!(plain(&[], Format::Yaml), "apiVersion: irsa/v1\nkind: DiagnosisList\nitems: []\n");
}

#[test]
fn json_and_yaml_hold_the_same_value() {
    for diagnoses in
        [all(), several(), vec![broken()], vec![idle()], vec![hostile(EVIL[4])], vec![hostile(EVIL[6])]]
    {
        let json: serde_json::Value = serde_json::from_str(&plain(&diagnoses, Format::Json)).unwrap();
        let yaml: serde_json::Value = serde_saphyr::from_str(&plain(&diagnoses, Format::Yaml)).unwrap();
        assert_eq!(json, yaml);
        let plain = match diagnoses.as_slice() {
            [pod] if pod.target.kind == "pod" => serde_json::to_value(pod).unwrap(),
            many => {
                assert_eq!(json["kind"], "DiagnosisList");
                serde_json::json!({"apiVersion": "irsa/v1", "kind": "DiagnosisList", "items": many})
            }
        };
        assert_eq!(json, plain);
    }
}

#[test]
fn the_schema_describes_the_json() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/diagnosis.schema.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let check = |value: &serde_json::Value| {
        let errors: Vec<String> =
            schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        errors.join("\n")
    };
    let value = |diagnoses: &[Diagnosis]| -> serde_json::Value {
        serde_json::from_str(&plain(diagnoses, Format::Json)).unwrap()
    };
    for diagnosis in all() {
        assert_eq!(check(&value(&[diagnosis])), "");
    }
    assert_eq!(check(&value(&all())), "");
    assert_eq!(check(&value(&[])), "");

    // It would notice: a field that it does not know, one that is gone, a word that is not in its list.
    let wrong = |change: fn(&mut serde_json::Value)| {
        let mut value = value(&[broken()]);
        change(&mut value);
        check(&value)
    };
    assert_ne!(wrong(|value| value["surplus"] = 1.into()), "");
    assert_ne!(wrong(|value| value["findings"][0]["surplus"] = 1.into()), "");
    assert_ne!(wrong(|value| drop(value.as_object_mut().unwrap().remove("probe"))), "");
    assert_ne!(wrong(|value| value["verdict"] = "fine".into()), "");
    assert_ne!(wrong(|value| value["chain"][0]["step"] = "nowhere".into()), "");
}

/// Every word of the enumerations is in the schema, so that a new one cannot be forgotten.
#[test]
fn the_schema_knows_every_word() {
    use crate::diagnosis::{Proof, Status, Verdict};
    use crate::finding::{Confidence, Severity};
    use crate::mechanism::Mechanism;
    use crate::step::Step;
    fn words<T: serde::Serialize>(words: &[T]) -> serde_json::Value {
        serde_json::to_value(words).unwrap()
    }
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/diagnosis.schema.json")).unwrap();
    let defs = &schema["$defs"];
    let finding = &defs["finding"]["properties"];
    assert_eq!(defs["step"]["enum"], words(&Step::ALL));
    assert_eq!(
        defs["diagnosis"]["properties"]["verdict"]["enum"],
        words(&[
            Verdict::Healthy,
            Verdict::Broken,
            Verdict::Degraded,
            Verdict::Inconclusive,
            Verdict::NotConfigured
        ])
    );
    assert_eq!(
        defs["diagnosis"]["properties"]["proof"]["enum"],
        words(&[Proof::Config, Proof::Iam, Proof::Pod])
    );
    assert_eq!(finding["severity"]["enum"], words(&[Severity::Error, Severity::Warning, Severity::Info]));
    assert_eq!(finding["confidence"]["enum"], words(&[Confidence::Observed, Confidence::Inferred]));
    assert_eq!(
        defs["link"]["properties"]["status"]["enum"],
        words(&[
            Status::Pass,
            Status::Fail,
            Status::Warn,
            Status::Unknown,
            Status::Skipped,
            Status::NotApplicable
        ])
    );
    assert_eq!(
        defs["mechanism"]["enum"],
        words(&[
            Mechanism::Irsa,
            Mechanism::PodIdentity,
            Mechanism::StaticKeys,
            Mechanism::Profile,
            Mechanism::NodeRole,
            Mechanism::None,
            Mechanism::Unknown
        ])
    );
}

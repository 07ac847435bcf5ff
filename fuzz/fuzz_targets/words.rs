//! Short texts from a cluster or a command line: as a word of a command, as a line, as a target, as a role's ARN.
#![no_main]

use irsa::aws::arn::{RoleArn, repaired};
use irsa::target;
use irsa::text::safe;
use irsa::text::shell::command;
use irsa_fuzz::{assert_harmless, shell};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let words: Vec<&str> = text.split(' ').collect();
    is_quoted(&words);
    is_shown(text);
    is_a_target(&words);
    is_an_arn(text);
});

fn is_quoted(words: &[&str]) {
    let line = command(words.iter().copied());
    assert_harmless(&line);
    assert!(!line.contains('\n'), "{line:?}");
    let read = shell::read(&line).expect("every quotation ends");
    assert_eq!(read.words, words, "{line:?}");
}

fn is_shown(text: &str) {
    for shown in [safe::line(text), safe::value(text)] {
        assert_harmless(&shown);
        assert!(!shown.contains('\n'), "{shown:?}");
        assert_eq!(safe::line(&shown), shown);
    }
    let json = safe::escape_in_strings(&serde_json::json!([text]).to_string());
    assert_harmless(&json);
    assert_eq!(
        serde_json::from_str::<[String; 1]>(&json).ok().as_ref().map(|[text]| text.as_str()),
        Some(text)
    );
}

fn is_a_target(words: &[&str]) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let Ok(targets) = target::parse(&words) else { return };
    let written: Vec<String> =
        targets.iter().map(|target| format!("{}/{}", target.kind.word(), target.name)).collect();
    assert_eq!(target::parse(&written), Ok(targets));
    assert_eq!(command(written.iter().map(String::as_str)), written.join(" "), "a name needs no quotes");
}

fn is_an_arn(text: &str) {
    if let Ok(RoleArn { partition, account, path_and_name }) = RoleArn::parse(text) {
        assert_eq!(format!("arn:{partition}:iam::{account}:role/{path_and_name}"), text);
        assert_eq!(repaired(text).as_deref(), Some(text), "what is sound stays as it is");
    }
    if let Some(repaired) = repaired(text) {
        assert!(RoleArn::parse(&repaired).is_ok(), "{repaired}");
    }
}

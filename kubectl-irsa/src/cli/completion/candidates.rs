//! Candidates for the word under the cursor.

use std::fmt;

use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory, FromArgMatches, ValueHint};

use super::cursor::{Cursor, Part};
use super::live::{self, Listed};
use crate::cli::Cli;
use crate::cli::flags::ClusterFlags;
use crate::collect::cluster::Access;
use irsa::aws::partition::REGIONS;
use irsa::checks;
use irsa::target::{self, Kind, Target};

/// The kinds that are offered, as the help has them.
const KINDS: [&str; 8] = ["pod", "deploy", "sts", "ds", "rs", "job", "cronjob", "sa"];

/// The answer to the shell.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    candidates: Vec<Candidate>,
    /// More of the word is to come: no space after it.
    unfinished: bool,
    /// The shell may offer files.
    files: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Candidate {
    word: String,
    /// Empty if there is nothing to say.
    about: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Candidate { word, about } in &self.candidates {
            if about.is_empty() { writeln!(f, "{word}")? } else { writeln!(f, "{word}\t{about}")? }
        }
        // Cobra's `ShellCompDirectiveNoSpace` and `ShellCompDirectiveNoFileComp`.
        let (no_space, no_files) = (if self.unfinished { 2 } else { 0 }, if self.files { 0 } else { 4 });
        writeln!(f, ":{}", no_space + no_files)
    }
}

/// Answers for these words.
pub fn answer(before: &[String], word: &str) -> Answer {
    let mut root = Cli::command();
    root.build();
    let cursor = Cursor::find(&root, before, word);
    let mut answer = match cursor.part {
        Part::Command => Answer { candidates: commands(cursor.command), ..Answer::default() },
        Part::Flag => Answer { candidates: flags(cursor.command), ..Answer::default() },
        Part::Value(arg) => value(arg, &cursor, || access(before)),
        Part::Nothing => Answer::default(),
    };
    answer
        .candidates
        .retain(|candidate| candidate.word.starts_with(cursor.typed) && is_plain(&candidate.word));
    answer
}

fn commands(command: &Command) -> Vec<Candidate> {
    let shown = command.get_subcommands().filter(|inner| !inner.is_hide_set());
    shown
        .map(|inner| Candidate { word: inner.get_name().to_owned(), about: line(inner.get_about()) })
        .collect()
}

fn flags(command: &Command) -> Vec<Candidate> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let named = shown.filter_map(|arg| Some((arg.get_long()?, arg.get_help())));
    named.map(|(name, help)| Candidate { word: format!("--{name}"), about: line(help) }).collect()
}

fn value(arg: &Arg, cursor: &Cursor<'_>, access: impl FnOnce() -> Option<Access>) -> Answer {
    let live = |listed| access().map(|access| live::names(listed, &access)).unwrap_or_default();
    let candidates = match arg.get_id().as_str() {
        "targets" => return targets(cursor, live),
        "namespace" => without_help(live(Listed::Namespaces)),
        "context" => without_help(live(Listed::Contexts)),
        "cluster" => without_help(live(Listed::Clusters)),
        "user" => without_help(live(Listed::Users)),
        // Of the first target that is named before.
        "container" => match named(&cursor.positionals) {
            Some(target) => without_help(live(Listed::Containers(target))),
            None => Vec::new(),
        },
        "profile" => without_help(live::profiles()),
        "region" => without_help(REGIONS.map(str::to_owned)),
        // One word may contain several ids.
        "only" | "skip" => ids(cursor.typed.rfind(',').map_or("", |comma| &cursor.typed[..=comma])),
        "words" if cursor.positionals.is_empty() => ids(""),
        _ => values(arg),
    };
    let files = arg.get_value_hint() != ValueHint::Unknown;
    Answer { candidates, files, ..Answer::default() }
}

/// The first target among the words.
fn named(positionals: &[&str]) -> Option<Target> {
    let words: Vec<String> = positionals.iter().map(|word| (*word).to_owned()).collect();
    target::parse(&words).ok()?.into_iter().next()
}

/// `pod/x`, `pod x`, and `x`, which is a pod.
fn targets(cursor: &Cursor<'_>, live: impl FnOnce(Listed) -> Vec<String>) -> Answer {
    let with_slash = cursor.typed.split_once('/').map(|(kind, _)| (kind, format!("{kind}/")));
    let before = cursor.positionals.first().map(|kind| (*kind, String::new()));
    if let Some((kind, prefix)) = with_slash.or(before.filter(|(kind, _)| Kind::of_word(kind).is_some())) {
        let names = Kind::of_word(kind).map(|kind| live(Listed::Targets(kind))).unwrap_or_default();
        let candidates = without_help(names.into_iter().map(|name| format!("{prefix}{name}")));
        return Answer { candidates, ..Answer::default() };
    }
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| kind.starts_with(cursor.typed)).collect();
    if kinds.is_empty() {
        return Answer { candidates: without_help(live(Listed::Targets(Kind::Pod))), ..Answer::default() };
    }
    let candidates = without_help(kinds.into_iter().map(|kind| format!("{kind}/")));
    Answer { candidates, unfinished: true, ..Answer::default() }
}

fn ids(prefix: &str) -> Vec<Candidate> {
    let all = checks::all().map(|check| (check.meta.id, check.meta.title));
    all.map(|(id, title)| Candidate { word: format!("{prefix}{id}"), about: title.to_owned() }).collect()
}

fn values(arg: &Arg) -> Vec<Candidate> {
    let values = arg.get_possible_values();
    let shown = values.iter().filter(|value| !value.is_hide_set());
    shown
        .map(|value| Candidate { word: value.get_name().to_owned(), about: line(value.get_help()) })
        .collect()
}

fn without_help(words: impl IntoIterator<Item = String>) -> Vec<Candidate> {
    words.into_iter().map(|word| Candidate { word, about: String::new() }).collect()
}

/// What is said of it, in one line.
fn line(help: Option<&StyledStr>) -> String {
    help.map(StyledStr::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// Names come from a cluster and a kubeconfig: those that a shell would have to quote are not offered.
fn is_plain(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_alphanumeric() || "-._:/@+=,%".contains(c))
}

/// The cluster that the words before the cursor choose.
fn access(before: &[String]) -> Option<Access> {
    let words = std::iter::once("kubectl-irsa").chain(before.iter().map(String::as_str));
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(words).ok()?;
    let (_, of_command) = matches.subcommand()?;
    // Not every command talks to a cluster.
    of_command.try_contains_id("kubeconfig").ok()?;
    ClusterFlags::from_arg_matches(of_command).ok().map(|flags| flags.access(std::env::var_os("KUBECONFIG")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (word, before) = words.split_last().unwrap();
        answer(before, word).to_string()
    }

    #[test]
    fn commands_flags_and_values_with_what_they_mean() {
        assert!(offered("").contains("\nexplain\tPrint the page of a failure mode"));
        assert_eq!(offered("deb"), "debug\tFind the broken link between a pod and AWS\n:4\n");
        assert_eq!(
            offered("debug --no-as"),
            "--no-assume\tRequest no credentials: create no token of the service account and try none at STS\n:4\n"
        );
        assert_eq!(offered("debug -o j"), "json\tFor programs (docs/diagnosis.schema.json)\n:4\n");
        assert_eq!(offered("debug --output=sh"), "short\tOne line, to paste into a chat\n:4\n");
        assert_eq!(offered("debug --from "), ":0\n", "files");
        assert_eq!(offered("debug --error "), ":4\n");
        assert_eq!(offered("debug pod/x --region eu-west-"), "eu-west-1\neu-west-2\neu-west-3\n:4\n");
        assert_eq!(offered("thumbprint x y"), ":4\n");
    }

    #[test]
    fn ids_also_after_a_comma() {
        assert_eq!(offered("explain sa-not"), "sa-not-annotated\tthe service account names no role\n:4\n");
        assert!(offered("debug --skip sa-missing,sa-not").starts_with("sa-missing,sa-not-annotated\t"));
        assert_eq!(offered("explain AccessDenied: sa-not"), ":4\n", "words of an error");
    }

    #[test]
    fn kinds_first_and_no_space_after_them() {
        assert_eq!(offered("debug "), "pod/\ndeploy/\nsts/\nds/\nrs/\njob/\ncronjob/\nsa/\n:6\n");
        assert_eq!(offered("debug pod/x s"), "sts/\nsa/\n:6\n");
        assert!(KINDS.iter().all(|kind| Kind::of_word(kind).is_some()));
        assert_eq!(offered("debug svc/"), ":4\n", "no kind that can be diagnosed");
    }

    #[test]
    fn the_cluster_is_that_of_the_words_before() {
        let of = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            access(&words)
        };
        let chosen = of("debug pod/x --context blue -n shop --as=root --unknown").unwrap();
        assert_eq!(chosen.context.as_deref(), Some("blue"));
        assert_eq!(chosen.namespace.as_deref(), Some("shop"));
        assert_eq!(chosen.impersonate.as_deref(), Some("root"));
        assert!(of("debug").is_some(), "TARGET is still to come");
        assert_eq!(of("thumbprint --context blue -n").unwrap().context.as_deref(), Some("blue"));
        assert!(of("explain").is_none() && of("").is_none());
    }

    #[test]
    fn what_a_shell_would_have_to_quote_is_not_offered() {
        assert!(is_plain("arn:aws:eks:eu-west-1:111122223333:cluster/blue") && is_plain("me@blue"));
        for hostile in ["a b", "$(id)", "`id`", "a;b", "a\nb", "\u{1b}[2J", "'", "~", "*"] {
            assert!(!is_plain(hostile), "{hostile}");
        }
    }
}

//! What hands type that know kubectl: `kubectl irsa pod/x`, flags before the command, and the flags of other commands.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};
use irsa::target::is_kind;
use irsa::text::shell;

use super::Cli;

/// The words with the command that is meant: `debug`, if none is named and they are for it; one that stands behind its flags is put
/// in front of them.
pub fn with_command(mut words: Vec<OsString>) -> Vec<OsString> {
    let root = Cli::command();
    let text = |word: &OsString| word.to_str().unwrap_or_default().to_owned();
    let given: Vec<String> = words.iter().skip(1).map(text).collect();
    let Some(first) = given.first() else { return words };
    let asks_for_help = |word: &String| ["-h", "--help", "-V", "--version"].contains(&word.as_str());
    if is_command(&root, first) || asks_for_help(first) {
        return words;
    }
    if first.starts_with('-') {
        let behind = given.windows(2).position(|pair| match pair {
            [before, word] => !before.starts_with('-') && is_command(&root, word),
            _ => false,
        });
        match behind {
            Some(before) => {
                let command = words.remove(before + 2);
                words.insert(1, command);
            }
            None => words.insert(1, "debug".into()),
        }
    } else if is_target(first, given.get(1)) {
        words.insert(1, "debug".into());
    }
    words
}

fn is_command(root: &Command, word: &str) -> bool {
    word == "help" || root.get_subcommands().any(|command| command.get_name() == word)
}

/// True for `pod/x`, `pod x` and for what can only be the name of a pod.
fn is_target(word: &str, next: Option<&String>) -> bool {
    match word.split_once('/') {
        Some((kind, _)) => {
            !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
        }
        None => (is_kind(word) && next.is_some()) || word.contains('-'),
    }
}

/// What leads on from a flag that other commands of kubectl have and this one does not.
pub fn instead(error: &clap::Error, words: &[OsString]) -> Option<String> {
    let flag = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if error.kind() == ErrorKind::UnknownArgument => flag.as_str(),
        _ => return None,
    };
    let namespace = after(words, &["-n", "--namespace"]);
    let namespace = namespace.map_or_else(String::new, |name| format!(" -n {}", shell::quote(&name)));
    match flag {
        "-l" | "--selector" => {
            let selector = after(words, &["-l", "--selector"]).unwrap_or_else(|| String::from("KEY=VALUE"));
            let selector = shell::quote(&selector);
            Some(format!(
                "debug takes targets, not a selector:\n  kubectl irsa debug{namespace} $(kubectl get pods{namespace} -l {selector} -o name)"
            ))
        }
        "-A" | "--all-namespaces" => Some(String::from(
            "debug looks at one namespace; at all, one after another:\n  kubectl get namespaces -o name | cut -d/ -f2 | xargs -n1 kubectl \
             irsa debug -n",
        )),
        "-w" | "--watch" => {
            Some(String::from("debug looks once; after a repair, --wait looks until it has taken effect"))
        }
        _ => None,
    }
}

/// The value of one of these flags: `-l a=b`, `-la=b`, `--selector=a=b`.
fn after(words: &[OsString], flags: &[&str]) -> Option<String> {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    words.iter().enumerate().find_map(|(index, word)| {
        let (flag, rest) = flags.iter().find_map(|flag| Some((*flag, word.strip_prefix(flag)?)))?;
        match (rest.strip_prefix('='), flag.starts_with("--")) {
            (Some(value), _) => Some(value.to_owned()),
            (None, _) if rest.is_empty() => words.get(index + 1).map(|value| (*value).to_owned()),
            (None, false) => Some(rest.to_owned()),
            (None, true) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(line: &str) -> String {
        let words = std::iter::once("kubectl-irsa").chain(line.split_whitespace()).map(OsString::from);
        let words = with_command(words.collect());
        let words: Vec<String> =
            words.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        words.join(" ")
    }

    #[test]
    fn the_command_that_is_meant() {
        for (line, expected) in [
            ("pod/x -n shop", "debug pod/x -n shop"),
            ("pod x", "debug pod x"),
            ("svc/x", "debug svc/x"),
            ("checkout-7d9f", "debug checkout-7d9f"),
            ("-n shop pod/x", "debug -n shop pod/x"),
            ("-n shop", "debug -n shop"),
            ("-n shop debug pod/x", "debug -n shop pod/x"),
            ("-n debug pod/x", "debug -n debug pod/x"),
            ("--context blue thumbprint", "thumbprint --context blue"),
            ("debug pod/x", "debug pod/x"),
            ("explain AccessDenied", "explain AccessDenied"),
            ("--help", "--help"),
            ("help debug", "help debug"),
            ("", ""),
            // clap knows what was meant.
            ("debgu pod/x", "debgu pod/x"),
            ("pod", "pod"),
        ] {
            assert_eq!(meant(line), expected, "{line}");
        }
    }

    #[test]
    fn values_of_flags() {
        let value = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            after(&words, &["-l", "--selector"])
        };
        for line in ["-l a=b", "-la=b", "--selector a=b", "--selector=a=b"] {
            assert_eq!(value(line).as_deref(), Some("a=b"), "{line}");
        }
        assert_eq!(value("--selectors a=b"), None);
    }
}

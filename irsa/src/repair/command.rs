//! A command line as a value. Words are quoted when it is printed, and what only the reader knows is a separate part.

use std::fmt;

use crate::derive::Derived;
use crate::text::shell;

/// A pipeline of commands to paste. A value from a cluster is always a single word, and so cannot become a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    stages: Vec<Vec<Word>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Text(String),
    /// A text that the reader completes.
    Asked(String, Placeholder),
    /// What another command prints.
    Output(Command),
}

/// What only the reader knows. It is printed as a variable without which the shell refuses the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The cluster's name.
    Cluster,
    /// A profile of the account that the command is for.
    Profile,
    /// The role's ARN.
    RoleArn,
    /// The thumbprint of a certificate.
    Thumbprint,
}

impl Placeholder {
    const fn variable(self) -> &'static str {
        match self {
            Self::Cluster => "CLUSTER",
            Self::Profile => "PROFILE",
            Self::RoleArn => "ROLE_ARN",
            Self::Thumbprint => "THUMBPRINT",
        }
    }
}

impl Command {
    /// A program with its arguments.
    pub fn new<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self { stages: vec![words.into_iter().map(|word| Word::Text(word.into())).collect()] }
    }

    /// A kubectl command that reaches the same cluster as this run.
    pub fn kubectl(derived: &Derived<'_>, words: &[&str]) -> Self {
        let flags = derived.facts.request.kubectl_flags.iter().map(String::as_str);
        // The flags come first, so that more may be added to the command.
        Self::new(std::iter::once("kubectl").chain(flags).chain(words.iter().copied()))
    }

    /// An AWS CLI command with the same profile and flags as this run.
    pub fn aws(derived: &Derived<'_>, words: &[&str]) -> Self {
        let flags = derived.facts.request.aws_flags.iter().map(String::as_str);
        Self::new(std::iter::once("aws").chain(words.iter().copied()).chain(flags))
    }

    /// An AWS CLI command for an account. The user's own profile is used unless it is known to belong to another account.
    pub fn aws_in(derived: &Derived<'_>, account: &str, words: &[&str]) -> Self {
        match derived.facts.aws.caller.known() {
            Some(caller) if caller.value.account != account => {
                Self::new(std::iter::once("aws").chain(words.iter().copied()))
                    .ask("--profile", Placeholder::Profile)
            }
            _ => Self::aws(derived, words),
        }
    }

    /// Adds words.
    #[must_use]
    pub fn words<W: Into<String>>(self, words: impl IntoIterator<Item = W>) -> Self {
        words.into_iter().fold(self, |command, word| command.push(Word::Text(word.into())))
    }

    /// Adds an option whose value the reader has to set.
    #[must_use]
    pub fn ask(self, option: &str, placeholder: Placeholder) -> Self {
        self.words([option]).push(Word::Asked(String::new(), placeholder))
    }

    /// Adds a word whose end the reader has to set.
    #[must_use]
    pub fn ask_after(self, text: String, placeholder: Placeholder) -> Self {
        self.push(Word::Asked(text, placeholder))
    }

    /// Adds what another command prints, as one word.
    #[must_use]
    pub fn output_of(self, command: Self) -> Self {
        self.push(Word::Output(command))
    }

    /// Pipes its output into another command.
    #[must_use]
    pub fn pipe(mut self, next: Self) -> Self {
        self.stages.extend(next.stages);
        self
    }

    /// True if the reader has to set something before running it.
    pub fn asks(&self) -> bool {
        self.all_words().any(|word| match word {
            Word::Text(_) => false,
            Word::Asked(..) => true,
            Word::Output(command) => command.asks(),
        })
    }

    /// What the reader has to do first, for the end of the title; empty if nothing.
    pub fn first(&self) -> &'static str {
        let asked = self.all_words().find_map(|word| match word {
            Word::Asked(_, placeholder) => Some(*placeholder),
            Word::Text(_) | Word::Output(_) => None,
        });
        match asked {
            Some(Placeholder::Cluster) => " (set CLUSTER first)",
            Some(Placeholder::Profile) => " (set PROFILE to a profile of that account first)",
            Some(Placeholder::RoleArn) => " (set ROLE_ARN first)",
            Some(Placeholder::Thumbprint) => " (set THUMBPRINT first)",
            None => "",
        }
    }

    fn all_words(&self) -> impl Iterator<Item = &Word> {
        self.stages.iter().flatten()
    }

    fn push(mut self, word: Word) -> Self {
        match self.stages.last_mut() {
            Some(stage) => stage.push(word),
            None => self.stages.push(vec![word]),
        }
        self
    }
}

impl fmt::Display for Command {
    /// The line to paste.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, stage) in self.stages.iter().enumerate() {
            f.write_str(if index > 0 { " | " } else { "" })?;
            for (index, word) in stage.iter().enumerate() {
                write!(f, "{}{word}", if index > 0 { " " } else { "" })?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&shell::quote(text)),
            Self::Asked(text, placeholder) if text.is_empty() => {
                f.write_str(&shell::required(placeholder.variable()))
            }
            Self::Asked(text, placeholder) => {
                write!(f, "{}{}", shell::quote(text), shell::required(placeholder.variable()))
            }
            Self::Output(command) => f.write_str(&shell::output(&command.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::safe;

    #[test]
    fn words_are_quoted_and_placeholders_are_not() {
        let command = Command::new(["kubectl", "annotate", "serviceaccount", "x; rm -rf /"])
            .ask_after(String::from("a key="), Placeholder::RoleArn);
        assert_eq!(
            command.to_string(),
            r#"kubectl annotate serviceaccount 'x; rm -rf /' 'a key='"${ROLE_ARN:?}""#
        );
        assert!(command.asks());
        let literal = Command::new(["aws", "--role-arn", "${ROLE_ARN:?}"]);
        assert_eq!(literal.to_string(), "aws --role-arn '${ROLE_ARN:?}'");
        assert!(!literal.asks(), "a text that looks like one is a text");
    }

    #[test]
    fn what_another_command_prints_is_one_word() {
        let bundle = Command::new(["cat", "a b"]).pipe(Command::new(["tr", "-d", "\\n"]));
        let command = Command::new(["patch", "-p"]).output_of(bundle.clone());
        assert_eq!(command.to_string(), r#"patch -p "$(cat 'a b' | tr -d '\n')""#);
        assert!(!command.asks());
        assert!(Command::new(["x"]).output_of(bundle.ask("-p", Placeholder::Profile)).asks());
    }

    #[test]
    fn what_is_to_be_set_first_is_said() {
        assert_eq!(Command::new(["x"]).first(), "");
        assert_eq!(Command::new(["x"]).ask("-r", Placeholder::RoleArn).first(), " (set ROLE_ARN first)");
    }

    proptest! {
        #[test]
        fn no_line_drives_a_terminal(words in proptest::collection::vec(".*", 1..5), end in ".*") {
            let command = Command::new(words.clone())
                .ask_after(end, Placeholder::RoleArn)
                .output_of(Command::new(words.clone()).pipe(Command::new(words)));
            let line = command.to_string();
            prop_assert!(!line.chars().any(|c| c.is_control() || safe::is_invisible(c)), "{:?}", line);
        }
    }
}

//! A command line as a value. Words are quoted when it is printed, and what only the reader knows is a separate part.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use crate::derive::Derived;
use crate::policy::Json;
use crate::text::shell;

/// A pipeline of commands to paste. A value from a cluster is always a single word, and so cannot become a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    stages: Vec<Vec<Word>>,
    /// The file that its output goes to.
    file: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Word {
    Text(String),
    /// A policy document, to be reviewed before it is used.
    Document(Json),
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
    /// Its name: `ROLE_ARN`.
    pub const fn name(self) -> &'static str {
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
        Self { stages: vec![words.into_iter().map(|word| Word::Text(word.into())).collect()], file: None }
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

    /// Adds a policy document.
    #[must_use]
    pub fn document(self, document: Json) -> Self {
        self.push(Word::Document(document))
    }

    /// Writes its output into a file of the working directory.
    #[must_use]
    pub fn into_file(self, name: String) -> Self {
        Self { file: Some(name), ..self }
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
            Word::Text(_) | Word::Document(_) => false,
            Word::Asked(..) => true,
            Word::Output(command) => command.asks(),
        })
    }

    /// What the reader has to do first, for the end of the title; empty if nothing.
    pub fn first(&self) -> &'static str {
        let asked = self.all_words().find_map(|word| match word {
            Word::Asked(_, placeholder) => Some(*placeholder),
            Word::Text(_) | Word::Document(_) | Word::Output(_) => None,
        });
        match asked {
            Some(Placeholder::Cluster) => " (set CLUSTER first)",
            Some(Placeholder::Profile) => " (set PROFILE to a profile of that account first)",
            Some(Placeholder::RoleArn) => " (set ROLE_ARN first)",
            Some(Placeholder::Thumbprint) => " (set THUMBPRINT first)",
            None => "",
        }
    }

    /// For a POSIX shell, to review and to paste: broken between words where it is wider than so many columns, a policy document laid
    /// out. No word is broken. One line if a document cannot be laid out within single quotes.
    pub fn lines(&self, columns: usize) -> Vec<String> {
        let line = self.to_string();
        let has_document = self.all_words().any(|word| matches!(word, Word::Document(_)));
        if !has_document && line.width() <= columns {
            return vec![line];
        }
        self.laid_out(columns).unwrap_or_else(|| vec![line])
    }

    /// `None` if a document does not fit single quotes.
    fn laid_out(&self, columns: usize) -> Option<Vec<String>> {
        let mut layout = Layout { lines: Vec::new(), current: String::new(), columns };
        for (index, stage) in self.stages.iter().enumerate() {
            let shown: Vec<String> = stage.iter().map(|word| word.shown(columns)).collect::<Option<_>>()?;
            let mut words = stage.iter().zip(&shown).peekable();
            let mut pipe = if index > 0 { "| " } else { "" };
            while let Some((word, shown)) = words.next() {
                let group = match words.next_if(|(next, value)| {
                    word.is_option() && !next.is_option() && layout.holds(&format!("{shown} {value}"))
                }) {
                    // A value stays beside its option, if there is a line that holds both.
                    Some((_, value)) => format!("{shown} {value}"),
                    None => shown.clone(),
                };
                layout.add(&format!("{pipe}{group}"));
                pipe = "";
            }
        }
        if let Some(file) = &self.file {
            layout.add(&format!("> {}", shell::quote(file)));
        }
        layout.lines.push(layout.current);
        Some(layout.lines)
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
        self.file.as_ref().map_or(Ok(()), |file| write!(f, " > {}", shell::quote(file)))
    }
}

impl Word {
    fn is_option(&self) -> bool {
        matches!(self, Self::Text(text) if text.starts_with('-'))
    }

    /// As it is laid out; `None` if it is a document that does not fit single quotes.
    fn shown(&self, columns: usize) -> Option<String> {
        match self {
            Self::Document(document) => shell::quote_lines(&document.lines(columns)),
            other => Some(other.to_string()),
        }
    }
}

/// A command that is laid out, and how far it is.
struct Layout {
    lines: Vec<String>,
    current: String,
    columns: usize,
}

impl Layout {
    /// What a further line begins with.
    const INDENT: &str = "  ";
    /// What ends a line that goes on.
    const MORE: &str = " \\";

    /// True if a line of its own holds the first line of this.
    fn holds(&self, words: &str) -> bool {
        Self::INDENT.len() + first_line(words).width() + Self::MORE.len() <= self.columns
    }

    /// Adds words that stay together.
    fn add(&mut self, words: &str) {
        let wanted = self.current.width() + 1 + first_line(words).width() + Self::MORE.len();
        if !self.current.is_empty() && wanted > self.columns {
            self.lines.push(format!("{}{}", self.current, Self::MORE));
            self.current = Self::INDENT.to_owned();
        } else if !self.current.is_empty() {
            self.current.push(' ');
        }
        let mut lines = words.split('\n');
        self.current.push_str(lines.next().unwrap_or_default());
        for line in lines {
            self.lines.push(std::mem::replace(&mut self.current, line.to_owned()));
        }
    }
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&shell::quote(text)),
            Self::Document(document) => f.write_str(&shell::quote(&document.line())),
            Self::Asked(text, placeholder) if text.is_empty() => {
                f.write_str(&shell::required(placeholder.name()))
            }
            Self::Asked(text, placeholder) => {
                write!(f, "{}{}", shell::quote(text), shell::required(placeholder.name()))
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

    fn trust(subs: &[&str]) -> Json {
        let subs: Vec<Json> = subs.iter().map(|sub| Json::text(*sub)).collect();
        let equals = Json::object([("oidc.example/id/1:sub", Json::Array(subs))]);
        let statement = Json::object([
            ("Effect", Json::text("Allow")),
            ("Action", Json::text("sts:AssumeRoleWithWebIdentity")),
            ("Condition", Json::object([("StringEquals", equals)])),
        ]);
        Json::object([("Version", Json::text("2012-10-17")), ("Statement", Json::Array(vec![statement]))])
    }

    #[test]
    fn a_document_is_laid_out_to_be_reviewed() {
        let command =
            Command::new(["aws", "iam", "update-assume-role-policy", "--role-name", "shop-checkout"])
                .words(["--policy-document"])
                .document(trust(&[
                    "system:serviceaccount:shop:chekout",
                    "system:serviceaccount:shop:checkout",
                ]));
        insta::assert_snapshot!(command.lines(76).join("\n"), @r#"
        aws iam update-assume-role-policy --role-name shop-checkout \
          --policy-document '{
          "Version": "2012-10-17",
          "Statement": [{
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"oidc.example/id/1:sub": [
              "system:serviceaccount:shop:chekout",
              "system:serviceaccount:shop:checkout"
            ]}}
          }]
        }'
        "#);
    }

    #[test]
    fn a_long_command_is_broken_between_words() {
        let command =
            Command::new(["kubectl", "annotate", "serviceaccount", "checkout", "-n", "shop", "--overwrite"])
                .words(["eks.amazonaws.com/role-arn=arn:aws:iam::111122223333:role/shop-checkout"]);
        assert_eq!(
            command.lines(76),
            [
                "kubectl annotate serviceaccount checkout -n shop --overwrite \\",
                "  eks.amazonaws.com/role-arn=arn:aws:iam::111122223333:role/shop-checkout"
            ]
        );
        assert_eq!(command.lines(200), [command.to_string()]);
        let kept =
            Command::new(["aws", "iam", "get-role", "--role-name", "x"]).into_file(String::from("a b.json"));
        assert_eq!(kept.to_string(), "aws iam get-role --role-name x > 'a b.json'");
        assert_eq!(kept.lines(40), ["aws iam get-role --role-name x \\", "  > 'a b.json'"]);
    }

    proptest! {
        /// bash itself is asked: laid out or not, the words are the same, and the document is the same document.
        #[test]
        #[cfg(unix)]
        fn laid_out_it_is_the_same_command(
            words in proptest::collection::vec("[^\0]{0,40}", 0..6),
            subs in proptest::collection::vec("[^\0]{0,40}", 0..4),
            columns in 20usize..120,
        ) {
            let subs: Vec<&str> = subs.iter().map(String::as_str).collect();
            let document = trust(&subs);
            let command = Command::new(["printf", "%s\\0"]).words(words.clone()).document(document.clone());
            let script = command.lines(columns).join("\n");
            let read = std::process::Command::new("bash").arg("-c").arg(&script).output().unwrap();
            let read = String::from_utf8(read.stdout).unwrap();
            let mut read: Vec<&str> = read.split_terminator('\0').collect();
            let last: Json = serde_json::from_str(read.pop().unwrap_or_default()).unwrap();
            prop_assert_eq!(read, words);
            prop_assert_eq!(last, document);
        }

        #[test]
        fn no_line_drives_a_terminal(words in proptest::collection::vec(".*", 1..5), end in ".*") {
            let command = Command::new(words.clone())
                .ask_after(end, Placeholder::RoleArn)
                .output_of(Command::new(words.clone()).pipe(Command::new(words)));
            for line in command.lines(60).into_iter().chain([command.to_string()]) {
                prop_assert!(!line.chars().any(|c| c.is_control() || safe::is_invisible(c)), "{:?}", line);
            }
        }
    }
}

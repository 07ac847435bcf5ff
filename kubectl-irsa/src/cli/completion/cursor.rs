//! What the word under the cursor is, judging by the words before it. Reads clap's own tree, so that no flag is listed twice.

use clap::{Arg, Command};

/// Where the cursor stands.
pub struct Cursor<'a> {
    /// The innermost command.
    pub command: &'a Command,
    /// The words before it that are no flags and no values of flags.
    pub positionals: Vec<&'a str>,
    /// What the word is.
    pub part: Part<'a>,
    /// What is typed of it.
    pub typed: &'a str,
}

/// What a word is.
#[derive(Debug)]
pub enum Part<'a> {
    /// The name of a command.
    Command,
    /// A flag.
    Flag,
    /// The value of a flag, or a positional argument.
    Value(&'a Arg),
    /// Nothing that the command takes.
    Nothing,
}

impl<'a> Cursor<'a> {
    /// Finds it.
    pub fn find(root: &'a Command, before: &'a [String], word: &'a str) -> Self {
        let mut command = root;
        let mut positionals = Vec::new();
        let mut open = Open::No;
        let mut flags = true;
        for word in before {
            match open {
                Open::One(arg) => {
                    open = if takes_many(arg) { Open::Many(arg) } else { Open::No };
                    continue;
                }
                Open::Many(_) if !word.starts_with('-') => continue,
                _ => open = Open::No,
            }
            if flags && word == "--" {
                flags = false;
            } else if flags && is_flag(word) {
                open = without_value(command, word).map_or(Open::No, Open::One);
            } else if let Some(inner) = command.find_subcommand(word).filter(|_| positionals.is_empty()) {
                command = inner;
            } else {
                positionals.push(word.as_str());
            }
        }
        let (part, typed) = match open {
            Open::One(arg) => (Part::Value(arg), word),
            Open::Many(arg) if !word.starts_with('-') => (Part::Value(arg), word),
            _ if flags && word.starts_with('-') => match word.split_once('=') {
                Some((flag, value)) => (long(command, flag).map_or(Part::Nothing, Part::Value), value),
                None => (Part::Flag, word),
            },
            _ if positionals.is_empty() && command.has_subcommands() => (Part::Command, word),
            _ => (positional(command, positionals.len()).map_or(Part::Nothing, Part::Value), word),
        };
        Self { command, positionals, part, typed }
    }
}

/// The flag whose value the next word is.
#[derive(Clone, Copy)]
enum Open<'a> {
    No,
    /// It has none yet.
    One(&'a Arg),
    /// It may have more.
    Many(&'a Arg),
}

fn is_flag(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-')
}

fn takes_many(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|range| range.max_values() > 1)
}

fn long<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    let name = flag.strip_prefix("--")?;
    command.get_arguments().find(|arg| arg.get_long() == Some(name)).filter(|arg| takes_value(arg))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

/// The flag of this word that takes the next one: `--namespace`, `-n`, `-vn`; not `--namespace=x`, `-nx`.
fn without_value<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    if word.starts_with("--") {
        return long(command, word);
    }
    let short = |letter| command.get_arguments().find(|arg| arg.get_short() == Some(letter));
    let letters = word.strip_prefix('-')?;
    let first = letters.char_indices().find(|(_, letter)| short(*letter).is_some_and(takes_value));
    let (at, letter) = first?;
    if at + letter.len_utf8() == letters.len() { short(letter) } else { None }
}

/// The positional argument at this place; the last one if it takes many.
fn positional(command: &Command, index: usize) -> Option<&Arg> {
    command
        .get_positionals()
        .nth(index)
        .or_else(|| command.get_positionals().last().filter(|arg| takes_many(arg)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// The last word is the one under the cursor.
    fn found(line: &str) -> String {
        let mut root = crate::cli::Cli::command();
        root.build();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (word, before) = words.split_last().unwrap();
        let cursor = Cursor::find(&root, before, word);
        let part = match cursor.part {
            Part::Command => String::from("command"),
            Part::Flag => String::from("flag"),
            Part::Value(arg) => arg.get_id().to_string(),
            Part::Nothing => String::from("nothing"),
        };
        format!("{} {part} {:?} {:?}", cursor.command.get_name(), cursor.positionals, cursor.typed)
    }

    #[test]
    fn what_the_word_under_the_cursor_is() {
        for (line, expected) in [
            ("", "kubectl-irsa command [] \"\""),
            ("de", "kubectl-irsa command [] \"de\""),
            ("--he", "kubectl-irsa flag [] \"--he\""),
            ("debug ", "debug targets [] \"\""),
            ("debug pod/a dep", "debug targets [\"pod/a\"] \"dep\""),
            ("debug -", "debug flag [] \"-\""),
            ("debug -n ", "debug namespace [] \"\""),
            ("debug -n shop pod/", "debug targets [] \"pod/\""),
            ("debug -nshop pod/", "debug targets [] \"pod/\""),
            ("debug -vn ", "debug namespace [] \"\""),
            ("debug --namespace=sh", "debug namespace [] \"sh\""),
            ("debug --namespace=shop po", "debug targets [] \"po\""),
            ("debug --no-probe po", "debug targets [] \"po\""),
            ("debug --no-probe=x", "debug nothing [] \"x\""),
            ("debug --unknown po", "debug targets [] \"po\""),
            ("debug x --from a.yaml b", "debug from [\"x\"] \"b\""),
            ("debug x --from a.yaml --on", "debug flag [\"x\"] \"--on\""),
            ("debug --from - pod/", "debug from [] \"pod/\""),
            ("debug -- -", "debug targets [] \"-\""),
            ("debug --only ", "debug only [] \"\""),
            ("debug --namespace --on", "debug namespace [] \"--on\""),
            ("explain sa-", "explain words [] \"sa-\""),
            ("thumbprint https://x y", "thumbprint nothing [\"https://x\"] \"y\""),
            ("completion ", "completion command [] \"\""),
            ("completion install ", "install directory [] \"\""),
            ("completion install x y", "install nothing [\"x\"] \"y\""),
        ] {
            assert_eq!(found(line), expected, "{line}");
        }
    }
}

//! Commands to paste: every value from a cluster is quoted, so that a name cannot become a command.
//!
//! They are written for a POSIX shell, on Windows too (Git Bash, WSL). Who pastes one into PowerShell or cmd may get another word than
//! the one that was meant, but no command that was not.

use crate::text::safe;

/// What ends a quotation or starts something else, in one shell or another; PowerShell takes typographic quotes for quotes.
const ACTIVE: &str = "'\"\\&|<>^$`!‘’‚‛“”„";

/// One word of a command; not the first, which is always our own.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && !word.starts_with(['=', '@']) && word.chars().all(plain) {
        word.to_owned()
    } else if fits_single_quotes(word) {
        format!("'{word}'")
    } else {
        escaped(word)
    }
}

/// True if between single quotes the word is itself for a POSIX shell and for PowerShell, and nothing but words for cmd, to which
/// single quotes are nothing and double quotes are.
fn fits_single_quotes(word: &str) -> bool {
    let mut quoted = false;
    for c in word.chars() {
        match c {
            '"' => quoted = !quoted,
            '&' | '|' | '<' | '>' | '^' if !quoted => return false,
            '\'' | '‘' | '’' | '‚' | '‛' => return false,
            c if c.is_control() || safe::is_invisible(c) => return false,
            _ => {}
        }
    }
    !quoted
}

/// `$'…'` (bash, zsh, ksh, POSIX 2024), byte by byte: `\u` is not in every shell.
fn escaped(word: &str) -> String {
    let mut escaped = String::from("$'");
    for c in word.chars() {
        if c.is_control() || safe::is_invisible(c) || ACTIVE.contains(c) {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                escaped.push_str(&format!("\\{byte:03o}"));
            }
        } else {
            escaped.push(c);
        }
    }
    escaped.push('\'');
    escaped
}

/// One word that is a JSON document of several lines, which stay lines; `None` if it does not fit single quotes.
pub fn quote_lines(lines: &[String]) -> Option<String> {
    // JSON has escapes of its own for what must not reach a terminal.
    let lines: Vec<String> = lines.iter().map(|line| safe::escape_in_strings(line)).collect();
    let fits = fits_single_quotes(&lines.concat());
    fits.then(|| format!("'{}'", lines.join("\n")))
}

/// A variable that the reader has to set: the shell refuses the command while it is not.
pub fn required(variable: &str) -> String {
    format!("\"${{{variable}:?}}\"")
}

/// What another command prints, as one word.
pub fn output(command: &str) -> String {
    format!("\"$({command})\"")
}

/// A command line of quoted words.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hostile_name_stays_one_word() {
        assert_eq!(command(["kubectl", "get", "x; rm -rf /"]), "kubectl get 'x; rm -rf /'");
        assert_eq!(quote("a\u{1b}[2Jb\n"), r"$'a\033[2Jb\012'");
        assert_eq!(quote("it's\u{200b}"), r"$'it\047s\342\200\213'");
        assert_eq!(quote(""), "''");
        assert_eq!(
            quote("eks.amazonaws.com/role-arn=arn:aws:iam::1:role/x"),
            "eks.amazonaws.com/role-arn=arn:aws:iam::1:role/x"
        );
    }

    #[test]
    fn it_stays_one_in_powershell_and_cmd() {
        assert_eq!(quote(r"--kubeconfig=C:\Users\me\config"), r"'--kubeconfig=C:\Users\me\config'");
        assert_eq!(quote(r#"{"a":"b & c"}"#), r#"'{"a":"b & c"}'"#);
        assert_eq!(quote("x & calc"), r"$'x \046 calc'");
        assert_eq!(quote(r#"" & calc"#), r"$'\042 \046 calc'");
        assert_eq!(quote("a’; calc #"), r"$'a\342\200\231; calc #'");
        assert_eq!(quote("@splat"), "'@splat'");
    }

    proptest! {
        #[test]
        fn between_the_quotes_nothing_is_active(word in ".*") {
            let quoted = quote(&word);
            let inner = quoted.trim_start_matches('$');
            if let Some(inner) = inner.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')) {
                prop_assert!(!inner.contains(['\'', '‘', '’', '‚', '‛']));
                let outside: String = inner.split('"').step_by(2).collect();
                prop_assert!(!outside.contains(['&', '|', '<', '>', '^']), "{}", quoted);
            } else {
                prop_assert_eq!(&quoted, &word);
            }
        }

        /// bash itself is asked.
        #[test]
        #[cfg(unix)]
        fn bash_reads_the_word_back(words in proptest::collection::vec("[^\0]*", 20)) {
            let printf = format!("printf '%s\\0' {}", command(words.iter().map(String::as_str)));
            let read = std::process::Command::new("bash").arg("-c").arg(printf).output().unwrap();
            let expected: String = words.iter().map(|word| format!("{word}\0")).collect();
            prop_assert_eq!(String::from_utf8(read.stdout).unwrap(), expected);
        }
    }
}

//! Commands to paste: every value from a cluster is quoted, so that a name cannot become a command.

/// One word of a command for a POSIX shell; not the first, which is always our own.
///
/// Control characters are written as `$'…'` escapes (bash, zsh, ksh, POSIX 2024), so that a printed command can neither
/// drive the terminal nor break the line.
pub fn quote(word: &str) -> String {
    if word.chars().any(|c| c.is_control() || crate::output::safe::is_invisible(c)) {
        let mut quoted = String::from("$'");
        for c in word.chars() {
            match c {
                '\'' => quoted.push_str("\\'"),
                '\\' => quoted.push_str("\\\\"),
                '\n' => quoted.push_str("\\n"),
                '\t' => quoted.push_str("\\t"),
                '\r' => quoted.push_str("\\r"),
                c if c.is_control() || crate::output::safe::is_invisible(c) => {
                    // Byte by byte: `\u` is not in every shell.
                    let mut bytes = [0; 4];
                    for byte in c.encode_utf8(&mut bytes).bytes() {
                        quoted.push_str(&format!("\\{byte:03o}"));
                    }
                }
                c => quoted.push(c),
            }
        }
        quoted.push('\'');
        return quoted;
    }
    // shlex quotes every `=`, since the first word of a command may be an assignment; a later word is none.
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        return word.to_owned();
    }
    // shlex refuses only NUL, which is a control character and was handled above.
    shlex::try_quote(word).map_or_else(|_| String::from("''"), std::borrow::Cow::into_owned)
}

/// A command line of quoted words.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_one_word() {
        assert_eq!(command(["kubectl", "get", "x; rm -rf /"]), "kubectl get 'x; rm -rf /'");
        assert_eq!(quote("a\u{1b}[2Jb\n"), "$'a\\033[2Jb\\n'");
        assert_eq!(quote("it's\u{200b}"), "$'it\\'s\\342\\200\\213'");
        assert_eq!(quote(""), "''");
        assert_eq!(
            quote("eks.amazonaws.com/role-arn=arn:aws:iam::1:role/x"),
            "eks.amazonaws.com/role-arn=arn:aws:iam::1:role/x"
        );
    }
}

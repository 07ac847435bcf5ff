//! Log lines as they were meant: without the escapes of JSON or of a debug format, and without colours.

/// The line with `\n`, `\"`, `\u0022` … resolved, however often they were escaped, and without ANSI sequences.
pub(super) fn line(raw: &str) -> String {
    if !raw.contains(['\\', '\u{1b}']) {
        return raw.to_owned();
    }
    without_colours(&unescaped(raw))
}

fn unescaped(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        // JSON in JSON doubles them: `\\\"`.
        let after = rest[at..].trim_start_matches('\\');
        let mut chars = after.chars();
        rest = match chars.next() {
            // A path of Windows loses its `\r` here; nothing that is looked for has one.
            Some('n' | 'r') => {
                text.push('\n');
                chars.as_str()
            }
            Some('t') => {
                text.push('\t');
                chars.as_str()
            }
            Some('u') if let Some((c, behind)) = unicode(chars.as_str()) => {
                text.push(c);
                behind
            }
            Some('"' | '\'' | '/') => after,
            _ => {
                text.push('\\');
                after
            }
        };
    }
    text.push_str(rest);
    text
}

/// The character of four hex digits.
fn unicode(text: &str) -> Option<(char, &str)> {
    let digits = text.get(..4)?;
    Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, &text[4..]))
}

fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            plain.push(c);
        } else if chars.as_str().starts_with('[') {
            // `ESC [`, parameters, one final letter.
            chars.find(|c| c.is_ascii_alphabetic());
        } else {
            chars.next();
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn escapes_and_colours() {
        for (raw, plain) in [
            ("plain", "plain"),
            (r#"{"error":"a\ncaused by: \"b\"\n\tstatus"}"#, "{\"error\":\"a\ncaused by: \"b\"\n\tstatus\"}"),
            (r#"\\\"https://sts\\\/\\\""#, r#""https://sts/""#),
            (r"it\u0027s \u00e9", "it's é"),
            (r"\u12 \ud800 \", r"\u12 \ud800 \"),
            (r"Aws\Exception\CredentialsException", r"Aws\Exception\CredentialsException"),
            ("\u{1b}[31mERROR\u{1b}[0m x", "ERROR x"),
            (r"\u001b[1;31mERROR\u001b[0m x", "ERROR x"),
            ("a\u{1b}", "a"),
            ("a\u{1b}[", "a"),
        ] {
            assert_eq!(line(raw), plain, "{raw}");
        }
    }
}

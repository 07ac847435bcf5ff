//! Everything read from a cluster is hostile: it is made harmless here, on its way to a terminal or a page.

/// Characters that take no room or turn the text round: zero-width, bidirectional controls, no-break spaces and the like.
/// They are what a copied ARN brings along, and what hides one name in another.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{3000}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text with control and invisible characters written as escapes; newlines too.
pub fn line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if c.is_control() || is_invisible(c) => safe.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => safe.push(c),
        }
    }
    safe
}

/// A value as evidence: in quotes where its ends could be mistaken (spaces, escapes, emptiness).
pub fn value(text: &str) -> String {
    let safe = line(text);
    if safe != text || text.trim() != text || text.is_empty() { format!("\"{safe}\"") } else { safe }
}

/// JSON or YAML text in which control characters that their printers let through (C1, bidirectional …) are escaped.
/// Such characters can only stand within strings, so the escape is valid there.
pub fn escape_in_strings(document: &str) -> String {
    let mut safe = String::with_capacity(document.len());
    for c in document.chars() {
        if (c.is_control() && c != '\n') || is_invisible(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_drives_a_terminal_gets_through() {
        assert_eq!(line("a\u{1b}[31mb\u{9b}2J\n\u{202e}c"), "a\\u{1b}[31mb\\u{9b}2J\\n\\u{202e}c");
        assert_eq!(value("arn:x "), "\"arn:x \"");
        assert_eq!(value("arn:x\u{200b}"), "\"arn:x\\u{200b}\"");
        assert_eq!(value(""), "\"\"");
        assert_eq!(value("plain é 漢"), "plain é 漢");
    }

    #[test]
    fn json_stays_json() {
        let hostile = "a\u{9b}b\u{1d173}";
        let text = escape_in_strings(&serde_json::to_string(&serde_json::json!({"k": hostile})).unwrap());
        assert!(text.is_ascii());
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["k"], hostile);
    }
}

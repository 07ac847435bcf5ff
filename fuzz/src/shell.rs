//! Commands as a POSIX shell reads them: as much of its grammar as ours are written in.

/// One command line.
#[derive(Default)]
pub struct Line {
    /// Its words, without quotation marks.
    pub words: Vec<String>,
    /// All that stands outside of quotation marks.
    pub bare: String,
}

/// Reads a command line; `None` if a quotation does not end.
pub fn read(command: &str) -> Option<Line> {
    let mut line = Line::default();
    let mut word: Option<Vec<u8>> = None;
    let mut rest = command;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if let Some(quoted) = rest.strip_prefix("$'") {
            rest = escaped(quoted, word.get_or_insert_default())?;
        } else if c == '\'' {
            let (probed, behind) = after.split_once('\'')?;
            word.get_or_insert_default().extend_from_slice(probed.as_bytes());
            rest = behind;
        } else {
            line.bare.push(c);
            if c == ' ' {
                line.words.extend(word.take().map(text));
            } else {
                word.get_or_insert_default().extend_from_slice(&rest.as_bytes()[..c.len_utf8()]);
            }
            rest = after;
        }
    }
    line.words.extend(word.map(text));
    Some(line)
}

/// Reads `…'` with its octal escapes, and gives what follows it.
fn escaped<'a>(quoted: &'a str, word: &mut Vec<u8>) -> Option<&'a str> {
    let mut bytes = quoted.bytes().enumerate();
    loop {
        match bytes.next()? {
            (at, b'\'') => return quoted.get(at + 1..),
            (at, b'\\') => {
                word.push(u8::from_str_radix(quoted.get(at + 1..at + 4)?, 8).ok()?);
                bytes.nth(2)?;
            }
            (_, byte) => word.push(byte),
        }
    }
}

fn text(word: Vec<u8>) -> String {
    String::from_utf8(word).expect("a word is text")
}

//! Texts that people paste: quoted in a mail, framed by Terraform, broken into lines by either or by a terminal; or an event of
//! CloudTrail.

use super::{LONGEST_RECORD, Sighting, cloudtrail, parse, phrases};

/// Widths at which a text may have been broken. Logs have longer lines, lists shorter ones.
const WIDTHS: std::ops::RangeInclusive<usize> = 20..=256;

/// The errors in a pasted text, as [`parse`] has them.
pub fn pasted(text: &str) -> Vec<Sighting> {
    cloudtrail::errors(text).unwrap_or_else(|| parse(&unwrapped(text)))
}

/// A pasted text without marks of quotation, and with the line breaks undone that a terminal or a mail put in. The number of
/// lines remains: what is joined leaves empty lines behind.
///
/// Whether a line was broken, and whether at a space, cannot be told for certain from its length. So each reading is tried,
/// and the one counts in which more is said: more whole phrases, then more pieces around one of them, then more often. Of two
/// that say the same, one record is likelier than several.
pub fn unwrapped(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(unquoted).collect();
    let mut best = lines.join("\n");
    let wide = lines.iter().filter(|line| line.trim().contains(' ')).map(|line| length(line)).max();
    let Some(width) = wide.filter(|width| WIDTHS.contains(width)) else { return best };
    let mut most = said(&best);
    for reading in [
        joined(&lines, |line, next| between_words(line, next, width)),
        joined(&lines, |line, _| (line.chars().count() >= width).then_some("")),
    ] {
        let says = said(&reading);
        if says > most {
            (best, most) = (reading, says);
        }
    }
    best
}

/// The line without `>` of mails and the frame of Terraform's errors.
fn unquoted(line: &str) -> &str {
    let mut rest = line;
    while let Some(inner) = rest.trim_start().strip_prefix(['>', '│', '┃', '|']) {
        rest = inner.strip_prefix(' ').unwrap_or(inner);
    }
    rest
}

fn length(line: &str) -> usize {
    line.trim_end().chars().count()
}

/// A space, if the next line's first word did not fit into this one.
fn between_words(line: &str, next: &str, width: usize) -> Option<&'static str> {
    let word = next.split_whitespace().next()?;
    (length(line) + 1 + word.chars().count() > width).then_some(" ")
}

/// The lines, joined where the function says by what; never onto the start of another record.
fn joined(lines: &[&str], between: impl Fn(&str, &str) -> Option<&'static str>) -> String {
    let (mut text, mut start, mut left_out) = (String::new(), 0, 0);
    for (index, line) in lines.iter().enumerate() {
        text.push_str(line);
        let Some(next) = lines.get(index + 1) else { break };
        let whole = line.trim().is_empty()
            || next.trim().is_empty()
            || starts_record(next)
            || text.len() - start + next.len() > LONGEST_RECORD;
        match between(line, next).filter(|_| !whole) {
            Some(between) => {
                text.push_str(between);
                left_out += 1;
            }
            None => {
                text.extend(std::iter::repeat_n('\n', left_out + 1));
                (start, left_out) = (text.len(), 0);
            }
        }
    }
    text.extend(std::iter::repeat_n('\n', left_out));
    text
}

/// True for a line that begins as records of logs do: with a time, a level, a bracket before either, an object of JSON, or a
/// frame of a stack.
fn starts_record(line: &str) -> bool {
    const STARTS: [&str; 10] =
        ["{\"", "time=", "level=", "ts=", "Traceback", "ERROR ", "WARN", "INFO ", "DEBUG ", "FATAL "];
    let frame = line.trim_start();
    let bare = line.trim_start_matches(['[', '(', ' ']);
    let mut chars = bare.chars();
    let digits = bare.chars().take_while(char::is_ascii_digit).count();
    let clock = |from: usize| bare.get(from..from + 1).is_some_and(|c| "-/:".contains(c));
    // klog: `E1120 08:00:00.000000`.
    let klog = chars.next().is_some_and(|c| "IWEF".contains(c))
        && chars.take(4).filter(char::is_ascii_digit).count() == 4;
    (digits == 4 || digits == 2)
        && clock(digits)
        && bare[digits + 1..].starts_with(|c: char| c.is_ascii_digit())
        || klog
        || STARTS.iter().any(|start| bare.starts_with(start))
        || frame.len() < line.len() && ["at ", "File \"", "... "].iter().any(|start| frame.starts_with(start))
}

/// How much a text says: whole phrases, the most pieces of one error, how many errors, and whether it is one record.
fn said(text: &str) -> (usize, usize, usize, bool) {
    let whole = text.lines().map(|line| phrases::find(&line.to_ascii_lowercase()).count()).sum();
    let pieces = |it: &Sighting| {
        let named = it.pieces().iter().filter(|piece| piece.is_some()).count();
        1 + named
            + usize::from(it.principal.is_some())
            + usize::from(it.because.is_some())
            + usize::from(it.service_account.is_some())
    };
    let one = text.lines().filter(|line| !line.trim().is_empty()).count() == 1;
    let errors = parse(text);
    let times = errors.iter().map(|error| error.count).sum();
    (whole, errors.iter().map(pieces).max().unwrap_or_default(), times, one)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::kind::Kind;
    use super::*;

    fn kinds(sightings: &[Sighting]) -> Vec<Kind> {
        sightings.iter().map(|it| it.kind).collect()
    }

    /// Breaks a text between words, as mails do.
    fn at_words(text: &str, columns: usize) -> String {
        let mut lines = vec![String::new()];
        for word in text.split(' ') {
            let line = lines.last_mut().unwrap();
            if line.is_empty() {
                line.push_str(word);
            } else if line.chars().count() + 1 + word.chars().count() <= columns {
                line.push(' ');
                line.push_str(word);
            } else {
                lines.push(word.to_owned());
            }
        }
        lines.join("\n")
    }

    /// Breaks a text anywhere, as terminals do.
    fn anywhere(text: &str, columns: usize) -> String {
        let chars: Vec<char> = text.chars().collect();
        chars.chunks(columns).map(String::from_iter).collect::<Vec<_>>().join("\n")
    }

    /// Errors, one for each phrase of the catalogue, in the company that it needs to count.
    fn errors() -> impl Strategy<Value = String> {
        let phrases: Vec<&str> = phrases::PHRASES
            .iter()
            .filter(|phrase| phrase.kind().is_some())
            .map(|phrase| phrase.text)
            .collect();
        let company = proptest::sample::select(vec![
            "operation error STS: AssumeRoleWithWebIdentity, request send failed, Post \"https://sts.eu-west-1.amazonaws.com/\"",
            "operation error S3: GetObject, https response error StatusCode: 403",
            "An error occurred when reading AWS_WEB_IDENTITY_TOKEN_FILE in the container that serves the shop",
            "Error retrieving metadata from http://169.254.170.23/v1/credentials, fault: client",
        ]);
        (company, proptest::sample::select(phrases), 0..60_usize).prop_map(|(company, phrase, more)| {
            let tail = "and that is what the application printed before it gave up for good";
            let tail = &tail[..tail.floor_char_boundary(more)];
            format!("{company}: {phrase}: {tail}").trim_end().to_owned()
        })
    }

    proptest! {
        #[test]
        fn a_broken_text_says_what_the_whole_one_says(text in errors(), columns in 40..200_usize, quoted in any::<bool>()) {
            let expected = kinds(&parse(&text));
            for broken in [at_words(&text, columns), anywhere(&text, columns)] {
                let broken = if quoted { format!("> {}", broken.replace('\n', "\n> ")) } else { broken };
                prop_assert_eq!(kinds(&pasted(&broken)), &expected[..], "{}", broken);
            }
        }

        /// Records with times of their own stay apart, whatever their lengths.
        #[test]
        fn records_are_not_joined(texts in proptest::collection::vec(errors(), 1..6)) {
            let log: Vec<String> = texts.iter().enumerate()
                .map(|(at, text)| format!("2026-11-20T08:00:{at:02}Z {text}")).collect();
            prop_assert_eq!(unwrapped(&log.join("\n")), log.join("\n"));
        }

        #[test]
        fn lines_keep_their_numbers(text in "([ -~│>]{0,60}\n){0,12}[ -~]{0,60}") {
            prop_assert_eq!(unwrapped(&text).split('\n').count(), text.lines().count().max(1));
        }
    }

    #[test]
    fn lines_of_one_length_are_not_one_record() {
        let line = "An error occurred (Throttling) when calling the AssumeRoleWithWebIdentity operation: Rate exceeded\n";
        assert_eq!(pasted(&line.repeat(12)).iter().map(|it| it.count).collect::<Vec<_>>(), [12]);
    }

    #[test]
    fn quotes_and_frames_are_left_out() {
        for (line, bare) in [
            ("> > text", "text"),
            (">>text", "text"),
            ("│ Error: x", "Error: x"),
            ("  indented", "  indented"),
            ("a > b", "a > b"),
        ] {
            assert_eq!(unquoted(line), bare);
        }
    }

    #[test]
    fn how_records_start() {
        for line in [
            "2026-11-20T08:00:00Z x",
            "[2026/11/20 08:00:00] [error] x",
            "08:00:00 x",
            "E1120 08:00:00.000000       1 main.go:1] x",
            "{\"level\":\"error\"}",
            "time=\"2026\" x",
            "ERROR x",
            "    at com.example.Main(Main.java:1)",
        ] {
            assert!(starts_record(line), "{line}");
        }
        for line in
            ["AssumeRoleWithWebIdentity operation:", "403, api error", "at the end", "Error: x", "{ x", ""]
        {
            assert!(!starts_record(line), "{line}");
        }
    }
}

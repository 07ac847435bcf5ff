//! A text of which parts may not be known before deployment.

use crate::policy::Json;

/// Text with gaps: `arn:aws:iam::${AWS::AccountId}:role/app`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(Vec<Piece>);

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Known(String),
    /// What stands for it in the file: `AWS::AccountId`.
    Gap(String),
}

impl Text {
    /// All of it is known.
    pub(crate) fn known(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::default() } else { Self(vec![Piece::Known(text)]) }
    }

    /// Nothing of it is known.
    pub(crate) fn gap(label: impl Into<String>) -> Self {
        Self(vec![Piece::Gap(label.into())])
    }

    /// Adds what follows.
    pub(crate) fn push(&mut self, more: Self) {
        for piece in more.0 {
            match (self.0.last_mut(), piece) {
                (Some(Piece::Known(last)), Piece::Known(more)) => last.push_str(&more),
                (_, piece) => self.0.push(piece),
            }
        }
    }

    /// The text, if all of it is known.
    pub(crate) fn whole(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Known(text)] => Some(text),
            _ => None,
        }
    }

    /// What stands for it, if nothing of it is known.
    pub(crate) fn only_gap(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Gap(label)] => Some(label),
            _ => None,
        }
    }

    /// As the file has it.
    pub(crate) fn shown(&self) -> String {
        let shown = self.0.iter().map(|piece| match piece {
            Piece::Known(text) => text.clone(),
            Piece::Gap(label) => format!("${{{label}}}"),
        });
        shown.collect()
    }

    /// Whether it can turn out to be that text: a gap is anything, and nothing.
    pub(crate) fn may_be(&self, text: &str) -> bool {
        let (mut rest, mut anchored) = (text, true);
        let mut pieces = self.0.iter().peekable();
        while let Some(piece) = pieces.next() {
            let Piece::Known(known) = piece else {
                anchored = false;
                continue;
            };
            // What stands at the end stands there, and nothing but that; elsewhere the first occurrence leaves the most.
            let behind = match (anchored, pieces.peek()) {
                (true, _) => rest.strip_prefix(known.as_str()),
                (false, None) => return rest.ends_with(known.as_str()),
                (false, Some(_)) => rest.split_once(known.as_str()).map(|(_, behind)| behind),
            };
            let Some(behind) = behind else { return false };
            (rest, anchored) = (behind, true);
        }
        rest.is_empty() || !anchored
    }

    /// What stands before and after the first of these in a known part.
    pub(crate) fn split_at_first(&self, separator: &str) -> Option<(Self, Self)> {
        let at = self
            .0
            .iter()
            .position(|piece| matches!(piece, Piece::Known(text) if text.contains(separator)))?;
        let Piece::Known(text) = self.0.get(at)? else { return None };
        let (head, tail) = text.split_once(separator)?;
        let mut before = Self(self.0.get(..at)?.to_vec());
        before.push(Self::known(head));
        let mut after = Self::known(tail);
        after.push(Self(self.0.get(at + 1..)?.to_vec()));
        Some((before, after))
    }

    /// On one line, with a sign that is in no part of it around the number of each gap; and the labels of the gaps.
    pub(crate) fn marked(&self) -> Option<(String, char, Vec<String>)> {
        let known = || {
            self.0.iter().filter_map(|piece| match piece {
                Piece::Known(text) => Some(text.as_str()),
                Piece::Gap(_) => None,
            })
        };
        let sign = ('\u{e000}'..='\u{e0ff}').find(|sign| !known().any(|text| text.contains(*sign)))?;
        let mut labels = Vec::new();
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Known(known) => text.push_str(known),
                Piece::Gap(label) => {
                    text.push_str(&format!("{sign}{}{sign}", labels.len()));
                    labels.push(label.clone());
                }
            }
        }
        Some((text, sign, labels))
    }

    /// What a part of a marked text says.
    pub(crate) fn unmarked(text: &str, sign: char, labels: &[String]) -> Self {
        let mut found = Self::default();
        for (index, part) in text.split(sign).enumerate() {
            found.push(match (index % 2, part.parse().ok().and_then(|number: usize| labels.get(number))) {
                (1, Some(label)) => Self::gap(label.clone()),
                _ => Self::known(part),
            });
        }
        found
    }

    /// As a JSON string.
    pub(crate) fn json(&self) -> Json {
        Json::text(self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn() -> Text {
        let mut text = Text::known("arn:aws:iam::");
        text.push(Text::gap("AWS::AccountId"));
        text.push(Text::known(":role/"));
        text.push(Text::known("app"));
        text
    }

    #[test]
    fn what_a_text_with_gaps_may_be() {
        assert!(arn().may_be("arn:aws:iam::111122223333:role/app"));
        assert!(!arn().may_be("arn:aws:iam::111122223333:role/other"));
        assert!(!arn().may_be("arn:aws-cn:iam::111122223333:role/app"));
        assert!(Text::gap("x").may_be("") && Text::default().may_be("") && !Text::default().may_be("x"));
        let mut odd = Text::known("a");
        for piece in [Text::gap("x"), Text::known("b"), Text::gap("y"), Text::known("b")] {
            odd.push(piece);
        }
        assert!(odd.may_be("abb") && odd.may_be("axbxb") && !odd.may_be("ab") && !odd.may_be("abbc"));
        assert_eq!(arn().shown(), "arn:aws:iam::${AWS::AccountId}:role/app");
        assert_eq!((arn().whole(), Text::known("x").whole()), (None, Some("x")));
    }

    #[test]
    fn marks_are_taken_back() {
        let (text, sign, labels) = arn().marked().unwrap();
        assert_eq!(Text::unmarked(&text, sign, &labels), arn());
        let odd = Text::known("a\u{e000}0\u{e000}b");
        let (text, sign, labels) = odd.marked().unwrap();
        assert_eq!((Text::unmarked(&text, sign, &labels), sign), (odd, '\u{e001}'));
    }
}

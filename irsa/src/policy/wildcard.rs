//! `*` and `?` as IAM means them.

/// One place of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glyph {
    /// This character.
    Char(char),
    /// `?`: one character.
    One,
    /// `*`: any number of characters, also none.
    Many,
}

impl Glyph {
    /// A character of a policy, where `*` and `?` are wildcards.
    pub(super) const fn wild(c: char) -> Self {
        match c {
            '*' => Self::Many,
            '?' => Self::One,
            c => Self::Char(c),
        }
    }

    fn takes(self, c: char) -> bool {
        match self {
            Self::Char(own) => own == c,
            Self::One | Self::Many => true,
        }
    }
}

/// A pattern with wildcards.
pub(super) fn wild(pattern: &str) -> Vec<Glyph> {
    pattern.chars().map(Glyph::wild).collect()
}

/// True if the pattern covers the whole text.
///
/// Only the last `*` is ever tried again, so the time is bounded by the product of both lengths.
pub(super) fn matches(pattern: &[Glyph], text: &str) -> bool {
    let (mut glyphs, mut rest) = (pattern, text.chars());
    // The pattern after the last `*`, and the text which that `*` has not swallowed.
    let mut retry = None;
    loop {
        if let Some((Glyph::Many, after)) = glyphs.split_first() {
            glyphs = after;
            retry = Some((after, rest.clone()));
            continue;
        }
        match (glyphs.split_first(), rest.next()) {
            (None, None) => return true,
            (Some((glyph, after)), Some(c)) if glyph.takes(c) => {
                glyphs = after;
                continue;
            }
            _ => {}
        }
        let Some((after, left)) = &mut retry else { return false };
        if left.next().is_none() {
            return false;
        }
        (glyphs, rest) = (after, left.clone());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, without care for time.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', after)), _) if naive(after, text) => true,
            (Some(('*', _)), Some((_, tail))) => naive(pattern, tail),
            (Some(('?', after)), Some((_, tail))) => naive(after, tail),
            (Some((c, after)), Some((d, tail))) => c == d && naive(after, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn equals_the_definition(pattern in "[ab:é*?]{0,9}", text in "[ab:é]{0,9}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&wild(&pattern), &text), naive(&chars(&pattern), &chars(&text)));
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_exponential_time() {
        let pattern = wild(&"a*".repeat(2_000));
        assert!(!matches(&pattern, &format!("{}b", "a".repeat(1_999))));
    }
}

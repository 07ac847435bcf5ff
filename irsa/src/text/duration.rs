//! Durations for people.

use jiff::SignedDuration;

/// The largest unit that fits: `50 min`, `3 h`, `2 d`.
pub fn words(duration: SignedDuration) -> String {
    match (duration.as_mins(), duration.as_hours()) {
        (..=0, _) => format!("{} s", duration.as_secs().max(0)),
        (minutes, ..=1) => format!("{minutes} min"),
        (_, hours @ ..48) => format!("{hours} h"),
        (_, hours) => format!("{} d", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_words() {
        let words = |seconds| super::words(SignedDuration::from_secs(seconds));
        let all = [-5, 59, 3005, 7199, 7200, 172_799, 172_800].map(words);
        assert_eq!(all, ["0 s", "59 s", "50 min", "119 min", "2 h", "47 h", "2 d"]);
    }
}

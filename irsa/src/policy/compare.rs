//! One value of a policy beside one value of a request.

use core::net::IpAddr;
use std::cmp::Ordering;

use super::operator::{Operator, Relation, Test};
use super::variable::{self, Unresolved};
use super::wildcard::{Glyph, matches, wild};
use super::{Context, Version};

/// How the two stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// They match, before any negation.
    Match,
    /// They do not.
    Differ,
    /// One of them is no number, date, address … at all.
    Invalid,
    /// It depends on a condition key that is not known.
    Unknown,
    /// The documentation does not say what IAM does.
    Unspecified,
}

impl From<bool> for Comparison {
    fn from(value: bool) -> Self {
        if value { Self::Match } else { Self::Differ }
    }
}

impl From<Option<bool>> for Comparison {
    fn from(value: Option<bool>) -> Self {
        value.map_or(Self::Invalid, Self::from)
    }
}

/// Compares by the operator's test; its negation is the caller's.
pub(super) fn compare(
    operator: Operator,
    expected: &str,
    found: &str,
    version: Version,
    context: &Context,
) -> Comparison {
    match operator.test {
        Test::Numeric(relation) => holds(relation, number(found), number(expected)).into(),
        Test::Date(relation) => holds(relation, instant(found), instant(expected)).into(),
        Test::Bool => boolean(expected).zip(boolean(found)).map(|(a, b)| a == b).into(),
        Test::IpAddress => in_network(expected, found).into(),
        Test::Binary => (expected == found).into(),
        // Decided by whether the key is there, before any value is looked at.
        Test::Null => Comparison::Invalid,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike | Test::Arn => {
            let wildcards = matches!(operator.test, Test::StringLike | Test::Arn);
            match variable::resolve(expected, version, wildcards, context) {
                Ok(pattern) => compare_text(operator.test, &pattern, found),
                // A variable without a value equals nothing.
                Err(Unresolved::Null) => Comparison::Differ,
                Err(Unresolved::Several) => Comparison::Unspecified,
                Err(Unresolved::Unknown) => Comparison::Unknown,
            }
        }
    }
}

fn compare_text(test: Test, pattern: &[Glyph], found: &str) -> Comparison {
    match test {
        Test::StringEqualsIgnoreCase => matches(&lower(pattern), &found.to_lowercase()).into(),
        Test::Arn => arn(pattern, found),
        _ => matches(pattern, found).into(),
    }
}

pub(super) fn lower(pattern: &[Glyph]) -> Vec<Glyph> {
    pattern
        .iter()
        .flat_map(|glyph| {
            let (chars, other) = match glyph {
                Glyph::Char(c) => (Some(c.to_lowercase()), None),
                other => (None, Some(*other)),
            };
            chars.into_iter().flatten().map(Glyph::Char).chain(other)
        })
        .collect()
}

/// Each of the six parts by itself, so that a wildcard does not reach beyond a colon; the last part has the rest.
fn arn(pattern: &[Glyph], found: &str) -> Comparison {
    let parts: Vec<_> = pattern.splitn(6, |glyph| *glyph == Glyph::Char(':')).collect();
    if parts.len() < 6 {
        // `*` alone, for instance. The documentation knows whole ARNs only.
        let has_wildcard = pattern.iter().any(|glyph| !matches!(glyph, Glyph::Char(_)));
        return if has_wildcard { Comparison::Unspecified } else { Comparison::Invalid };
    }
    let found: Vec<_> = found.splitn(6, ':').collect();
    if found.len() < 6 {
        return Comparison::Invalid;
    }
    parts.iter().zip(found).all(|(part, found)| matches(part, found)).into()
}

/// A resource: `*` at the end of a part may stand for further parts, elsewhere that is not documented.
pub(super) fn resource(pattern: &[Glyph], found: &str) -> Comparison {
    if !matches(pattern, found) {
        return Comparison::Differ;
    }
    let ends_its_part = |index: usize| matches!(pattern.get(index + 1), None | Some(Glyph::Char(':')));
    let all_end =
        pattern.iter().enumerate().all(|(index, glyph)| *glyph != Glyph::Many || ends_its_part(index));
    if all_end || arn(pattern, found) == Comparison::Match {
        return Comparison::Match;
    }
    Comparison::Unspecified
}

/// An action, upper or lower case.
pub(super) fn action(pattern: &str, found: &str) -> bool {
    matches(&wild(&pattern.to_ascii_lowercase()), &found.to_ascii_lowercase())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn holds<T: Ord>(relation: Relation, found: Option<T>, expected: Option<T>) -> Option<bool> {
    Some(relation.holds(found?.cmp(&expected?)))
}

/// An integer or a decimal, exactly.
#[derive(Debug, PartialEq, Eq)]
struct Decimal<'a> {
    negative: bool,
    /// Without leading zeros.
    whole: &'a str,
    /// Without trailing zeros.
    fraction: &'a str,
}

fn number(text: &str) -> Option<Decimal<'_>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let is_zero = whole.is_empty() && fraction.is_empty();
    Some(Decimal { negative: negative && !is_zero, whole, fraction })
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |a: &Self, b: &Self| {
            (a.whole.len(), a.whole, a.fraction).cmp(&(b.whole.len(), b.whole, b.fraction))
        };
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Nanoseconds since 1970, of seconds since 1970 or of a date as W3C's profile of ISO 8601 writes it.
fn instant(text: &str) -> Option<i128> {
    const SECOND: i128 = 1_000_000_000;
    if !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i128>().ok().map(|seconds| seconds * SECOND);
    }
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let day = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let midnight = i128::from(days_since_1970(year, month, day)) * 86_400 * SECOND;
    // A time needs a whole date before it.
    match time {
        None => Some(midnight),
        Some(time) if date.len() == 10 => Some(midnight + time_of_day(time)?),
        Some(_) => None,
    }
}

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.s…`, then `Z` or the zone; nanoseconds since midnight in UTC.
fn time_of_day(text: &str) -> Option<i128> {
    let zone_at = text.find(['Z', '+', '-'])?;
    let (clock, zone) = text.split_at(zone_at);
    let mut parts = clock.splitn(3, ':');
    let hour = digits(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = digits(parts.next()?, 2).filter(|minute| *minute < 60)?;
    let (second, nanos) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once('.') {
            None => (digits(seconds, 2)?, 0),
            Some((whole, fraction)) => (digits(whole, 2)?, fraction_of_second(fraction)?),
        },
    };
    if second > 60 {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second - offset(zone)?;
    Some(i128::from(seconds) * 1_000_000_000 + i128::from(nanos))
}

fn fraction_of_second(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .try_fold(0, |sum, b| Some(sum * 10 + i64::from(b - b'0')))
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = digits(hours, 2)? * 3600 + digits(minutes, 2)? * 60;
    Some(if sign == "-" { -seconds } else { seconds })
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let plain = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap day is their last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// True if the address is in the network; an address alone is a network of one.
fn in_network(network: &str, address: &str) -> Option<bool> {
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base, Some(length)),
        None => (network, None),
    };
    let (base, address): (IpAddr, IpAddr) = (base.parse().ok()?, address.parse().ok()?);
    let (base_bits, bits) = (bits(base), bits(address));
    let width = if base.is_ipv4() { 32 } else { 128 };
    let length = match length {
        None => width,
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
            text.parse().ok().filter(|length| *length <= width)?
        }
        Some(_) => return None,
    };
    let ignored = width - length;
    // Shifting by the whole width is not defined.
    let prefix = |bits: u128| bits.checked_shr(ignored).unwrap_or(0);
    Some(base.is_ipv4() == address.is_ipv4() && prefix(base_bits) == prefix(bits))
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_exactly() {
        let order = |a, b| number(a).zip(number(b)).map(|(a, b)| a.cmp(&b));
        assert_eq!(order("9007199254740993", "9007199254740992"), Some(Ordering::Greater));
        assert_eq!(order("1.50", "1.5"), Some(Ordering::Equal));
        assert_eq!(order("-0", "0.0"), Some(Ordering::Equal));
        assert_eq!(order("-2", "-10"), Some(Ordering::Greater));
        assert_eq!(order("0.09", "0.1"), Some(Ordering::Less));
        assert_eq!(order("+007", "7"), Some(Ordering::Equal));
        for bad in ["", "-", ".", "1e3", "0x1", "1.2.3", "١", " 1"] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn dates_in_every_form_that_w3c_has() {
        const SECOND: i128 = 1_000_000_000;
        for (text, seconds) in [
            ("0", 0),
            ("1563278400", 1_563_278_400),
            ("1970", 1970),
            ("1970-01", 0),
            ("1969-12-31", -86_400),
            ("2000-02-29T00:00Z", 951_782_400),
            ("2019-07-16T12:00:00Z", 1_563_278_400),
            ("2019-07-16T14:00:00+02:00", 1_563_278_400),
            ("2019-07-16T11:30:00-00:30", 1_563_278_400),
        ] {
            assert_eq!(instant(text), Some(seconds * SECOND), "{text}");
        }
        assert_eq!(instant("1970-01-01T00:00:00.25Z"), Some(SECOND / 4));
        for bad in [
            "",
            "tomorrow",
            "2019-13-01",
            "2019-02-29",
            "2019-07-16T12:00",
            "2019-07T12:00Z",
            "2019-7-1",
            "-1",
        ] {
            assert_eq!(instant(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn addresses() {
        for (network, address, expected) in [
            ("203.0.113.0/24", "203.0.113.7", Some(true)),
            ("203.0.113.0/24", "203.0.114.7", Some(false)),
            ("203.0.113.7", "203.0.113.7", Some(true)),
            ("0.0.0.0/0", "203.0.113.7", Some(true)),
            ("2001:db8::/32", "2001:DB8:1::1", Some(true)),
            ("::/0", "203.0.113.7", Some(false)),
            ("10.0.0.0/33", "10.0.0.1", None),
            ("10.0.0.0/+8", "10.0.0.1", None),
            ("10.0.0.0/8", "here", None),
        ] {
            assert_eq!(in_network(network, address), expected, "{network} {address}");
        }
    }

    #[test]
    fn a_wildcard_stays_within_its_part_of_an_arn() {
        let arn = |pattern, found| arn(&wild(pattern), found);
        assert_eq!(arn("arn:aws:iam::*:role/app", "arn:aws:iam::111122223333:role/app"), Comparison::Match);
        assert_eq!(
            arn("arn:aws:iam:*:role/app", "arn:aws:iam::111122223333:role/app"),
            Comparison::Unspecified
        );
        assert_eq!(arn("arn:aws:s*:::x:y", "arn:aws:s3:eu::x:y"), Comparison::Differ);
        assert_eq!(arn("arn:aws:sns:*:*:a:*", "arn:aws:sns:eu:1:a:b:c"), Comparison::Match);
        assert_eq!(arn("app", "arn:aws:sns:eu:1:a"), Comparison::Invalid);
        assert_eq!(arn("*", "arn:aws:sns:eu:1:a"), Comparison::Unspecified);
        assert_eq!(arn("arn:aws:sns:*:*:*", "app"), Comparison::Invalid);
    }

    #[test]
    fn a_wildcard_of_a_resource_reaches_further_at_the_end_of_a_part() {
        let resource = |pattern, found| resource(&wild(pattern), found);
        assert_eq!(resource("*", "arn:aws:s3:::bucket/key"), Comparison::Match);
        assert_eq!(resource("arn:aws:sqs:*", "arn:aws:sqs:eu:1:queue"), Comparison::Match);
        assert_eq!(resource("arn:aws:sqs:*:1:queue*x", "arn:aws:sqs:eu:1:queue-x"), Comparison::Match);
        assert_eq!(resource("arn:aws:sqs:e*1:queue", "arn:aws:sqs:eu:1:queue"), Comparison::Unspecified);
        assert_eq!(resource("arn:aws:sqs:eu:1:other", "arn:aws:sqs:eu:1:queue"), Comparison::Differ);
    }
}

//! Every condition operator that IAM has.

use super::tri::Tri;

/// A condition operator, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub quantifier: Option<Quantifier>,
    /// What is compared, and how.
    pub test: Test,
    /// True for `…Not…`: none of the values may match.
    pub negated: bool,
    /// `…IfExists`: true if the request does not have the key.
    pub if_exists: bool,
}

/// How a key that has several values in the request is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// Every value in the request must pass; true if there is none.
    ForAllValues,
    /// One value in the request must pass; false if there is none.
    ForAnyValue,
}

/// A comparison, without its negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Exact; `*` and `?` are ordinary characters.
    StringEquals,
    /// Exact but for case.
    StringEqualsIgnoreCase,
    /// With wildcards, case-sensitive.
    StringLike,
    /// Integers and decimals.
    Numeric(Relation),
    /// Dates and times, or seconds since 1970.
    Date(Relation),
    /// `true` or `false`.
    Bool,
    /// Base64 of bytes.
    Binary,
    /// An address within a network.
    IpAddress,
    /// `ArnEquals` and `ArnLike` are the same: each of the six parts by itself, with wildcards.
    Arn,
    /// Whether the request has the key.
    Null,
}

/// How an ordered value in the request must stand to the one in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Equal.
    Equal,
    /// Smaller or earlier.
    Less,
    /// At most.
    LessOrEqual,
    /// Greater or later.
    Greater,
    /// At least.
    GreaterOrEqual,
}

impl Relation {
    /// True if the order of the request's value to the policy's is the wanted one.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// Name, test, negated.
const OPERATORS: [(&str, Test, bool); 27] = [
    ("StringEquals", Test::StringEquals, false),
    ("StringNotEquals", Test::StringEquals, true),
    ("StringEqualsIgnoreCase", Test::StringEqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Test::StringEqualsIgnoreCase, true),
    ("StringLike", Test::StringLike, false),
    ("StringNotLike", Test::StringLike, true),
    ("NumericEquals", Test::Numeric(Relation::Equal), false),
    ("NumericNotEquals", Test::Numeric(Relation::Equal), true),
    ("NumericLessThan", Test::Numeric(Relation::Less), false),
    ("NumericLessThanEquals", Test::Numeric(Relation::LessOrEqual), false),
    ("NumericGreaterThan", Test::Numeric(Relation::Greater), false),
    ("NumericGreaterThanEquals", Test::Numeric(Relation::GreaterOrEqual), false),
    ("DateEquals", Test::Date(Relation::Equal), false),
    ("DateNotEquals", Test::Date(Relation::Equal), true),
    ("DateLessThan", Test::Date(Relation::Less), false),
    ("DateLessThanEquals", Test::Date(Relation::LessOrEqual), false),
    ("DateGreaterThan", Test::Date(Relation::Greater), false),
    ("DateGreaterThanEquals", Test::Date(Relation::GreaterOrEqual), false),
    ("Bool", Test::Bool, false),
    ("BinaryEquals", Test::Binary, false),
    ("IpAddress", Test::IpAddress, false),
    ("NotIpAddress", Test::IpAddress, true),
    ("ArnEquals", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("ArnLike", Test::Arn, false),
    ("ArnNotLike", Test::Arn, true),
    ("Null", Test::Null, false),
];

impl Operator {
    /// The operator with this name, upper or lower case; `None` if IAM has no such operator.
    pub fn parse(name: &str) -> Option<Self> {
        let (quantifier, name) = match name.split_once(':') {
            None => (None, name),
            Some((set, name)) if set.eq_ignore_ascii_case("ForAllValues") => {
                (Some(Quantifier::ForAllValues), name)
            }
            Some((set, name)) if set.eq_ignore_ascii_case("ForAnyValue") => {
                (Some(Quantifier::ForAnyValue), name)
            }
            Some(_) => return None,
        };
        let plain = strip_suffix_ignore_case(name, "IfExists");
        let base = plain.unwrap_or(name);
        let (_, test, negated) =
            OPERATORS.iter().find(|(known, _, _)| known.eq_ignore_ascii_case(base)).copied()?;
        let if_exists = plain.is_some();
        // `Null` asks itself whether the key exists, whatever its values.
        let fits = test != Test::Null || (quantifier.is_none() && !if_exists);
        fits.then_some(Self { quantifier, test, negated, if_exists })
    }

    /// The outcome where the request does not have the key; `Null` is decided by its value.
    pub fn if_absent(self) -> Tri {
        match (self.quantifier, self.if_exists) {
            // The page of `…IfExists` says true, the page of `ForAnyValue:` says false.
            (Some(Quantifier::ForAnyValue), true) => Tri::Unknown,
            (Some(Quantifier::ForAnyValue), false) => Tri::False,
            (Some(Quantifier::ForAllValues), _) | (None, true) => Tri::True,
            (None, false) => self.negated.into(),
        }
    }
}

fn strip_suffix_ignore_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    tail.eq_ignore_ascii_case(suffix).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let parse = |name| Operator::parse(name).map(|o| (o.quantifier, o.test, o.negated, o.if_exists));
        assert_eq!(parse("StringEquals"), Some((None, Test::StringEquals, false, false)));
        assert_eq!(parse("stringnotlikeifexists"), Some((None, Test::StringLike, true, true)));
        assert_eq!(
            parse("ForAllValues:ArnNotEqualsIfExists"),
            Some((Some(Quantifier::ForAllValues), Test::Arn, true, true))
        );
        assert_eq!(
            parse("foranyvalue:NumericLessThanEquals"),
            Some((Some(Quantifier::ForAnyValue), Test::Numeric(Relation::LessOrEqual), false, false))
        );
        assert_eq!(parse("Null"), Some((None, Test::Null, false, false)));
    }

    #[test]
    fn every_operator_but_null_takes_if_exists() {
        for (name, test, _) in OPERATORS {
            let parsed = Operator::parse(&format!("{name}IfExists"));
            assert_eq!(parsed.is_some(), test != Test::Null, "{name}");
        }
    }

    #[test]
    fn what_iam_does_not_have_is_no_operator() {
        for name in [
            "",
            "IfExists",
            "StringMatches",
            "ForSome:StringEquals",
            "BoolNot",
            "ForAllValues:Null",
            "StringEqualsé",
            "é",
        ] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
    }
}

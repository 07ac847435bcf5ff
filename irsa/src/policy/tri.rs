//! Three-valued logic: what is not known stays not known until something known outweighs it (Kleene).

/// True, false, or not known from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tri {
    /// Certainly so.
    True,
    /// Certainly not so.
    False,
    /// It depends on something that is not known.
    Unknown,
}

impl Tri {
    /// True if all are; false as soon as one is.
    pub fn all(values: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::True;
        for value in values {
            match value {
                Self::False => return Self::False,
                Self::Unknown => result = Self::Unknown,
                Self::True => {}
            }
        }
        result
    }

    /// True as soon as one is; false if none is.
    pub fn any(values: impl IntoIterator<Item = Self>) -> Self {
        !Self::all(values.into_iter().map(|value| !value))
    }
}

impl std::ops::Not for Tri {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::Tri::{self, False, True, Unknown};

    #[test]
    fn one_false_decides_all_and_one_true_decides_any() {
        assert_eq!(Tri::all([]), True);
        assert_eq!(Tri::all([True, Unknown]), Unknown);
        assert_eq!(Tri::all([Unknown, False]), False);
        assert_eq!(Tri::any([]), False);
        assert_eq!(Tri::any([False, Unknown]), Unknown);
        assert_eq!(Tri::any([Unknown, True]), True);
    }
}

//! XML as the AWS query protocol writes it.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Xml {
    /// Text.
    Text(String),
    /// A structure: named elements in order.
    Fields(Vec<(&'static str, Xml)>),
    /// A list: `<member>` elements.
    Members(Vec<Xml>),
}

impl From<&str> for Xml {
    fn from(text: &str) -> Xml {
        Xml::Text(text.to_owned())
    }
}

impl From<String> for Xml {
    fn from(text: String) -> Xml {
        Xml::Text(text)
    }
}

impl Xml {
    /// A structure with these fields.
    pub fn fields<const N: usize>(fields: [(&'static str, Xml); N]) -> Xml {
        Xml::Fields(fields.into())
    }

    /// A list.
    pub fn members<T: Into<Xml>>(items: impl IntoIterator<Item = T>) -> Xml {
        Xml::Members(items.into_iter().map(Into::into).collect())
    }

    /// A structure with one field more, if there is a value for it.
    pub fn and(self, name: &'static str, value: Option<impl Into<Xml>>) -> Xml {
        match (self, value) {
            (Xml::Fields(mut fields), Some(value)) => {
                fields.push((name, value.into()));
                Xml::Fields(fields)
            }
            (same, _) => same,
        }
    }

    /// The element of this name with this value; `attributes` stand in its tag.
    pub fn element(&self, name: &str, attributes: &str) -> String {
        let mut out = format!("<{name}{attributes}>");
        match self {
            Xml::Text(text) => out += &escape(text),
            Xml::Fields(fields) => fields.iter().for_each(|(name, value)| out += &value.element(name, "")),
            Xml::Members(items) => items.iter().for_each(|item| out += &item.element("member", "")),
        }
        out + &format!("</{name}>")
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_lists_and_text() {
        let xml = Xml::fields([("A", "<&>\"".into()), ("B", Xml::members(["x", "y"]))])
            .and("C", Some("z"))
            .and("D", None::<Xml>);
        assert_eq!(
            xml.element("R", " xmlns=\"u\""),
            "<R xmlns=\"u\"><A>&lt;&amp;&gt;&quot;</A><B><member>x</member><member>y</member></B><C>z</C></R>"
        );
    }
}

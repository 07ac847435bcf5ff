//! Content negotiation: plain objects or metadata only (`PartialObjectMetadata`), always as JSON.

use super::status::{Answer, JSON, no_representation, not_acceptable};

/// The representation that a client asked for and gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The whole object or list.
    Full,
    /// `as=PartialObjectMetadata`.
    Partial,
    /// `as=PartialObjectMetadataList`.
    PartialList,
}

/// One clause of an Accept header.
struct Clause<'a> {
    media_type: &'a str,
    params: Vec<(&'a str, &'a str)>,
}

impl<'a> Clause<'a> {
    fn parse(text: &'a str) -> Clause<'a> {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        Clause { media_type, params: parts.filter_map(|p| p.split_once('=')).collect() }
    }

    fn param(&self, name: &str) -> Option<&'a str> {
        self.params.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    fn is_json(&self) -> bool {
        matches!(self.media_type, JSON | "application/*" | "*/*")
    }

    /// The form, if the fake serves this clause. A Table or an unknown conversion is skipped: kubectl names plain
    /// JSON as its second choice.
    fn form(&self) -> Option<Form> {
        if !self.is_json() {
            return None;
        }
        let meta_v1 = self.param("g") == Some("meta.k8s.io") && self.param("v") == Some("v1");
        match self.param("as") {
            None => Some(Form::Full),
            Some("PartialObjectMetadata") if meta_v1 => Some(Form::Partial),
            Some("PartialObjectMetadataList") if meta_v1 => Some(Form::PartialList),
            Some(_) => None,
        }
    }
}

fn clauses(accept: &str) -> impl Iterator<Item = Clause<'_>> {
    accept.split(',').map(str::trim).filter(|c| !c.is_empty()).map(Clause::parse)
}

/// The first clause that can be served wins; an empty header accepts everything. Protobuf and YAML, which a real
/// server also speaks, are not spoken here.
pub fn negotiate(accept: &str) -> Result<Form, Answer> {
    if clauses(accept).next().is_none() {
        return Ok(Form::Full);
    }
    clauses(accept)
        .find_map(|clause| clause.form())
        .ok_or_else(|| not_acceptable("only the following media types are accepted: application/json"))
}

/// Negotiation of the go-restful routes (openid): a clause must name the produced type or `*/*`. That is why
/// `application/json` for the key set is refused (recording `openid-jwks-accept-json`).
pub fn require(accept: &str, produced: &str) -> Result<(), Answer> {
    let mut any = clauses(accept).peekable();
    let acceptable = any.peek().is_none() || any.any(|c| c.media_type == produced || c.media_type == "*/*");
    if acceptable { Ok(()) } else { Err(no_representation(produced)) }
}

/// The error for a form that does not fit what was asked: a list as an object, or the reverse.
pub fn wrong_form(asked: Form, kind: &str) -> Answer {
    not_acceptable(&match asked {
        Form::PartialList => {
            format!(
                "you requested PartialObjectMetadataList, but the requested object is not a list (*{kind})"
            )
        }
        _ => format!("you requested PartialObjectMetadata, but the requested object is a list (*{kind})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (accept, form) in [
            ("", Form::Full),
            ("*/*", Form::Full),
            ("application/json", Form::Full),
            ("application/json, */*", Form::Full),
            ("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", Form::Partial),
            ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Form::PartialList),
            (
                "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io, application/json",
                Form::PartialList,
            ),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Form::Full),
            ("application/vnd.kubernetes.protobuf, application/json", Form::Full),
            (
                "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
                Form::Partial,
            ),
        ] {
            assert_eq!(negotiate(accept), Ok(form), "{accept}");
        }
    }

    #[test]
    fn protobuf_alone_is_refused() {
        let answer = negotiate("application/vnd.kubernetes.protobuf").unwrap_err();
        assert_eq!(answer.code, 406);
        assert_eq!(negotiate("application/json;as=PartialObjectMetadata;g=x;v=v1").unwrap_err().code, 406);
    }

    #[test]
    fn openid_routes_want_their_own_type() {
        let jwks = "application/jwk-set+json";
        assert_eq!(require("application/json", jwks).unwrap_err().code, 406);
        for accept in ["", "*/*", jwks, "application/json, application/jwk-set+json"] {
            assert_eq!(require(accept, jwks), Ok(()), "{accept}");
        }
    }
}

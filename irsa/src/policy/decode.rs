//! Policy documents as the IAM API sends them.

use percent_encoding::percent_decode_str;

/// The JSON of a policy document that is text. The IAM API sends it percent-encoded (RFC 3986); the AWS CLI decodes it, and what
/// is JSON already may contain a `%` of its own.
pub fn decoded(document: &str) -> String {
    if document.trim_start().starts_with('{') {
        return document.to_owned();
    }
    percent_decode_str(document).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_decoded_once() {
        assert_eq!(decoded("%7B%22Version%22%3A%222012-10-17%22%7D"), r#"{"Version":"2012-10-17"}"#);
        assert_eq!(decoded(r#" {"Sid": "a%20b"}"#), r#" {"Sid": "a%20b"}"#);
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%C3%A4"), "%zzä");
    }
}

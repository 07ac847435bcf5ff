//! A distinguished name as text: enough of DER for that, and no more.

/// The attributes that are shown, by the DER of their object identifier.
const SHOWN: [(&[u8], &str); 4] =
    [(&[0x55, 4, 3], "CN"), (&[0x55, 4, 11], "OU"), (&[0x55, 4, 10], "O"), (&[0x55, 4, 6], "C")];
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// A name such as `C=US, O=Amazon, CN=Amazon RSA 2048 M02`, from the content of its outer sequence.
pub fn name(der: &[u8]) -> Option<String> {
    let mut parts = Vec::new();
    let mut sets = der;
    while !sets.is_empty() {
        let mut attributes = take(&mut sets, Some(SET))?;
        while !attributes.is_empty() {
            let mut attribute = take(&mut attributes, Some(SEQUENCE))?;
            let kind = take(&mut attribute, Some(OBJECT_IDENTIFIER))?;
            let value = String::from_utf8_lossy(take(&mut attribute, None)?);
            if let Some((_, short)) = SHOWN.iter().find(|(identifier, _)| *identifier == kind) {
                parts.push(format!("{short}={value}"));
            }
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Takes the next value, of this type if one is wanted, and answers its content.
fn take<'a>(der: &mut &'a [u8], tag: Option<u8>) -> Option<&'a [u8]> {
    let (&found, rest) = der.split_first()?;
    if tag.is_some_and(|tag| tag != found) {
        return None;
    }
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    // Above 127 it is the number of bytes that hold the length.
    if first >= 0x80 {
        let (bytes, after) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(bytes, _)| bytes.len() <= 2)?;
        length = bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    *der = after;
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
    use rustls::pki_types::CertificateDer;

    #[test]
    fn a_name_is_read() {
        let long = "x".repeat(300);
        let mut name = DistinguishedName::new();
        name.push(DnType::CountryName, "US");
        name.push(DnType::OrganizationName, "Amazon");
        name.push(DnType::LocalityName, "Seattle");
        name.push(DnType::CommonName, long.as_str());
        let mut params = CertificateParams::new(vec!["h".into()]).unwrap();
        params.distinguished_name = name;
        let der: CertificateDer<'_> =
            params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone();
        let certificate = webpki::EndEntityCert::try_from(&der).unwrap();
        let expected = format!("C=US, O=Amazon, CN={long}");
        assert_eq!(super::name(certificate.issuer()), Some(expected));
    }

    proptest! {
        #[test]
        fn nothing_is_too_wild(der: Vec<u8>) {
            let text = name(&der).unwrap_or_default();
            prop_assert!(text.len() <= 8 * der.len());
        }
    }
}

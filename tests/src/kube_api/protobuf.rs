//! What `kubectl create serviceaccount` sends: Kubernetes' protobuf, of which a service account's names are read and nothing else.

use serde_json::{Value, json};

/// The media type.
pub const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// A ServiceAccount as JSON; `None` for other objects, and for one with fields that are not read.
pub fn service_account(body: &[u8]) -> Option<Value> {
    let unknown = fields(body.strip_prefix(b"k8s\0")?)?;
    let of_type = fields(bytes(&unknown, 1)?)?;
    if text(&of_type, 1)? != "v1" || text(&of_type, 2)? != "ServiceAccount" {
        return None;
    }
    let object = fields(bytes(&unknown, 2)?)?;
    let metadata = fields(bytes(&object, 1)?)?;
    // Empty fields are written as well: generateName, selfLink, uid, resourceVersion, generation, creationTimestamp.
    let is_read = |field: &(u64, Field<'_>)| {
        matches!(field, (1 | 3, Field::Bytes(_)) | (_, Field::Bytes([]) | Field::Number(0)))
    };
    if object.len() > 1 || !metadata.iter().all(is_read) {
        return None;
    }
    let mut account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": text(&metadata, 1)?}});
    if let Some(namespace) = text(&metadata, 3).filter(|namespace| !namespace.is_empty()) {
        account["metadata"]["namespace"] = json!(namespace);
    }
    Some(account)
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

fn bytes<'b>(fields: &[(u64, Field<'b>)], wanted: u64) -> Option<&'b [u8]> {
    fields.iter().find_map(|(number, value)| match value {
        Field::Bytes(bytes) if *number == wanted => Some(*bytes),
        _ => None,
    })
}

fn text<'b>(fields: &[(u64, Field<'b>)], wanted: u64) -> Option<&'b str> {
    std::str::from_utf8(bytes(fields, wanted)?).ok()
}

fn fields(mut rest: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let value = match tag & 7 {
            0 => Field::Number(varint(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (value, after) = rest.split_at_checked(length)?;
                rest = after;
                Field::Bytes(value)
            }
            _ => return None,
        };
        found.push((tag >> 3, value));
    }
    Some(found)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As kubectl 1.32 sends it.
    fn sent(kind: &str, metadata: &[u8]) -> Vec<u8> {
        let field = |number: u8, value: &[u8]| {
            [&[number << 3 | 2, u8::try_from(value.len()).unwrap()], value].concat()
        };
        let of_type = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [b"k8s\0".to_vec(), field(1, &of_type), field(2, &field(1, metadata)), field(3, b""), field(4, b"")]
            .concat()
    }

    #[test]
    fn a_service_account_and_nothing_else() {
        let names = b"\x0a\x08checkout\x12\x00\x1a\x04shop\x42\x00";
        let account = service_account(&sent("ServiceAccount", names)).unwrap();
        assert_eq!(account["metadata"], json!({"name": "checkout", "namespace": "shop"}));
        assert_eq!(service_account(&sent("Secret", names)), None);
        let labelled = [&names[..], b"\x5a\x02\x0a\x00"].concat();
        assert_eq!(service_account(&sent("ServiceAccount", &labelled)), None);
        assert_eq!(service_account(b"{}"), None);
        assert_eq!(service_account(b"k8s\0\x0a\xff"), None);
    }
}

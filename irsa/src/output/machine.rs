//! JSON and YAML: the same value, `irsa/v1`, `docs/diagnosis.schema.json`.

use serde::Serialize;

use super::RenderError;
use crate::diagnosis::{API_VERSION, Diagnosis};
use crate::target::Kind;
use crate::text::safe;
use crate::text::yaml::Node;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'d> {
    api_version: &'static str,
    kind: &'static str,
    items: &'d [Diagnosis],
}

/// One object for a pod; a list for what may have several pods, however many it has, and for several targets.
fn plain_json(diagnoses: &[Diagnosis]) -> Result<String, serde_json::Error> {
    match diagnoses {
        [one] if one.target.kind == Kind::Pod.word() => serde_json::to_string_pretty(one),
        items => {
            serde_json::to_string_pretty(&List { api_version: API_VERSION, kind: "DiagnosisList", items })
        }
    }
}

pub(super) fn json(diagnoses: &[Diagnosis]) -> Result<String, RenderError> {
    Ok(safe::escape_in_strings(&plain_json(diagnoses)?) + "\n")
}

pub(super) fn yaml(diagnoses: &[Diagnosis]) -> Result<String, RenderError> {
    // By way of JSON, so that both hold the same value in the same order.
    let node: Node = serde_json::from_str(&plain_json(diagnoses)?)?;
    Ok(node.document()?)
}

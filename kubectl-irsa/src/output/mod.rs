//! Every form of the same diagnosis. Renders; decides nothing.

pub mod safe;

/// Form.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[allow(missing_docs)]
pub enum Format {
    Text,
    Short,
    Json,
    Yaml,
    Markdown,
}
/// How.
#[allow(missing_docs)]
pub struct Style {
    pub color: bool,
    pub width: usize,
    pub unicode: bool,
    pub verbose: u8,
}
/// Error.
#[derive(Debug, thiserror::Error)]
#[error("cannot print")]
pub struct RenderError;
/// Renders.
pub fn render(
    diagnoses: &[crate::diagnosis::Diagnosis],
    _: Format,
    _: &Style,
) -> Result<String, RenderError> {
    match diagnoses {
        [one] => serde_json::to_string_pretty(one),
        all => serde_json::to_string_pretty(all),
    }
    .map_err(|_| RenderError)
}

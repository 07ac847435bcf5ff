//! The output formats. They render a finished diagnosis and decide nothing: verdict, root cause and exit code are already fixed.

pub mod as_code;
pub mod catalogue;
mod diff;
pub mod explanation;
pub mod lint;
mod machine;
mod markdown;
pub mod page;
pub mod permissions;
mod place;
pub mod plan;
mod policy;
#[cfg(test)]
mod samples;
mod short;
mod style;
#[cfg(test)]
mod tests;
mod text;
pub mod trust;
mod words;

pub use style::Style;

use crate::diagnosis::Diagnosis;

/// The output formats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// For a person at a terminal.
    #[default]
    Text,
    /// One line, to paste into a chat.
    Short,
    /// For programs (docs/diagnosis.schema.json).
    Json,
    /// The same, as YAML.
    Yaml,
    /// For a ticket.
    Markdown,
}

impl Format {
    /// Every format, with its name on the command line and what it is for.
    pub const ALL: [(Self, &str, &str); 5] = [
        (Self::Text, "text", "For a person at a terminal"),
        (Self::Short, "short", "One line, to paste into a chat"),
        (Self::Json, "json", "For programs (docs/diagnosis.schema.json)"),
        (Self::Yaml, "yaml", "The same, as YAML"),
        (Self::Markdown, "markdown", "For a ticket"),
    ];
}

/// Prose in lines of that many columns: broken at spaces only, and not within backticks, which may hold a command.
pub fn wrapped(prose: &str, width: usize) -> String {
    style::wrap(prose, width, width, false).join("\n")
}

/// The answer could not be serialised.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// As JSON.
    #[error("the diagnosis cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// As YAML.
    #[error("the diagnosis cannot be written as YAML: {0}")]
    Yaml(#[from] serde_saphyr::ser::Error),
}

/// The whole answer as one text that ends in a newline; empty if there is nothing to say to a person.
pub fn render(diagnoses: &[Diagnosis], format: Format, style: &Style) -> Result<String, RenderError> {
    match format {
        Format::Text => Ok(text::render(diagnoses, style)),
        Format::Short => Ok(short::render(diagnoses, style)),
        Format::Markdown => Ok(markdown::render(diagnoses)),
        Format::Json => machine::json(diagnoses),
        Format::Yaml => machine::yaml(diagnoses),
    }
}

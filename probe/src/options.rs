//! How the plugin starts the probe.

use std::num::ParseIntError;
use std::path::PathBuf;

/// The probe's arguments. Not environment variables: the container's environment is a copy of the target's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `--budget`: how many bytes of the termination message are the probe's own.
    pub budget: usize,
    /// `--deadline`: the milliseconds after which the report is written, whatever is known by then.
    pub deadline: u64,
    /// `--container-id`: the target's container, without the runtime's prefix, when the pod's containers share one PID
    /// namespace. Else the target is the process with number 1.
    pub container_id: Option<String>,
    /// `--no-assume`: ask nobody for credentials.
    pub no_assume: bool,
    /// `--termination-log`: where the kubelet reads the termination message.
    pub termination_log: PathBuf,
    /// `--proc`: where procfs is mounted.
    pub proc: PathBuf,
}

/// What is wrong with the arguments.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UsageError {
    /// An argument that there is not.
    #[error("unknown argument {0}")]
    Unknown(String),
    /// An argument without its value.
    #[error("{0} needs a value")]
    NoValue(String),
    /// A number that is none.
    #[error("{0} needs a number: {1}")]
    NotANumber(String, ParseIntError),
}

impl Default for Options {
    fn default() -> Options {
        Options {
            budget: 1024,
            deadline: 15_000,
            container_id: None,
            no_assume: false,
            termination_log: "/dev/termination-log".into(),
            proc: "/proc".into(),
        }
    }
}

impl Options {
    /// Reads the arguments, without the program's name.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, UsageError> {
        let mut options = Options::default();
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| UsageError::NoValue(name.clone()));
            let number = |error| UsageError::NotANumber(name.clone(), error);
            match name.as_str() {
                "--budget" => options.budget = value()?.parse().map_err(number)?,
                "--deadline" => options.deadline = value()?.parse().map_err(number)?,
                "--container-id" => options.container_id = Some(value()?),
                "--no-assume" => options.no_assume = true,
                "--termination-log" => options.termination_log = value()?.into(),
                "--proc" => options.proc = value()?.into(),
                _ => return Err(UsageError::Unknown(name)),
            }
        }
        Ok(options)
    }

    /// The arguments that [`Options::parse`] reads as these options. What has the default value is left to the probe.
    pub fn to_args(&self) -> Vec<String> {
        let default = Options::default();
        let mut args = Vec::new();
        let mut push = |name: &str, value: String| args.extend([name.to_owned(), value]);
        push("--budget", self.budget.to_string());
        push("--deadline", self.deadline.to_string());
        if let Some(id) = &self.container_id {
            push("--container-id", id.clone());
        }
        if self.termination_log != default.termination_log {
            push("--termination-log", self.termination_log.display().to_string());
        }
        if self.proc != default.proc {
            push("--proc", self.proc.display().to_string());
        }
        if self.no_assume {
            args.push("--no-assume".into());
        }
        args
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let options = Options {
            budget: 3072,
            deadline: 9_000,
            container_id: Some("0123abcd".into()),
            no_assume: true,
            termination_log: "/tmp/log".into(),
            proc: "/tmp/proc".into(),
        };
        assert_eq!(Options::parse(options.to_args()), Ok(options));
        assert_eq!(Options::parse(Options::default().to_args()), Ok(Options::default()));
    }

    #[test]
    fn wrong_arguments_are_named() {
        let parse = |args: &[&str]| {
            Options::parse(args.iter().map(|&arg| arg.into())).map_err(|error| error.to_string())
        };
        assert_eq!(parse(&["--verbose"]), Err("unknown argument --verbose".into()));
        assert_eq!(parse(&["--budget"]), Err("--budget needs a value".into()));
        let error = parse(&["--budget", "many"]).unwrap_err();
        assert!(error.starts_with("--budget needs a number"), "{error}");
    }
}

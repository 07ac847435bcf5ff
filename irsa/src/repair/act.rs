//! A change, and the command that does it.

use super::{Change, Command};
use crate::derive::Derived;

/// What a step of a repair does: the command to paste, and the same as data where data can say it.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    pub(super) command: Command,
    pub(super) change: Option<Change>,
}

impl Act {
    /// A change; its command is made from it.
    pub fn of(derived: &Derived<'_>, change: impl Into<Change>) -> Self {
        let change = change.into();
        Self { command: change.command(derived), change: Some(change) }
    }

    /// A change whose command finds out by itself what the data would have to hold.
    pub fn by(command: Command, change: Option<Change>) -> Self {
        Self { command, change }
    }

    /// What only a command can do: it asks for an editor.
    pub fn only_by(command: Command) -> Self {
        Self { command, change: None }
    }

    /// What the reader has to do first, for the end of the title; empty if nothing.
    pub fn first(&self) -> &'static str {
        self.command.first()
    }
}

//! What can be seen without a word to anybody: processes and files.

pub mod jwt;
pub mod path;
pub mod process;
pub mod sdks;
pub mod shared_files;
pub mod token;

//! Worlds and fakes.

//! Records for the tests of this room.

use serde::{Deserialize, Serialize};

use super::Record;

/// A journalled record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) text: String,
}

/// A record that is not journalled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cached {
    pub(super) id: String,
    pub(super) text: String,
}

impl Kept {
    pub(super) fn new(id: &str, text: &str) -> Self {
        Self { id: id.to_owned(), text: text.to_owned() }
    }
}

impl Cached {
    pub(super) fn new(id: &str, text: &str) -> Self {
        Self { id: id.to_owned(), text: text.to_owned() }
    }
}

impl Record for Kept {
    const KIND: &'static str = "kept";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.id.clone()
    }
}

impl Record for Cached {
    const KIND: &'static str = "cached";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        self.id.clone()
    }
}

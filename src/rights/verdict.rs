//! What is decided, and why.

use serde::{Deserialize, Serialize};

use crate::base::{RecordingId, Timestamp};

/// May this operator use this recording here and now?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Decision {
    /// A chain of valid licences leads from the right holder to the operator.
    Licensed,
    /// Everything needed is known, and no chain leads to the operator.
    Unlicensed,
    /// Something needed is not known.
    Undetermined,
}

/// A decision with the question it answers and the reasons for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The answer.
    pub decision: Decision,
    /// Which recording was asked about.
    pub recording_id: RecordingId,
    /// Whose use was asked about: an operator's domain; `None` where not known.
    pub operator: Option<String>,
    /// Where: ISO 3166-1 alpha-2; `None` where not known.
    pub territory: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The proof trace: one sentence a step, in order.
    pub reasons: Vec<String>,
}

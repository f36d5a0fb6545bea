//! What is asked, what is decided, and why.

use serde::{Deserialize, Serialize};

use super::terms::Right;
use crate::base::{RecordingId, Timestamp};
use crate::catalog::Recording;

/// May this operator use this recording, in this place, at this instant, in this way?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The recording.
    pub recording: &'a Recording,
    /// The operator's domain, address or name as used in licences; `None` where not known.
    pub operator: Option<&'a str>,
    /// ISO 3166-1 alpha-2; `None` where not known.
    pub territory: Option<&'a str>,
    /// The instant of the use.
    pub at: Timestamp,
    /// The right that the use needs.
    pub right: Right,
}

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

impl Decision {
    /// Returns the word used in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Licensed => "LICENSED",
            Self::Unlicensed => "UNLICENSED",
            Self::Undetermined => "UNDETERMINED",
        }
    }
}

/// How one step of a walk through the licence graph came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The condition holds.
    Holds,
    /// The condition fails.
    Fails,
    /// What would decide the condition is not recorded.
    Unknown,
    /// A remark, no condition.
    Note,
}

/// One step of a walk through the licence graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// How deep in the walk, for indentation; 0 is outermost.
    pub depth: u8,
    /// How it came out.
    pub outcome: Outcome,
    /// The licence that the step is about, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence_id: Option<String>,
    /// One sentence, without a full stop.
    pub text: String,
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
    /// What decided, one sentence each: the links of the chain, the links that fail, or what is not known.
    pub reasons: Vec<String>,
    /// The whole proof trace, in the order of the walk.
    #[serde(default)]
    pub steps: Vec<Step>,
}

//! The words of a licence: rights, layers, states.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal $(| $alias:literal)*),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the word used in files and tables.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let folded = text.trim().to_lowercase().replace([' ', '-'], "_");
                match folded.as_str() {
                    $($word $(| $alias)* => Ok(Self::$variant),)+
                    _ => {
                        let known: Vec<&str> = Self::ALL.iter().map(|word| word.as_str()).collect();
                        let shown: String = text.trim().chars().take(40).collect();
                        Err(format!("`{shown}` is none of {}", known.join(", ")))
                    }
                }
            }
        }
    };
}

words! {
    /// A right that is granted.
    Right {
        /// Any communication to the public: holds making available.
        CommunicationToThePublic = "communication_to_the_public" | "communication_to_public" | "all",
        /// Making available on demand (network dissemination): holds streaming and download.
        #[default]
        MakingAvailable = "making_available" | "network_dissemination",
        /// On-demand streams.
        Streaming = "streaming" | "stream",
        /// Permanent copies for users.
        Download = "download",
        /// Use with moving pictures.
        Sync = "sync" | "synchronisation" | "synchronization",
        /// Making copies.
        Reproduction = "reproduction",
    }
}

impl Right {
    /// The right next above that holds this one.
    const fn parent(self) -> Option<Self> {
        match self {
            Self::Streaming | Self::Download => Some(Self::MakingAvailable),
            Self::MakingAvailable => Some(Self::CommunicationToThePublic),
            Self::CommunicationToThePublic | Self::Sync | Self::Reproduction => None,
        }
    }

    /// Whether this right holds all of `other`.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        let mut step = Some(other);
        while let Some(right) = step {
            if right == self {
                return true;
            }
            step = right.parent();
        }
        false
    }
}

words! {
    /// Whose right a licence is about: one track has three owners' (Copyright Law of China, Art. 44).
    Layer {
        /// The maker's right in the sound recording.
        #[default]
        Recording = "recording",
        /// The author's right in the music and words.
        Work = "work",
        /// The performer's right.
        Performance = "performance",
        /// The contract does not say.
        Unknown = "unknown",
    }
}

words! {
    /// Whether a licence is in force.
    Status {
        /// Signed and in force during its period.
        #[default]
        Active = "active",
        /// In force, but its exercise is suspended or disputed.
        Suspended = "suspended",
        /// Ended early, at `terminated_at`.
        Terminated = "terminated",
        /// Not signed yet.
        Draft = "draft",
    }
}

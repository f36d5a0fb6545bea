//! A bundle of evidence verified as anybody can, and held against what whoever asks knows of it.

use std::fs::File;

use super::app::App;
use super::fault::Fault;
use crate::base::Digest;
use crate::evidence::timestamp::{self, read_roots};
use crate::evidence::{self, Demands, PublicKey, Report};
use crate::scan::replay;
use crate::scan::worker::Decoder;

/// What a bundle is held against, beside what it says itself.
#[derive(Default)]
pub(super) struct Wanted {
    /// Who must have signed it.
    key: Option<PublicKey>,
    /// The Merkle root that it must have.
    root: Option<Digest>,
    /// Whether it must be the newest of its case that was made here.
    is_known: bool,
}

impl Wanted {
    /// Reads what somebody asks for: `key` (PEM), `root` (SHA-256 in hexadecimal), `known` (`yes`).
    ///
    /// # Errors
    /// [`Fault`] that names the field that is wrong.
    pub(super) fn of<'a>(field: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Fault> {
        let key = field("key").map(|text| PublicKey::from_pem(text, "key")).transpose();
        let root = field("root").map(|text| text.trim().parse::<Digest>()).transpose();
        let wanted = Self {
            key: key.map_err(|error| Fault::unfit(error.to_string()))?,
            root: root.map_err(|error| Fault::unfit(format!("root: {error}")))?,
            is_known: field("known") == Some("yes"),
        };
        if wanted.is_known && wanted.root.is_some() {
            return Err(Fault::unfit("root, known: one of them"));
        }
        Ok(wanted)
    }
}

/// Verifies a bundle. Takes seconds, with long media minutes.
///
/// # Errors
/// [`Fault`] where something of ours fails; what is wrong with the bundle stands in the report.
pub(super) fn verify(app: &App, bundle: &File, wanted: &Wanted) -> Result<Report, Fault> {
    let decoder = Decoder::of_this_program().map_err(|error| Fault::internal(&error))?;
    let roots =
        read_roots(&app.settings().evidence.timestamp_roots).map_err(|error| Fault::internal(&error))?;
    let judge = |token: &[u8], digest: &Digest| timestamp::told(token, digest, &roots);
    let engine = |rerun: &evidence::Rerun<'_>| replay(&decoder, rerun);
    let known = wanted.is_known.then(|| evidence::known_root(app.store(), bundle)).transpose()?;
    let demands = Demands {
        key: wanted.key.as_ref(),
        root: known.as_ref().or(wanted.root.as_ref()),
        stamp: (!roots.is_empty()).then_some(&judge as &evidence::StampCheck<'_>),
        replay: Some(&engine),
        listener: Some(&decoder),
    };
    Ok(evidence::verify(bundle, &demands))
}

//! Bundles of evidence: made, and verified as anybody can.

use super::documents::{folder, open_document};
use crate::base::{Digest, Timestamp};
use crate::cases::Case;
use crate::evidence::{self, Report, Sealed, signing_key};
use crate::scan::bundling::{Bundler, captures_of};
use crate::scan::match_options;
use crate::scan::stamping::Authority;
use crate::scan::worker::Decoder;
use crate::web::app::App;
use crate::web::fault::Fault;
use crate::web::verifying::{self, Wanted};

/// Makes the evidence bundle of a case.
///
/// # Errors
/// [`Fault`] that says why it cannot be made.
pub(in crate::web) fn make_bundle(app: &App, case: &Case, now: Timestamp) -> Result<Sealed, Fault> {
    let (settings, store) = (app.settings(), app.store());
    let decoder = Decoder::of_this_program().map_err(|error| Fault::internal(&error))?;
    let licences = app.desk.licences(store)?;
    let key = signing_key(store, now)?;
    let authority =
        Authority::configured(&settings, app.clock.as_ref()).map_err(|error| Fault::internal(&error))?;
    let stamp = authority.as_ref().map(|authority| |digest: &Digest| authority.stamp(digest));
    let bundler = Bundler {
        library: &app.library,
        decoder: &decoder,
        options: match_options(&settings),
        settings: &settings,
        licences: &licences,
        key: &key,
        stamp: stamp.as_ref().map(|stamp| stamp as &evidence::Stamp<'_>),
        now,
    };
    let captures = captures_of(store, case)?;
    let sealed = bundler
        .export(case, &captures, Vec::new(), &folder(app))
        .map_err(|error| Fault::unfit(format!("the bundle cannot be made: {error}")))?;
    if let Some(authority) = &authority {
        authority.keep_readings(store)?;
    }
    Ok(sealed)
}

/// Verifies a bundle that was made here, as anybody can.
///
/// # Errors
/// [`Fault`] where there is none of this name.
pub(in crate::web) fn verify_bundle(app: &App, name: &str) -> Result<Report, Fault> {
    if !name.ends_with(".wacz") {
        return Err(Fault::not_found("there is no such bundle"));
    }
    let file = open_document(app, name)?;
    verifying::verify(app, &file, &Wanted::default())
}

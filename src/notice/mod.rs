//! Documents from cases: here are approved cases with their recordings, the sender's and the provider's details;
//! gives eight kinds of document in all their formats, or names everything that is missing. Nothing is sent, and
//! nothing is read but templates.
//!
//! - [`Form`], [`Document`], [`Format`]: the kinds of document, and what each is written as.
//! - [`group()`]: which cases go into one notice.
//! - [`compose`]: cases → [`Notice`], the data behind every document; [`Incomplete`] names what a form lacks.
//! - [`Templates`]: the wording and the look, built in or from a folder, checked.
//! - [`files`]: a notice → the bytes of its files.
//! - [`render_retraction`], [`acns_retraction`]: a letter and messages that take a notice back.
//! - [`also_known`]: which sites are of one provider.
//! - [`inert`]: text from outside without what could steer a terminal or turn a line around.

mod words;
mod form;
mod retraction;
mod data;
mod group;
mod complete;
mod compose;

mod error;
mod document;
mod template;
mod sample;

mod html;
mod fonts;
mod pdf;
mod docx;
mod list;
mod acns;
mod lumen;
mod google;
mod files;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;

#[cfg(test)]
mod tests;

pub use crate::base::inert;
pub use acns::{AcnsRetraction, acns_retraction};
pub use complete::Incomplete;
pub use compose::{CaseItem, NoticeInput, PageDetail, authority, compose};
pub use data::{AnnexItem, AnnexMatch, Attachment, LeftOut, Notice, Party, Provider, Signature, Site, Work};
pub use error::Error;
pub use files::{NoticeFile, files};
pub use form::{Document, Form, Format};
pub use group::{ADDRESSES_MAX, also_known, group};
pub use retraction::{Retraction, render_retraction};
pub use template::Templates;
pub use words::{Lang, alteration, probability, spans};

//! Earwitness finds unlicensed copies of licensed recordings, proves it, and writes the takedown notice.
//!
//! The rooms, in the order of the data's way; a room may import only what `ARCHITECTURE.md` allows it,
//! which `tests/it/layers.rs` checks.

pub mod base;
pub mod config;
pub mod store;
pub mod net;
pub mod catalog;
pub mod rights;
pub mod audio;
pub mod fingerprint;
pub mod index;
pub mod matching;
pub mod crawl;
pub mod evidence;
pub mod cases;
pub mod notice;
pub mod scan;
pub mod schedule;
pub mod web;
pub mod cli;

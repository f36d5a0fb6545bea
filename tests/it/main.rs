//! All integration tests, in one binary: each link of this dependency tree costs seconds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod music;
mod servers;
mod support;

mod audio;
mod capture;
mod case_ways;
mod cases;
mod catalog;
mod check;
mod config;
mod crawl;
mod crawl_site;
mod demo;
mod desk;
mod evidence;
mod evidence_kill;
mod excerpts;
mod golden;
mod hostile_site;
mod identify;
mod index_kill;
mod kill;
mod known_host;
mod layers;
mod licence;
mod manners;
mod net;
mod notices;
mod notice_batches;
mod notice_readers;
mod readme;
mod render;
mod repository;
mod revisit;
mod rights_information;
mod store;
mod stream;
mod timestamp;

//! Qijin (七进): a legal-publicity Q&A bot for township justice offices.
//!
//! The house, from the ground up. A module imports only from floors below it.
//!
//! | floor | module | owns |
//! | --- | --- | --- |
//! | 1 | [`text`] | normalisation and segmentation of Chinese |
//! | 2 | [`knowledge`] | the library: model, loader, checker |
//! | 3 | [`search`] | index build, query, ranking, confidence |
//! | 4 | [`answer`] | from a question to a [`answer::Reply`] |
//! | 4 | [`journal`] | redaction, pseudonyms, store, durable inbox; alone knows SQL |
//! | 5 | [`desk`] | answer + journal, the only door for channels |
//! | 5 | [`insight`] | figures over the journal and the activities |
//! | 5 | [`ledger`] | activities as staff write them, in words and in Excel |
//! | 6 | [`config`] | configuration from file, environment and flags; changing the file |
//! | 6 | [`http`] | listening with limits |
//! | 6 | [`report`] | the figures of a period as Word, Excel and CSV; posters |
//! | 6 | [`doctor`] | what is configured, reachable and stale |
//! | 7 | [`telegram`], [`web`], [`cli`] | channels and faces |
//!
//! A question travels one way: channel → desk → answer → search → index,
//! and desk → journal. `ARCHITECTURE.md` lists the invariants.

pub mod answer;
pub mod cli;
pub mod config;
pub mod desk;
pub mod doctor;
pub mod http;
pub mod insight;
pub mod journal;
pub mod knowledge;
pub mod ledger;
pub mod report;
pub mod search;
pub mod telegram;
pub mod text;
pub mod web;

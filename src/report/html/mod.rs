//! The report as one page: sessions, timeline, ladder, findings, charts. It needs no other file and
//! no network, and its policy (CSP) lets it reach for none.

mod data;
mod page;

pub use page::page;
pub(in crate::report) use page::{COMMON_STYLE, DOM_SCRIPT, fill};

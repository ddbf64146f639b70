//! Results as one page: rows by section, columns by server, each cell with its exchange. It needs no
//! other file and no network.

mod data;
mod page;

pub use page::html;

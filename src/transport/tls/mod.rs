//! TLS 1.2 and 1.3, read with a key log.

mod cipher;
mod secrets;
mod suites;

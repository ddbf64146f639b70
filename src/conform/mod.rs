//! Conformance: cases, what runs them against a server, and what judges the answers.

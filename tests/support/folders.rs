//! Recordings that are not a part of this repository.

use std::path::{Path, PathBuf};

/// More recordings, in `recorded/` and `public/` below this folder: the one that
/// `RTMPSCOPE_RECORDINGS` names, or a `captures/` beside the checkout. `None`, loudly, when there is
/// none.
pub fn recordings() -> Option<PathBuf> {
    let whole = |folder: &PathBuf| folder.join("recorded").is_dir();
    let found = match std::env::var_os("RTMPSCOPE_RECORDINGS") {
        Some(folder) => Some(PathBuf::from(folder)).filter(whole),
        None => beside().into_iter().find(whole),
    };
    if found.is_none() {
        eprintln!("SKIPPED: no further recordings; RTMPSCOPE_RECORDINGS can name their folder");
    }
    found
}

fn beside() -> Vec<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let entries = above.and_then(|above| std::fs::read_dir(above).ok());
    let mut folders: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("captures")))
        .collect();
    folders.sort();
    folders
}

/// The captures in a folder, by name.
pub fn captures(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder of captures");
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".pcap") || name.ends_with(".cap"))
        .collect();
    names.sort();
    names
}

//! `--save-pcap`: a capture of each case that failed.

use std::fs::{File, create_dir_all};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::capture::PcapngWriter;
use crate::conform::packets;
use crate::conform::result::CaseResult;

/// Writes `area-slug.pcapng`; the comment on the section says which case it is and what was seen.
pub(super) fn save(dir: &Path, case: &CaseResult) -> Result<(), String> {
    let path = dir.join(format!("{}.pcapng", case.id.replace('/', "-")));
    let fail = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    create_dir_all(dir).map_err(fail)?;
    let out = BufWriter::new(File::create(&path).map_err(fail)?);
    let (name, text) = (case.verdict.name(), case.verdict.text());
    let comment = format!("{}: {}\n{name} {text}", case.id, case.says);
    let mut writer = PcapngWriter::with_comment(out, Some(&comment)).map_err(fail)?;
    writer.captured_on("rtmpscope check", None);
    for packet in packets(&case.transcripts) {
        writer.write(&packet).map_err(fail)?;
    }
    writer.finish().and_then(|mut out| out.flush()).map_err(fail)
}

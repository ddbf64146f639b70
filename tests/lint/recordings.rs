//! The recordings of clean sessions give nothing that is not explained.

use rtmpscope::lint::Severity;

use crate::support::lint::{Sample, findings};

/// Recordings in which nothing went wrong.
const CLEAN: &[&str] = &["ffmpeg_publish_nginx.pcap", "obs_publish_nginx.pcap"];

/// Warnings that the recording's sheet explains: (file, rule, why).
const EXPLAINED: &[(&str, &str, &str)] = &[];

#[test]
fn clean_recordings_have_no_unexplained_finding() {
    let mut wrong = Vec::new();
    for name in CLEAN {
        for finding in findings(Sample::File(name)) {
            let explained =
                EXPLAINED.iter().any(|(file, rule, _)| file == name && *rule == finding.id());
            if finding.severity > Severity::Note && !explained {
                let words = finding.message.plain();
                wrong.push(format!("{name}: {} {words}", finding.id()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! Numbers in words.

/// A time span as people say it: `0.6 ms`, `340 ms`, `12 s`, `4 min 10 s`.
pub(in crate::lint) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 0.0001 {
        "less than 0.1 ms".into()
    } else if seconds < 0.01 {
        format!("{:.1} ms", seconds * 1000.0)
    } else if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1000.0)
    } else if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!("{:.0} min {:.0} s", (seconds / 60.0).floor(), seconds % 60.0)
    } else {
        format!("{:.0} h {:.0} min", (seconds / 3600.0).floor(), seconds % 3600.0 / 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_are_short() {
        let said: Vec<String> = [0.0006, 0.34, 4.26, 12.4, 250.0, 16777.0].map(span).into();
        assert_eq!(said, ["0.6 ms", "340 ms", "4.3 s", "12 s", "4 min 10 s", "4 h 40 min"]);
    }
}

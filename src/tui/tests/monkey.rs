//! Random keys, clicks and sizes.

use ratatui::layout::Position;

use super::drive::Drive;
use crate::tui::contract::Mouse;
use crate::tui::keymap::TABLE;

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

fn steps(name: &str, seed: u64, count: usize) {
    let mut random = Random(seed);
    let mut drive = Drive::open(name);
    drive.resize(80, 24);
    let keys: Vec<&str> = TABLE.iter().flat_map(|row| row.keys).copied().collect();
    let text: Vec<char> = "type==video && key \"é漢/(0x17".chars().collect();
    let mut log = Vec::new();
    let (mut width, mut height) = (80, 24);
    for step in 0..count {
        let what = match random.below(100) {
            0 => {
                (width, height) = (random.below(210) as u16, random.below(65) as u16);
                format!("resize {width}x{height}")
            }
            1..=4 => "mouse".into(),
            5..=20 => text[random.below(text.len())].to_string(),
            _ => keys[random.below(keys.len())].to_owned(),
        };
        log.push(what.clone());
        // Drawing is what costs: not after every key, as with a held key.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            if what.starts_with("resize") {
                drive.resize(width, height);
            } else if what == "mouse" {
                let at = |random: &mut Random| Position {
                    x: random.below(210) as u16,
                    y: random.below(65) as u16,
                };
                let (a, b) = (at(&mut random), at(&mut random));
                let mouse = match random.below(5) {
                    0 => Mouse::DoubleClick(a),
                    1 => Mouse::Drag { from: a, to: b },
                    2 => Mouse::Drop { from: a, to: b },
                    3 => Mouse::Wheel { at: a, lines: 3, zoom: random.below(2) == 0 },
                    _ => Mouse::Click(a),
                };
                drive.app.mouse(mouse, &drive.data);
            } else {
                let key = if what == " " { "space" } else { what.as_str() };
                drive.app.key(key.parse().unwrap(), &drive.data);
            }
            drive.app.tick(&drive.data, &mut drive.store);
            if step % 8 == 0 {
                drive.paint();
            }
        }));
        if outcome.is_err() {
            let from = log.len().saturating_sub(40);
            panic!("{name}, seed {seed}, step {step}: after {:?}", &log[from..]);
        }
    }
    // It still is what it was.
    drive.keys("esc esc esc esc 1");
    drive.resize(80, 24);
    assert!(drive.screen().contains("Sessions"), "{}", drive.screen());
}

#[test]
fn a_hundred_thousand_steps_do_not_end_it() {
    steps("connect_unknown_app_nginx.pcap", 1, 40_000);
    steps("derived_gap_acked_unseen.pcap", 2, 30_000);
    steps("rtmpdump_connect_with_conn_args_amf_nginx.pcap", 3, 30_000);
}

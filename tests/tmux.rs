//! The screens in a real terminal: `rtmpscope view` in tmux, driven by keys.

#![cfg(all(unix, feature = "tui"))]

use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A busy machine draws late; nothing here waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tmux server of its own, with the program in its one window.
struct Tmux {
    socket: String,
}

impl Tmux {
    /// Runs the program in a shell that goes on after it, in a terminal of 100x30.
    fn start(test: &str, environment: &str, arguments: &str) -> Option<Tmux> {
        if Command::new("tmux").arg("-V").output().is_err() {
            let why = "tmux is not installed: the screens are not tried in a terminal";
            assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{why}");
            eprintln!("{why}");
            return None;
        }
        let tmux = Tmux { socket: format!("rtmpscope-test-{test}-{}", std::process::id()) };
        let program = env!("CARGO_BIN_EXE_rtmpscope");
        let captures = concat!(env!("CARGO_MANIFEST_DIR"), "/captures");
        let line = format!(
            "cd {captures}; printf 'before\\n'; \
             env LC_ALL=C.UTF-8 RTMPSCOPE_CONFIG= XDG_CONFIG_HOME=/nonexistent {environment} \
             {program} {arguments}; printf 'left with %s\\n' $?; stty -a | tr ';' '\\n' | \
             grep -w -e icanon; exec cat"
        );
        let output = tmux.run(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "100",
            "-y",
            "30",
            "sh",
            "-c",
            &line,
        ]);
        assert!(output.status.success(), "{output:?}");
        Some(tmux)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.socket]).args(arguments).env_remove("TMUX");
        command.output().expect("run tmux")
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.run(&["capture-pane", "-p"]).stdout).into_owned()
    }

    fn keys(&self, keys: &[&str]) {
        for key in keys {
            self.run(&["send-keys", "--", key]);
        }
    }

    /// Waits until the screen holds all of the words.
    fn expect(&self, words: &[&str]) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if words.iter().all(|word| screen.contains(word)) {
                return screen;
            }
            assert!(start.elapsed() < PATIENCE, "no {words:?} on:\n{screen}");
            sleep(Duration::from_millis(30));
        }
    }

    /// Waits until the screen does not hold the words.
    fn expect_gone(&self, words: &str) {
        let start = Instant::now();
        while self.screen().contains(words) {
            assert!(start.elapsed() < PATIENCE, "still {words:?} on:\n{}", self.screen());
            sleep(Duration::from_millis(30));
        }
    }

    /// The process of the program.
    fn program(&self) -> String {
        let output = self.run(&["display-message", "-p", "#{pane_pid}"]);
        let shell = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let children = Command::new("pgrep").args(["-P", &shell, "rtmpscope"]).output();
        let children = children.expect("run pgrep").stdout;
        String::from_utf8_lossy(&children).trim().to_owned()
    }

    /// Whether the terminal is as it was: what stood there before, lines typed whole, and the way
    /// the program left.
    fn expect_restored(&self, left: &str) {
        let screen = self.expect(&["before", left, "icanon"]);
        assert!(!screen.contains("-icanon"), "{screen}");
        let alternate = self.run(&["display-message", "-p", "#{alternate_on} #{mouse_any_flag}"]);
        assert_eq!(String::from_utf8_lossy(&alternate.stdout).trim(), "0 0");
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

#[test]
fn every_screen_comes_up_and_the_terminal_comes_back() {
    let Some(tmux) = Tmux::start("screens", "", "view obs_publish_nginx.pcap") else { return };
    let screen = tmux.expect(&["747 msgs", "1 session", "<stream-1>", "publish"]);
    assert!(screen.contains("? help"), "{screen}");
    tmux.keys(&["Enter"]);
    tmux.expect(&["2 Timeline", "127.0.0.1:52946", "video", "audio"]);
    tmux.keys(&["3"]);
    tmux.expect(&["3 Ladder", "connect", "createStream"]);
    tmux.keys(&["4"]);
    tmux.expect(&["747 messages", "chunk size", "payload, 4 bytes"]);
    tmux.keys(&["j", "Enter", "j", "j"]);
    tmux.expect(&["command_name", "connect", "frame 12"]);
    tmux.keys(&["/"]);
    tmux.expect(&["no filter"]);
    tmux.keys(&["type==audio"]);
    tmux.expect(&["✓"]);
    tmux.keys(&["Enter"]);
    tmux.expect(&["of 747 messages", "filter type==audio"]);
    tmux.keys(&["?"]);
    tmux.expect(&["Help: type to find"]);
    tmux.keys(&["Escape"]);
    // A key right behind Escape would be one with Alt.
    tmux.expect_gone("Help: type to find");
    for (key, words) in
        [("5", "5 Media"), ("6", "6 Flow"), ("7", "7 Findings"), ("8", "8 TCP"), ("9", "9 Compare")]
    {
        tmux.keys(&[key]);
        tmux.expect(&[words]);
    }
    tmux.run(&["resize-window", "-x", "50", "-y", "15"]);
    tmux.expect(&["needs 60x20"]);
    tmux.run(&["resize-window", "-x", "100", "-y", "30"]);
    tmux.expect(&["9 Compare"]);
    tmux.keys(&["1", "q"]);
    tmux.expect_restored("left with 0");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let Some(tmux) = Tmux::start("signal", "", "view obs_publish_nginx.pcap") else { return };
    tmux.expect(&["747 msgs"]);
    let program = tmux.program();
    assert!(!program.is_empty());
    let killed = Command::new("kill").args(["-TERM", &program]).status().expect("run kill");
    assert!(killed.success());
    tmux.expect_restored("left with 0");
}

#[test]
#[cfg(debug_assertions)]
fn a_panic_gives_the_terminal_back() {
    let environment = "RTMPSCOPE_PANIC_KEY=f12";
    let Some(tmux) = Tmux::start("panic", environment, "view obs_publish_nginx.pcap") else {
        return;
    };
    tmux.expect(&["747 msgs"]);
    tmux.keys(&["F12"]);
    tmux.expect_restored("left with 101");
    tmux.expect(&["asked for by key"]);
}

#[test]
fn a_place_is_opened_by_the_command_line() {
    let place = "view obs_publish_nginx.pcap --screen messages --row 118 --filter type==audio";
    let Some(tmux) = Tmux::start("place", "", place) else { return };
    tmux.expect(&["4 Messages", "filter type==audio", "   118 "]);
    tmux.keys(&["Q"]);
    tmux.expect_restored("left with 0");
}

#[test]
fn a_growing_file_is_followed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let bytes =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/captures/obs_publish_nginx.pcap"))
            .expect("a capture");
    let path = dir.path().join("growing.pcap");
    let half = bytes.len() / 2;
    std::fs::write(&path, &bytes[..half]).expect("write");
    let arguments = format!("view --follow {}", path.display());
    let Some(tmux) = Tmux::start("follow", "", &arguments) else { return };
    let screen = tmux.expect(&["live ", " msgs", "<stream-1>"]);
    assert!(!screen.contains("747 msgs"), "{screen}");
    std::fs::write(&path, &bytes).expect("write");
    tmux.expect(&["747 msgs"]);
    tmux.keys(&["q"]);
    tmux.expect_restored("left with 0");
}

#[test]
fn a_capture_alone_opens_the_screens_on_a_terminal() {
    let Some(tmux) = Tmux::start("bare", "NO_COLOR=1", "obs_publish_nginx.pcap") else { return };
    tmux.expect(&["1 session", "747 msgs"]);
    tmux.keys(&["C-c"]);
    tmux.expect_restored("left with 0");
}

#[test]
fn without_a_terminal_it_says_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
        .args(["view", concat!(env!("CARGO_MANIFEST_DIR"), "/captures/obs_publish_nginx.pcap")])
        .output()
        .expect("run");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("rtmpscope dump"));
}

#[test]
fn the_configuration_is_printed_and_its_faults_named() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("config.toml");
    let config = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
            .arg("config")
            .args(arguments)
            .env("RTMPSCOPE_CONFIG", &path)
            .output()
            .expect("run")
    };
    let printed = config(&["--print"]);
    assert!(printed.status.success());
    std::fs::write(&path, &printed.stdout).expect("write");
    assert!(config(&[]).status.success());
    std::fs::write(&path, "[keys]\nquit = \"hyper-q\"\n").expect("write");
    let wrong = config(&[]);
    assert_eq!(wrong.status.code(), Some(2));
    let line = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(line.contains("config.toml, line 2") && line.contains("quit"), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}

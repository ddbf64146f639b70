#!/usr/bin/env python3
"""Pictures of the screens, taken from the real program.

Starts rtmpscope in a tmux server of its own, presses keys, waits until the screen says what it
must, and writes what the terminal shows as SVG. Usage: pictures.py PROGRAM OUTPUT_FOLDER
"""

import html
import re
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLUMNS, LINES = 120, 36
# Cell size in the picture, in pixels.
WIDTH, HEIGHT = 8.4, 18

# (file, arguments, keys, text that must be on the screen before the picture is taken)
PICTURES = [
    ("timeline", ["captures/obs_publish_nginx.pcap", "--screen", "timeline"], ["}"], "bitrate"),
    ("ladder", ["captures/ffmpeg_publish_nginx.pcap", "--screen", "ladder"], [], "createStream"),
    (
        "messages",
        ["captures/ffmpeg_publish_nginx.pcap", "--screen", "messages", "--row", "5"],
        ["Tab", "j", "j", "j", "j", "j", "j"],
        "connect",
    ),
    (
        "findings",
        ["captures/stall_zero_window_server_stopped_6s.pcap", "--screen", "findings"],
        [],
        "zero-window",
    ),
]

# The terminal's sixteen colours as the picture has them.
PALETTE = [
    "#1b1f27", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4",
    "#7f8694", "#ff8d96", "#b5e08f", "#ffd98f", "#8cc8ff", "#dd9af0", "#7fd3de", "#ffffff",
]
BACKGROUND, FOREGROUND = "#15181e", "#d6dae2"


class Tmux:
    """A tmux server that nobody else uses."""

    def __init__(self):
        self.name = f"rtmpscope-pictures-{time.monotonic_ns()}"

    def run(self, *args):
        command = ["tmux", "-L", self.name, "-f", "/dev/null", *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def start(self, argv):
        # The shell keeps the server alive until the picture is taken.
        self.run(
            "new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), "-s", "p",
            "-e", "TERM=tmux-256color", "-e", "LANG=C.UTF-8", "-e", "RTMPSCOPE_CONFIG=/dev/null",
            *argv,
        )

    def wait_for(self, text, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            screen = self.run("capture-pane", "-p", "-t", "p")
            if text in screen:
                return
            time.sleep(0.05)
        raise SystemExit(f"pictures: {text!r} did not appear; the screen was:\n{screen}")

    def settled(self):
        """The screen with colours, once it does not change any more."""
        before = None
        for _ in range(100):
            now = self.run("capture-pane", "-e", "-p", "-t", "p")
            if now == before:
                return now
            before = now
            time.sleep(0.15)
        return before

    def kill(self):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True)


def cells(text):
    return 2 if unicodedata.east_asian_width(text) in "WF" else 1


class Style:
    def __init__(self):
        self.reset()

    def reset(self):
        self.fg = self.bg = None
        self.bold = self.dim = self.underline = self.reverse = False

    def key(self):
        return (self.fg, self.bg, self.bold, self.dim, self.underline, self.reverse)

    def apply(self, codes):
        codes = list(codes)
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.reset()
            elif code == 1:
                self.bold = True
            elif code == 2:
                self.dim = True
            elif code == 4:
                self.underline = True
            elif code == 7:
                self.reverse = True
            elif code == 22:
                self.bold = self.dim = False
            elif code == 24:
                self.underline = False
            elif code == 27:
                self.reverse = False
            elif 30 <= code <= 37:
                self.fg = PALETTE[code - 30]
            elif 90 <= code <= 97:
                self.fg = PALETTE[code - 90 + 8]
            elif 40 <= code <= 47:
                self.bg = PALETTE[code - 40]
            elif 100 <= code <= 107:
                self.bg = PALETTE[code - 100 + 8]
            elif code in (38, 48) and len(codes) >= 2:
                colour = None
                if codes[0] == 5:
                    number = codes[1]
                    colour = PALETTE[number] if number < 16 else FOREGROUND
                    del codes[:2]
                elif codes[0] == 2 and len(codes) >= 4:
                    colour = "#%02x%02x%02x" % tuple(codes[1:4])
                    del codes[:4]
                if code == 38:
                    self.fg = colour
                else:
                    self.bg = colour
            elif code == 39:
                self.fg = None
            elif code == 49:
                self.bg = None


def runs(screen):
    """(line, column, text, style key) of every run of equal look."""
    style = Style()
    for y, line in enumerate(screen.rstrip("\n").split("\n")):
        x = 0
        for part in re.split(r"(\x1b\[[0-9;:]*m|\x0e|\x0f)", line):
            match = re.fullmatch(r"\x1b\[([0-9;:]*)m", part)
            if match:
                style.apply(int(code or 0) for code in re.split("[;:]", match.group(1)))
            elif part and part not in "\x0e\x0f":
                # Braille comes from another font, of another width: each kind in a run of its own.
                for piece in re.findall("[\u2800-\u28ff]+|[^\u2800-\u28ff]+", part):
                    yield y, x, piece, style.key()
                    x += sum(cells(char) for char in piece)


def svg(screen):
    width, height = COLUMNS * WIDTH + 24, LINES * HEIGHT + 24
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14">',
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
    ]
    for y, x, text, (fg, bg, bold, dim, underline, reverse) in runs(screen):
        fg, bg = fg or FOREGROUND, bg
        if reverse:
            fg, bg = bg or BACKGROUND, fg
        left, top = 12 + x * WIDTH, 12 + y * HEIGHT
        length = sum(cells(char) for char in text) * WIDTH
        if bg:
            out.append(
                f'<rect x="{left:.1f}" y="{top}" width="{length:.1f}" height="{HEIGHT}" fill="{bg}"/>'
            )
        if not text.strip():
            continue
        look = f' fill="{fg}"'
        look += ' font-weight="bold"' if bold else ""
        look += ' opacity="0.6"' if dim else ""
        look += ' text-decoration="underline"' if underline else ""
        # textLength keeps the columns whatever font the reader has.
        out.append(
            f'<text x="{left:.1f}" y="{top + 13.5}" xml:space="preserve" textLength="{length:.1f}" '
            f'lengthAdjust="spacingAndGlyphs"{look}>{html.escape(text)}</text>'
        )
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    program, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, arguments, keys, text in PICTURES:
        tmux = Tmux()
        try:
            arguments = [str(ROOT / a) if a.startswith("captures/") else a for a in arguments]
            tmux.start([str(program), "view", *arguments])
            tmux.wait_for(text)
            for key in keys:
                tmux.run("send-keys", "-t", "p", key)
                tmux.settled()
            (folder / f"{name}.svg").write_text(svg(tmux.settled()), encoding="utf-8")
            print(f"{folder / name}.svg")
        finally:
            tmux.kill()


if __name__ == "__main__":
    main()

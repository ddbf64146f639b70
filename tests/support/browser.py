"""Opens a report in headless Chromium and uses it as a person would.

    python3 browser.py REPORT.html SCREENSHOT_PREFIX

Prints one JSON object of what was seen; tests/report_html.rs judges it. It speaks the DevTools
protocol over pipes, so that it needs nothing but Python and Chromium.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 60


class Browser:
    def __init__(self):
        to_child, from_us = os.pipe()
        to_us, from_child = os.pipe()
        self.profile = tempfile.mkdtemp()
        arguments = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--no-first-run", "--disable-background-networking", "--disable-component-update",
                     "--remote-debugging-pipe", "--user-data-dir=" + self.profile, "about:blank"]
        # The browser reads commands from descriptor 3 and writes to 4.
        shell = ["sh", "-c", f'exec 3<&{to_child} 4>&{from_child} && exec "$@"', "sh", *arguments]
        self.process = subprocess.Popen(shell, pass_fds=(to_child, from_child), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.out = os.fdopen(from_us, "wb", buffering=0)
        self.inp = os.fdopen(to_us, "rb", buffering=0)
        self.buffer = b""
        self.number = 0
        self.session = None
        self.problems = []
        self.requests = []

    def read(self):
        while b"\0" not in self.buffer:
            part = self.inp.read(1 << 16)
            if not part:
                raise SystemExit("the browser ended")
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.out.write(json.dumps(message).encode() + b"\0")
        while True:
            reply = self.read()
            if reply.get("id") == self.number:
                if "error" in reply:
                    raise SystemExit(f"{method}: {reply['error']}")
                return reply["result"]
            self.event(reply)

    def event(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(params["exceptionDetails"])[:600])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.problems.append(json.dumps(params["args"])[:600])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    def attach(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(domain + ".enable")

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"{expression}: {json.dumps(result['exceptionDetails'])[:500]}")
        return result["result"].get("value")

    def wait(self, expression):
        until = time.monotonic() + PATIENCE
        while not self.value(expression):
            if time.monotonic() > until:
                raise SystemExit(f"never true: {expression}")
            time.sleep(0.02)

    def size(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.documentElement?.dataset.ready === 'true'")

    def key(self, key, code=0, text=None):
        down = {"type": "keyDown", "key": key, "windowsVirtualKeyCode": code}
        if text or len(key) == 1:
            down["text"] = text or key
        self.call("Input.dispatchKeyEvent", **down)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def picture(self, path, whole=True):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


WINDOW = "(() => { const d = document.getElementById('timeline').dataset; return [Number(d.from), Number(d.to)]; })()"


def span(window):
    return window[1] - window[0]


def use(browser, url, prefix):
    seen = {}
    browser.size(1280, 900)
    browser.open(url)
    whole = browser.value(WINDOW)
    seen["length"] = span(whole)

    # The wheel, in the middle of the timeline.
    browser.value("document.getElementById('timeline').scrollIntoView({block: 'center'})")
    box = browser.value("(() => { const r = document.getElementById('timeline').getBoundingClientRect();"
                        " return [r.left, r.top, r.width, r.height]; })()")
    x, y = box[0] + box[2] * 0.6, box[1] + box[3] * 0.4
    browser.mouse("mouseMoved", x, y)
    browser.mouse("mouseWheel", x, y, deltaX=0, deltaY=-240)
    browser.wait(f"Math.abs({WINDOW}[1] - {WINDOW}[0] - {span(whole)}) > 1e-9")
    seen["wheel"] = span(browser.value(WINDOW))

    # A drag selects.
    before = browser.value(WINDOW)
    browser.mouse("mousePressed", box[0] + box[2] * 0.4, y, button="left", buttons=1, clickCount=1)
    for step in (0.45, 0.5, 0.6):
        browser.mouse("mouseMoved", box[0] + box[2] * step, y, button="left", buttons=1)
    browser.mouse("mouseReleased", box[0] + box[2] * 0.6, y, button="left", clickCount=1)
    seen["drag"] = [span(before), span(browser.value(WINDOW))]

    # Keys: the timeline has the focus since it was clicked.
    seen["focus"] = browser.value("document.activeElement.id")
    browser.key("0")
    seen["all"] = span(browser.value(WINDOW))
    browser.key("+")
    seen["plus"] = span(browser.value(WINDOW))
    first = browser.value(WINDOW)
    browser.key("ArrowRight", 39)
    seen["pan"] = [first[0], browser.value(WINDOW)[0]]
    browser.key("-")
    browser.key("0")

    # The readout says what is under the pointer.
    browser.mouse("mouseMoved", box[0] + box[2] * 0.5, y)
    seen["readout"] = browser.value("document.querySelector('.readout').textContent")

    # A finding jumps to its evidence, by button and by key.
    seen["findings"] = browser.value("document.querySelectorAll('ul.findings > li').length")
    if seen["findings"]:
        browser.value("document.querySelector('#session ul.findings summary').click()")
        browser.wait("document.querySelector('#session .evidence') !== null")
        seen["before_jump"] = browser.value(WINDOW)
        browser.value("document.querySelector('#session .evidence').click()")
        seen["after_jump"] = browser.value(WINDOW)
        seen["finding_time"] = browser.value("current.timeline.findingAt(current.session.findings[0])")
        seen["cursor"] = browser.value("current.timeline.cursor")
        seen["jump_focus"] = browser.value("document.activeElement.id")
        seen["in_view"] = browser.value("(() => { const r = document.getElementById('timeline').getBoundingClientRect();"
                                        " return r.bottom > 0 && r.top < innerHeight; })()")
        seen["hash"] = browser.value("location.hash")
        seen["announced"] = browser.value("document.getElementById('announce').textContent")
        browser.key("0")
        browser.key("]")
        seen["key_finding"] = browser.value("current.timeline.active")

    # Sessions by keyboard.
    seen["sessions"] = browser.value("document.querySelectorAll('tr.pick').length")
    if seen["sessions"] > 1:
        browser.value("document.querySelector('.pick-button').focus()")
        browser.key("ArrowDown", 40)
        seen["second"] = browser.value("document.querySelector('tr[aria-current=true]').id")

    # What has no name cannot be used without seeing it.
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    controls = [n for n in tree if n.get("role", {}).get("value") in ("button", "link", "image", "application", "table")
                and not n.get("ignored")]
    seen["controls"] = len(controls)
    seen["nameless"] = [n["role"]["value"] for n in controls
                        if n["role"]["value"] != "table" and not n.get("name", {}).get("value")]

    for name, width, height, dark in (("1280", 1280, 900, False), ("1280-dark", 1280, 900, True),
                                      ("400", 400, 800, False), ("400-dark", 400, 800, True)):
        browser.size(width, height, dark)
        browser.call("Page.navigate", url="about:blank")
        browser.open(url)
        seen["overflow-" + name] = browser.value("document.documentElement.scrollWidth - innerWidth")
        browser.picture(f"{prefix}-{name}.png")
    seen["problems"] = browser.problems
    seen["requests"] = [url for url in browser.requests if not url.startswith(("file:", "data:", "about:"))]
    seen["loaded"] = sorted(set(url.split(":")[0] for url in browser.requests))
    return seen


def main():
    if not CHROMIUM:
        raise SystemExit("no chromium")
    browser = Browser()
    try:
        browser.attach()
        url = "file://" + os.path.abspath(sys.argv[1])
        print(json.dumps(use(browser, url, sys.argv[2])))
    finally:
        browser.close()


if __name__ == "__main__":
    main()

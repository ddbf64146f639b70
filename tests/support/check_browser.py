"""Opens a page of `check --format html` in headless Chromium and uses it as a person would.

    python3 check_browser.py PAGE.html SCREENSHOT_PREFIX

Prints one JSON object of what was seen; tests/check_report.rs judges it.
"""

import json
import os
import sys

import browser as base

SHOWN = "document.querySelectorAll('table.matrix tbody:not([hidden]) tr:not([hidden]):not(.place)').length"
FOCUS = "document.activeElement.getAttribute('aria-label')"
OPEN = "document.getElementById('detail').open"
# The event that gives the focus back comes after the dialog is closed; it clears the address.
CLOSED = "location.hash === '' && !" + OPEN
TITLE = "document.getElementById('detail-title')?.textContent"


def use(browser, url, prefix):
    seen = {}
    browser.size(1280, 900)
    browser.open(url)
    seen["rows"] = browser.value(SHOWN)
    seen["columns"] = browser.value("document.querySelectorAll('table.matrix thead th').length - 1")
    seen["places"] = browser.value("[...document.querySelectorAll('tr.place th')].map((n) => n.firstChild.textContent)")

    # A cell opens its exchange by the mouse.
    box = browser.value("(() => { const b = document.querySelector('button.cell'); b.scrollIntoView({block: 'center'});"
                        " const r = b.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()")
    browser.mouse("mousePressed", *box, button="left", buttons=1, clickCount=1)
    browser.mouse("mouseReleased", *box, button="left", clickCount=1)
    seen["opened"] = browser.value(OPEN)
    seen["title"] = browser.value(TITLE)
    seen["lines"] = browser.value("[...document.querySelectorAll('#detail .ladder li')].map((n) => n.textContent)")
    seen["hash"] = browser.value("location.hash")
    seen["announced"] = browser.value("document.getElementById('announce').textContent")
    browser.picture(f"{prefix}-detail.png", whole=False)

    # The next case, then back to the table: the focus is on the cell that was left.
    browser.key("ArrowRight", 39)
    seen["second"] = browser.value(TITLE)
    browser.key("Escape", 27)
    browser.wait(CLOSED)
    seen["left"] = browser.value(FOCUS)

    # By keyboard only.
    browser.key("Home", 36)
    seen["home"] = browser.value(FOCUS)
    browser.key("ArrowDown", 40)
    seen["down"] = browser.value(FOCUS)
    browser.key("ArrowRight", 39)
    seen["right"] = browser.value(FOCUS)
    browser.key("Enter", 13, text="\r")
    seen["entered"] = browser.value(OPEN)
    browser.key("Escape", 27)
    browser.wait(CLOSED)
    seen["tab_stops"] = browser.value("document.querySelectorAll(\"button.cell[tabindex='0']\").length")

    # The filter.
    browser.value("document.getElementById('text').focus()")
    for letter in "nonsense":
        browser.key(letter)
    seen["nothing"] = browser.value(SHOWN)
    seen["told"] = browser.value("!document.getElementById('nothing').hidden")
    browser.value("(() => { const t = document.getElementById('text'); t.value = ''; t.dispatchEvent(new Event('input')); })()")
    seen["again"] = browser.value(SHOWN)
    seen["verdicts"] = {}
    for verdict in browser.value("[...document.querySelectorAll('button.toggle[data-verdict]')].map((n) => n.dataset.verdict)"):
        button = f"document.querySelector('[data-verdict={verdict}]')"
        browser.value(button + ".click()")
        seen["verdicts"][verdict] = [browser.value(SHOWN), browser.value(
            "[...document.querySelectorAll('tr:not([hidden]) button.cell')].map((n) => n.querySelector('.chip').textContent)")]
        browser.value(button + ".click()")
    browser.value("(() => { const s = document.getElementById('level'); s.value = 'should'; s.dispatchEvent(new Event('change')); })()")
    seen["should"] = browser.value(SHOWN)
    browser.value("(() => { const s = document.getElementById('level'); s.value = ''; s.dispatchEvent(new Event('change')); })()")
    browser.value("document.getElementById('only-unexpected').click()")
    seen["unexpected"] = browser.value(SHOWN)
    browser.value("document.getElementById('only-unexpected').click()")
    if browser.value("document.getElementById('only-differs') !== null"):
        browser.value("document.getElementById('only-differs').click()")
        seen["differs"] = browser.value(SHOWN)

    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "link", "checkbox", "combobox", "searchbox", "grid", "dialog")
    controls = [n for n in tree if n.get("role", {}).get("value") in roles and not n.get("ignored")]
    seen["controls"] = len(controls)
    seen["nameless"] = [n["role"]["value"] for n in controls if not n.get("name", {}).get("value")]

    # The address of a cell opens it.
    browser.call("Page.navigate", url="about:blank")
    browser.open(url + seen["hash"])
    seen["linked"] = browser.value(TITLE)

    for name, width, height, dark in (("1280", 1280, 900, False), ("1280-dark", 1280, 900, True),
                                      ("400", 400, 800, False), ("400-dark", 400, 800, True)):
        browser.size(width, height, dark)
        browser.call("Page.navigate", url="about:blank")
        browser.open(url)
        seen["overflow-" + name] = browser.value("document.documentElement.scrollWidth - innerWidth")
        browser.picture(f"{prefix}-{name}.png")
        browser.value("document.querySelectorAll('button.cell')[1].click()")
        seen["detail-overflow-" + name] = browser.value(
            "(() => { const d = document.getElementById('detail'); return d.scrollWidth - d.clientWidth; })()")
        browser.picture(f"{prefix}-{name}-detail.png", whole=False)
    seen["problems"] = browser.problems
    seen["requests"] = [url for url in browser.requests if not url.startswith(("file:", "data:", "about:"))]
    return seen


def main():
    if not base.CHROMIUM:
        raise SystemExit("no chromium")
    browser = base.Browser()
    try:
        browser.attach()
        url = "file://" + os.path.abspath(sys.argv[1])
        print(json.dumps(use(browser, url, sys.argv[2])))
    finally:
        browser.close()


main()

"""Opens a page in headless Chromium, as a phone and as a desk, light and dark, and prints as JSON what it did.

    python check_page.py FILE

Of each view: the charts by their names with how many marks each draws, how far the page is wider than its window, the requests that
were made beside the page itself, dialogs, and whether any script changed the page's title.
"""

import json
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

VIEWS = {
    "phone": {"viewport": {"width": 360, "height": 740}, "color_scheme": "light"},
    "desk": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}
# What Chromium is called; `make chromium` looks for the same.
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
# Without these, Chromium looks for its own hosts.
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def look(browser, file: Path, view: dict) -> dict:
    page = browser.new_context(**view).new_page()
    requests, dialogs = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(file.as_uri())
    page.wait_for_load_state("networkidle")
    charts = {}
    for chart in page.locator(".chart").all():
        marks = [mark.bounding_box() for mark in chart.locator("rect, .bar").all()]
        # Not drawn is what has no extent.
        charts[chart.get_attribute("aria-label")] = sum(1 for box in marks if box and box["width"] > 0 and box["height"] > 0)
    # The page's own rules forbid scripts; a browser's tools may still look.
    background, width, window = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, document.documentElement.scrollWidth, window.innerWidth]"
    )
    return {
        "title": page.title(),
        "charts": charts,
        "too_wide": max(width - window, 0),
        "background": background,
        "requests": [url for url in requests if url != file.as_uri()],
        "dialogs": dialogs,
    }


def main(path: str) -> None:
    file = Path(path).resolve()
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not chromium:
        sys.exit("error: chromium is missing, in which the page is opened: install it (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        found = {name: look(browser, file, view) for name, view in VIEWS.items()}
        browser.close()
    json.dump(found, sys.stdout, ensure_ascii=False)


main(sys.argv[1])

#!/usr/bin/env python3
"""Opens a page of `fabricsim report` in headless Chromium and does what a reader would do.

    tests/browser/check.py report.html [SCREENSHOTS]

The table is held against results.csv where that lies beside the page, and all of them against what the script draws.
Skipped, with a word, where there is no Chromium (Debian: apt-get install chromium). With a folder, screenshots in
light, dark and narrow and the page as printed are left there to be looked at.
"""

import csv
import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def main():
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        print("skipped: there is no Chromium")
        return
    page = pathlib.Path(sys.argv[1])
    script = pathlib.Path(__file__).with_name("check.js").read_text()
    text = page.read_text()
    results = page.with_name("results.csv")
    if results.exists():
        rows = json.dumps(list(csv.DictReader(open(results)))).replace("<", "\\u003c")
        script = f"window.csvRows = {rows};\n" + script
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def run(name, text, *options):
            file = folder / name
            file.write_text(text)
            command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                       f"--user-data-dir={folder}/profile", "--virtual-time-budget=8000", "--enable-logging=stderr",
                       *options, f"file://{file}"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=180)
            spoken = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
            assert not spoken, "\n".join(spoken)
            return done.stdout

        dom = run("checked.html", text.replace("</body>", f"<script>{script}</script></body>"), "--dump-dom")
        told = re.search(r'<pre id="checked">(.*?)</pre>', dom, re.S)
        assert told, "the script did not come to its end"
        print(html.unescape(told.group(1)))
        if len(sys.argv) > 2:
            target = pathlib.Path(sys.argv[2])
            target.mkdir(parents=True, exist_ok=True)
            dark = text.replace("<html ", '<html data-theme="dark" ', 1)
            run("light.html", text, f"--screenshot={target}/light.png", "--window-size=1280,4200")
            run("dark.html", dark, f"--screenshot={target}/dark.png", "--window-size=1280,4200")
            run("narrow.html", text, f"--screenshot={target}/narrow.png", "--window-size=500,5600")
            run("print.html", text, f"--print-to-pdf={target}/print.pdf")
        sys.exit(told.group(1) != "nothing wrong")


if __name__ == "__main__":
    main()

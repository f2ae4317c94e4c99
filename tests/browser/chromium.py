"""The Chromium that browser tests drive: the system's, Debian's, or Playwright's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """Path of a Chromium, or None if only an installation would bring one."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    on_path = next((p for p in map(shutil.which, NAMES) if p), None)
    if on_path:
        return on_path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def install() -> str:
    """Find a Chromium, installing Debian's package where root, else Playwright's build."""
    found = find()
    if found is None:
        script = Path(__file__).parents[1] / "apt_install.sh"
        debian = subprocess.run(["sh", str(script), "chromium", "fonts-dejavu-core"], check=False)
        if debian.returncode:
            subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
        found = find()
    if found is None:
        raise SystemExit("No Chromium was found or installed. Set CHROMIUM to the path of one.")
    return found


if __name__ == "__main__":
    print("Chromium:", install())

"""Time, memory and sizes of the page and the PDF that `explain.py` writes of a long recording.

The recordings are those of `benchmarks.long.speed`. How long a browser takes to open the page is measured in
headless Chromium, from the navigation to the end of the load event: overview and first strip are drawn then.
"""

import argparse
import shutil
import statistics
from pathlib import Path

from benchmarks.long.speed import measure_recordings, run_script
from cnn_gap.system.exit_codes import run

#: How often a page is opened; the median counts.
OPENED = 5

COLUMNS = ("elapsed s", "processor s", "largest memory MB", "page MB", "opens in s", "PDF MB")


def main(arguments: list[str] | None = None) -> int:
    """Print a row for each recording."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long.pages", description=__doc__)
    print(measure_recordings(parser, arguments, [1, 24], COLUMNS, _measure))
    return 0


def _measure(model: Path, path: Path) -> tuple[float, ...]:
    """Return the values of `COLUMNS` of a recording."""
    page, report = path.with_suffix(".html"), path.with_suffix(".pdf")
    used = run_script("explain.py", model, path, f"--html={page}", f"--out={report}")
    page_mb, report_mb = (each.stat().st_size / 1e6 for each in (page, report))
    return *used, page_mb, _opening_s(page), report_mb


def _opening_s(page: Path) -> float:
    """Return how long Chromium takes to open a page, s."""
    from selenium import webdriver

    paths = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    if absent := [name for name, path in paths.items() if path is None]:
        raise SystemExit(f"{' and '.join(absent)} not found; on Debian: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = str(paths["chromium"])
    for flag in ("headless=new", "disable-gpu", "no-sandbox", "disable-dev-shm-usage", "window-size=1440,900"):
        options.add_argument(f"--{flag}")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(paths["chromedriver"])))
    times = []
    try:
        for _ in range(OPENED):
            driver.get(page.as_uri())
            script = "return performance.getEntriesByType('navigation')[0].loadEventEnd"
            times.append(driver.execute_script(script) / 1000)
    finally:
        driver.quit()
    return statistics.median(times)


if __name__ == "__main__":
    run(main)

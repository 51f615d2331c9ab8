"""Files, tests, public names and pages of the site exist if a page names them."""

import re
import runpy

import pytest
import yaml
from conftest import ROOT

import cnn_gap
from cnn_gap.commands.main import COMMANDS
from cnn_gap.io.registry import FORMATS
from cnn_gap.system.version import __version__

#: Pages about the present tree; research/ and the changelog are also about earlier trees.
PAGES = sorted(
    [page for page in ROOT.glob("*.md") if page.name != "CHANGELOG.md"]
    + [*(ROOT / "docs").rglob("*.md"), ROOT / "model/README.md"]
)

#: Paths of the repository in backticks.
_PATH = re.compile(r"`((?:cnn_gap|tests|docs|configs|research|benchmarks|examples|test_data)/[\w./-]+)`")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@pytest.fixture(scope="module")
def hooks():
    pytest.importorskip("mkdocs")
    return runpy.run_path(str(ROOT / "docs/hooks.py"))


@each_page
def test_files_that_are_named_exist(page):
    missing = [path for path in _PATH.findall(page.read_text()) if not list(ROOT.glob(f"{path}*"))]
    assert not missing


@each_page
def test_files_that_are_linked_exist(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    missing = [link for link in links if "{{" not in link and not (page.parent / link).exists()]
    assert not missing


@each_page
def test_tests_that_are_named_exist(page):
    named = re.findall(r"`(test_[a-z_]+)`", page.read_text())
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py")) if named else ""
    assert [name for name in named if f"def {name}(" not in tests and not (ROOT / name).exists()] == []


def test_every_public_name_is_in_the_reference():
    listed = re.findall(
        r"^::: cnn_gap\.(?:\w+\.)*(\w+)$", (ROOT / "docs/reference/api.md").read_text(), re.MULTILINE
    )
    assert set(cnn_gap.__all__) - {"__version__"} <= set(listed)


def test_every_option_is_in_the_reference(hooks):
    lines = "\n".join(hooks["command_reference"]())
    assert all(f"## {command.name}\n" in lines for command in COMMANDS)
    assert "--thresholds-only" in lines and "at most 7" in lines


def test_every_setting_is_in_the_reference(hooks):
    lines = "\n".join(hooks["configuration_reference"]())
    assert "| `oversampling_share` |" in lines and "## [preprocessing]" in lines
    assert "| `focus` |" in lines and "| `0.5` |" in lines.split("| `focus` |")[1].split("\n")[0]


def test_every_format_is_in_the_table(hooks):
    lines = "\n".join(hooks["GENERATED"]["formats"]())
    assert all(f"| {form.name} | " in lines for form in FORMATS) and ".dcm" in lines


def test_links_of_the_repository_become_links_of_the_site(hooks):
    links = hooks["site_links"]
    assert links("[how](docs/how-to/labels.md#a)", "project/architecture.md") == "[how](../how-to/labels.md#a)"
    assert links("[card](../../model/README.md)", "results/index.md") == "[card](card-ptbxl-100hz.md)"
    assert links("[the code](../../driver.py)", "how-to/labels.md") == "the code"
    assert links("![a](images/sheet.png)", "index.md") == "![a](images/sheet.png)"


def test_every_page_is_in_the_navigation(hooks):
    navigation = (ROOT / "mkdocs.yml").read_text().split("nav:")[1]
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    expected = (pages | set(hooks["OUTSIDE"].values())) - {"results/template.md"}
    assert [page for page in sorted(expected) if page not in navigation] == []


def test_the_release_is_named_alike_everywhere():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == __version__
    assert f"## {__version__}, {cited['date-released']}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_issue_templates_ask_for_version_and_format():
    for name in ("record", "fault"):
        fields = yaml.safe_load((ROOT / f".github/ISSUE_TEMPLATE/{name}.yml").read_text())["body"]
        assert {"version", "format"} <= {field.get("id") for field in fields}

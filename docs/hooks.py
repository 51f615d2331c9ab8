"""Additions to mkdocs: pages that are made from the code, and pages that lie outside of docs/."""

import argparse
import dataclasses
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from cnn_gap.commands.command import Command
from cnn_gap.commands.main import COMMANDS
from cnn_gap.io.registry import FORMATS
from cnn_gap.training.config import DEFAULT_CONFIG, Config, read_config

ROOT = Path(__file__).parents[1]

#: Pages of the site that lie outside of docs/: their path in the repository, and their path in the site.
OUTSIDE = {
    "ARCHITECTURE.md": "project/architecture.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
    "model/README.md": "results/card-ptbxl-100hz.md",
    "models/ptbxl-100hz-focused/README.md": "results/card-ptbxl-100hz-focused.md",
    **{f"research/{path.name}": f"research/{path.name}" for path in sorted((ROOT / "research").glob("*.md"))},
}

#: A link or an image whose target is a file: `!`, text, target, anchor.
_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside of docs/."""
    for place, target in OUTSIDE.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / place)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in the generated parts, and turn links between files of the repository into links of the site."""
    for mark, generate in GENERATED.items():
        if f"<!-- generated: {mark} -->" in markdown:
            markdown = markdown.replace(f"<!-- generated: {mark} -->", "\n".join(generate()))
    return site_links(markdown, page.file.src_uri)


def site_links(markdown: str, uri: str) -> str:
    """Return a page's Markdown with the links of the site; a link to a file that is no page becomes its text.

    Parameters
    ----------
    markdown : str
    uri : str
        The page's place in the site, such as "project/architecture.md".
    """
    places = {target: place for place, target in OUTSIDE.items()}
    folder = posixpath.dirname(places.get(uri, f"docs/{uri}"))

    def replace(match: re.Match[str]) -> str:
        image, text, link, anchor = match.groups("")
        place = posixpath.normpath(posixpath.join(folder, link))
        if place in OUTSIDE:
            target = OUTSIDE[place]
        elif place.startswith("docs/"):
            target = place.removeprefix("docs/")
        else:
            return text if (ROOT / place).exists() else match[0]
        return f"{image}[{text}]({posixpath.relpath(target, posixpath.dirname(uri) or '.')}{anchor})"

    return _LINK.sub(replace, markdown)


def format_reference() -> Iterator[str]:
    """Yield the lines of the table of formats."""
    yield from ("| format | files | read by | checked against |", "| --- | --- | --- | --- |")
    for form in FORMATS:
        files = ", ".join(f"`{suffix}`" for suffix in form.suffixes)
        sidecar = " with a sidecar" if form.needs == "sidecar" else ""
        yield f"| {form.name} | {files}{sidecar} | {form.read_by} | {form.checked_against} |"


def command_reference() -> Iterator[str]:
    """Yield the lines of every command's usage and options, as argparse has them."""
    for command in COMMANDS:
        yield from describe_command(command)


def describe_command(command: Command) -> Iterator[str]:
    """Yield the lines of a command's section."""
    parser = argparse.ArgumentParser(prog=f"cnn-gap {command.name}", add_help=False)
    command.prepare(parser, model_required=False)
    yield from (
        f"## {command.name}",
        "",
        command.description,
        "",
        "```text",
        parser.format_usage().strip(),
        "```",
        "",
    )
    yield from ("| argument | meaning |", "| --- | --- |")
    for action in parser._actions:
        about = (action.help or "") % (vars(action) | {"prog": parser.prog})
        yield f"| <code>{_cell(_spelling(action))}</code> | {_cell(about)} |"
    yield ""


def _spelling(action: argparse.Action) -> str:
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    takes_value = action.nargs != 0
    if not action.option_strings:
        return str(value)
    return f"{action.option_strings[-1]} {value}" if takes_value else action.option_strings[-1]


def configuration_reference() -> Iterator[str]:
    """Yield the lines of a table for each section of a configuration."""
    default = read_config(DEFAULT_CONFIG)
    for section in dataclasses.fields(Config):
        options = getattr(default, section.name)
        yield from (
            f"## [{section.name}]",
            "",
            "| key | meaning | default | default.toml |",
            "| --- | --- | --- | --- |",
        )
        yield from describe_options(type(options), options)
        yield ""


def describe_options(kind: type, options: Any) -> Iterator[str]:
    """Yield a row for each option of a dataclass: its meaning by the docstring, its default, and its value."""
    meanings = dict(attribute_meanings(kind))
    for field in dataclasses.fields(kind):
        default = "required" if field.default is dataclasses.MISSING else _toml(field.default)
        value = getattr(options, field.name)
        used = "see the file" if field.name == "paths" else _toml(value)
        yield f"| `{field.name}` | {_cell(meanings[field.name])} | {default} | {used} |"


def attribute_meanings(kind: type) -> Iterator[tuple[str, str]]:
    """Yield the name and the description of each attribute in a class's docstring."""
    for section in griffe.Docstring(kind.__doc__ or "", parser="numpy").parse():
        if section.kind is griffe.DocstringSectionKind.attributes:
            for attribute in section.value:
                for name in attribute.name.split(","):
                    yield name.strip(), attribute.description


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{list(value)}`" if isinstance(value, tuple) else f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "&#124;").replace("<", "&lt;")


#: For each mark `<!-- generated: NAME -->`, the function that returns the text in its place.
GENERATED = {
    "commands": command_reference,
    "configuration": configuration_reference,
    "formats": format_reference,
}

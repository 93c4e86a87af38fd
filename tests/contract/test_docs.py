"""What the documents show works: configurations parse, commands exist, links lead somewhere."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path

import click
import pytest
import yaml

from assay.cli import COMMANDS
from assay.config import parse_config
from contract.files import CALLERS, ROOT, name_of
from contract.pages import command_named, subcommands

PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "template-repo/README.md",
    ]
)
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)(#[^)\s]*)?\)")
ANCHOR = re.compile(r"\[[^\]]*\]\(([^)\s#]*)#([^)\s]+)\)")


def blocks(path: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of a page in one of the languages, without their indentation."""
    found = []
    for indent, language, body in FENCE.findall(path.read_text(encoding="utf-8")):
        if language in languages:
            found.append("\n".join(line.removeprefix(indent) for line in body.splitlines()) + "\n")
    return found


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_configuration_shown_is_valid(path: Path) -> None:
    for body in blocks(path, "yaml"):
        if re.search(r"^version: 1$", body, re.MULTILINE) and "models:" in body:
            parse_config(body, file=name_of(path))


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_that_is_there(path: Path) -> None:
    for target, _ in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), target


def headings(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    found: Counter[str] = Counter()
    for title in re.findall(r"^#+ (.*)$", FENCE.sub("", path.read_text(encoding="utf-8")), re.M):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").lower()
        found[re.sub(r"[^\w\- ]", "", words).replace(" ", "-")] += 1
    return {f"{name}-{n}" if n else name for name, times in found.items() for n in range(times)}


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_link_into_a_page_leads_to_a_heading_of_it(path: Path) -> None:
    for target, anchor in ANCHOR.findall(path.read_text(encoding="utf-8")):
        page = path.parent / target if target else path
        if "://" not in target and page.suffix == ".md":
            assert anchor in headings(page), f"{target}#{anchor}"


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_command_shown_takes_the_options_shown(path: Path) -> None:
    for body in blocks(path, "sh", "bash", "console"):
        for line in body.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|\|?|;", line.split("  #")[0]):
                _check(part)


def _check(part: str) -> None:
    words = shlex.split(part, comments=True)
    if not words or Path(words[0]).name != "assay" or len(words) < 2:
        return
    if words[1].startswith("-"):
        assert words[1] in ("--version", "--help", "-h", "--debug"), part
        return
    assert words[1] in COMMANDS, part
    command = command_named(words[1])
    below = subcommands(command)
    if below:
        assert len(words) > 2, part
        assert words[2] in below, part
        command = below[words[2]]
    known = {
        name
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help", "-h"}
    used = {word.split("=")[0] for word in words[2:] if word.startswith("-")}
    assert used <= known, part


def test_the_workflow_in_the_readme_is_the_template_s() -> None:
    shown = [yaml.safe_load(body) for body in blocks(ROOT / "README.md", "yaml") if "jobs:" in body]
    callers = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in CALLERS]
    assert shown
    assert all(body in callers for body in shown)


def test_make_targets_shown_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in PAGES:
        for target in re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8")):
            assert target in targets, (name_of(path), target)


def test_every_command_of_the_readme_s_claims_names_a_file_that_is_there() -> None:
    for file in re.findall(r"`\.venv/bin/python (\S+\.py)`", (ROOT / "README.md").read_text()):
        assert (ROOT / file).is_file(), file

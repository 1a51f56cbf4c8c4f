"""The documents say what is there: their links resolve, and what a user can set or call is in them."""

import re

import pytest

from architecture.tree import ROOT, files, short

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(path):
    """Addresses of the headings of a page, as the usual renderers make them."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", files("*.md"), ids=short)
def test_every_link_leads_somewhere(path):
    broken = []
    for target in LINK.findall(FENCE.sub("", path.read_text())):
        address, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", address):
            continue
        page = (path.parent / address).resolve() if address else path
        if not page.exists() or (anchor and anchor not in anchors(page)):
            broken.append(target)
    assert not broken


def test_every_page_can_be_reached_from_the_index():
    docs = ROOT / "docs"
    reached, new = set(), {docs / "index.md"}
    while new:
        page = new.pop()
        reached.add(page)
        for target in LINK.findall(FENCE.sub("", page.read_text())):
            other = (page.parent / target.partition("#")[0]).resolve()
            if other.suffix == ".md" and other.is_file() and other not in reached:
                new.add(other)
    assert [short(page) for page in files("docs/*.md") if page not in reached] == []


def test_every_target_of_make_says_what_it_does():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split())
    assert targets == set(re.findall(r"^([a-z]+):.* ## \S", makefile, re.MULTILINE))

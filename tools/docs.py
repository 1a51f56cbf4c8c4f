"""Write the pages that are made from code: ``make docs``."""

from pathlib import Path

from headrace.app import settings

DOCS = Path(__file__).parents[1] / "docs"


def pages() -> dict[Path, str]:
    """Every page that is made, with its text."""
    return {DOCS / "settings.md": settings.documentation()}


if __name__ == "__main__":
    for page, content in pages().items():
        page.write_text(content)

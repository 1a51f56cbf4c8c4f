"""The picture itself: an SVG of our own, from fixed words only. Pure."""

import msgspec

from headrace.pipeline.status import BuildStatus

_GREEN, _RED, _BLUE, _GREY = "#2e7d32", "#c62828", "#1565c0", "#616161"
_LEFT = "build"
_SIGN, _PAD, _HEIGHT = 7, 8, 20  # pixels: of a sign, on each side of a word, of the whole


class Look(msgspec.Struct, frozen=True):
    """What a status is shown as."""

    word: str
    colour: str


UNKNOWN = Look("unknown", _GREY)
LOOKS = {
    BuildStatus.PENDING: Look("pending", _BLUE),
    BuildStatus.ELECTED: Look("pending", _BLUE),
    BuildStatus.DELAYED: Look("pending", _BLUE),
    BuildStatus.RUNNING: Look("running", _BLUE),
    BuildStatus.PENDING_APPROVAL: Look("waiting", _BLUE),
    BuildStatus.TERMINATING: Look("stopping", _GREY),
    BuildStatus.SUCCESS: Look("passing", _GREEN),
    BuildStatus.ERROR: Look("failing", _RED),
    BuildStatus.DENIED: Look("denied", _RED),
    BuildStatus.TERMINATED: Look("terminated", _GREY),
}


def draw(look: Look, *, rounded: bool) -> str:
    """Return the SVG of a look, 20 pixels high; square corners unless ``rounded``."""
    left, right = (2 * _PAD + _SIGN * len(word) for word in (_LEFT, look.word))
    whole, corner = left + right, _HEIGHT // 2 if rounded else 3
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{_HEIGHT}" role="img" '
        f'aria-label="{_LEFT}: {look.word}"><title>{_LEFT}: {look.word}</title>'
        f'<clipPath id="c"><rect width="{whole}" height="{_HEIGHT}" rx="{corner}"/></clipPath>'
        f'<g clip-path="url(#c)"><rect width="{left}" height="{_HEIGHT}" fill="#424242"/>'
        f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{look.colour}"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2:g}" y="14">{_LEFT}</text>'
        f'<text x="{left + right / 2:g}" y="14">{look.word}</text></g></svg>'
    )

"""Links to archives: whoever holds one may read the log of one build, for a while, without a key."""

from typing import Literal

import msgspec

from headrace.http.links import SignedLinks

LIFE_S = 15 * 60
ARCHIVES = SignedLinks("archive", life_s=LIFE_S, again="/api/progress/{id}")  # by progress id


class LogSettings(msgspec.Struct, frozen=True):
    """How clients that ask for the progress of a running build get its log."""

    transport: Literal["live", "hold"] = "live"

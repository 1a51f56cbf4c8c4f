"""Links to archives: whoever holds one may read the log of one build, for a while, without a key."""

import hmac
from typing import Literal

import msgspec

from headrace.http.errors import Forbidden
from headrace.kit.crypto import SecretBox
from headrace.kit.ids import is_id

LIFE_S = 15 * 60
_PURPOSE = "archive"


class LogSettings(msgspec.Struct, frozen=True):
    """How clients that ask for the progress of a running build get its log."""

    transport: Literal["live", "hold"] = "live"


def token_for(box: SecretBox, account_id: str, progress_id: str, *, now_s: int) -> str:
    """Return what the link to an archive carries: ``<expiry>.<account id>.<signature>``.

    Args:
        box: signs.
        account_id: of the build.
        progress_id: of the build.
        now_s: seconds since 1970; the link is good for `LIFE_S` from then on.
    """
    expiry_s = now_s + LIFE_S
    return f"{expiry_s}.{account_id}.{_signature(box, account_id, progress_id, expiry_s)}"


def account_of(box: SecretBox, token: str, progress_id: str, *, now_s: int) -> str:
    """Return the account whose build a link may read.

    Raises:
        Forbidden: the link was not made here, was made for another build, or has expired.
    """
    expiry, _, rest = token.partition(".")
    account_id, _, signature = rest.partition(".")
    well_formed = expiry.isascii() and expiry.isdigit() and is_id(account_id) and signature.isascii()
    if not well_formed or not hmac.compare_digest(
        _signature(box, account_id, progress_id, int(expiry[:20])), signature
    ):
        raise Forbidden("token is not the signature of this link; take the link from /api/progress/{id}")
    if int(expiry) < now_s:
        raise Forbidden("this link has expired; take a new one from /api/progress/{id}")
    return account_id


def _signature(box: SecretBox, account_id: str, progress_id: str, expiry_s: int) -> str:
    text = f"{account_id}/{progress_id}/{expiry_s}"
    return hmac.new(box.derive(_PURPOSE), text.encode(), "sha256").hexdigest()

"""Signed links: whoever holds one may read one thing, for a while, without a key."""

import hmac

from headrace.http.errors import Forbidden
from headrace.kit.crypto import SecretBox
from headrace.kit.ids import is_id

_MOST_DIGITS = 20  # of an end: Python reads no number of thousands of digits


class SignedLinks:
    """Makes and judges what links of one kind carry: ``<expiry>.<account id>.<signature>``.

    Args:
        purpose: of the links; those of one purpose are no good for another.
        life_s: seconds for which a link is good.
        again: where a new one is to be had, for the message of one that has expired.
    """

    def __init__(self, purpose: str, *, life_s: int, again: str) -> None:
        self.life_s = life_s
        self._purpose, self._again = purpose, again

    def token(self, box: SecretBox, account_id: str, subject: str, *, now_s: int) -> str:
        """Return what a link carries.

        Args:
            box: signs.
            account_id: whose thing it is.
            subject: what may be read, within the account.
            now_s: seconds since 1970.
        """
        expiry_s = now_s + self.life_s
        return f"{expiry_s}.{account_id}.{self._signature(box, account_id, subject, expiry_s)}"

    def account_of(self, box: SecretBox, token: str, subject: str, *, now_s: int) -> str:
        """Return the account whose thing a link may read.

        Raises:
            Forbidden: the link was not made here, was made for another subject, or has expired.
        """
        expiry, _, rest = token.partition(".")
        account_id, _, signature = rest.partition(".")
        is_number = expiry.isascii() and expiry.isdigit() and len(expiry) <= _MOST_DIGITS
        if not (is_number and is_id(account_id) and signature.isascii()) or not hmac.compare_digest(
            self._signature(box, account_id, subject, int(expiry)), signature
        ):
            raise Forbidden(f"token is not the signature of this link; take the link from {self._again}")
        if int(expiry) < now_s:
            raise Forbidden(f"this link has expired; take a new one from {self._again}")
        return account_id

    def _signature(self, box: SecretBox, account_id: str, subject: str, expiry_s: int) -> str:
        text = f"{account_id}/{subject}/{expiry_s}"
        return hmac.new(box.derive(self._purpose), text.encode(), "sha256").hexdigest()

"""Session tokens of people: JWTs, as existing clients expect them in ``x-access-token``.

Source: the client reads ``_id``, ``accountId`` and ``exp`` from the payload.
"""

from datetime import timedelta

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from headrace.kit.clock import SystemClock

_LIFETIME = timedelta(hours=12)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What a session token says; true only while the user's epoch is still this one."""

    user_id: str = msgspec.field(name="_id")
    account_id: str = msgspec.field(name="accountId")
    epoch: int
    exp: int  # seconds since 1970
    key_id: str | None = msgspec.field(name="keyId", default=None)  # dies with this API key
    kind: str = msgspec.field(name="acl-type", default="account")


class Sessions:
    """Issues and reads session tokens.

    Args:
        secret: 32 bytes, the same in all servers of an installation (`SecretBox.derive`).
        clock: says when a token has expired.
    """

    def __init__(self, secret: bytes, clock: SystemClock | None = None) -> None:
        self._key = OctKey.import_key(secret)
        self._clock = clock or SystemClock()

    def issue(self, *, user_id: str, account_id: str, epoch: int, key_id: str | None = None) -> str:
        """Return a token that is good for twelve hours.

        Args:
            user_id: who is logged in.
            account_id: where.
            epoch: the user's `session_epoch`; raising that ends all sessions.
            key_id: the API key that asked for the session, which then ends with the key.
        """
        expires = int((self._clock.now() + _LIFETIME).timestamp())
        session = Session(user_id=user_id, account_id=account_id, epoch=epoch, exp=expires, key_id=key_id)
        return jwt.encode({"alg": "HS256", "typ": "JWT"}, msgspec.to_builtins(session), self._key)

    def read(self, token: str) -> Session | None:
        """Return what a token says; None for one that is forged, damaged or expired."""
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
            session = msgspec.convert(claims, Session)
        except (JoseError, ValueError):  # msgspec's error is a ValueError
            return None
        return session if session.exp > self._clock.now().timestamp() else None

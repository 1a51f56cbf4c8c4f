"""Python client of the API: typed, synchronous, standard library only, quick to import.

``Client(url, key)`` has a method for every operation: ``client.pipelines.list(limit=25)``.
"""

from headrace.client.api import Client, RequestOptions
from headrace.client.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    NotOffered,
    ServerError,
    TimedOut,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)

__all__ = [
    "ApiError",
    "BadRequest",
    "Client",
    "Conflict",
    "Forbidden",
    "NotFound",
    "NotOffered",
    "RequestOptions",
    "ServerError",
    "TimedOut",
    "TooManyRequests",
    "Unauthorized",
    "Unreachable",
]

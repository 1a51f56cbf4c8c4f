"""What a call to the API can fail with; every message says what happened and is safe to print."""


class ApiError(Exception):
    """The server answered with an error status.

    Attributes:
        status: the HTTP status.
        message: the ``message`` of a JSON error body, else the body's text, else the status.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Unreachable(Exception):
    """No answer came after all attempts; says which server and why."""

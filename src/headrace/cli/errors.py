"""The one error that commands raise; printed as ``Error: …`` on stderr."""


class Refused(Exception):
    """The command cannot do what was asked; the message says why and what would be right."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Findings(Exception):
    """A file is not valid; the text is the server's findings, printed as they are on stderr."""

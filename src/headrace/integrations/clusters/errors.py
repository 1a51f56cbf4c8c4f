"""What goes wrong with a cluster."""


class ClusterRefused(Exception):
    """The cluster does not answer, or not as wished; the text says why, without secrets.

    Args:
        message: for people.
        status: the HTTP status of the cluster; 0 where there was no answer.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

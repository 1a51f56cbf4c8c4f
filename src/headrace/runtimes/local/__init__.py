"""Steps as processes of this machine, each in a private file view (bubblewrap).

For trusted pipelines, development and tests. `image:` is not pulled: the step says so.
"""

from headrace.runtimes.local.runtime import LocalRuntime, LocalSettings

__all__ = ["LocalRuntime", "LocalSettings"]

"""Commands of the official client that this one lacks, and what does their work here."""

_RUNNERS = "a server runs builds itself, and more workers are started with: headrace worker"
_CHARTS = "run helm or kubectl in a step of a pipeline; the type 'deploy' applies manifests to a cluster"
_PLATFORM = "there are no environments of the whole platform here; see: codefresh get runtime-environments"

ABSENT = {
    "assign": _PLATFORM,
    "attach": _RUNNERS,
    "components": "it has no parts to download",
    "delete-release": _CHARTS,
    "helm-promotion": _CHARTS,
    "install": _RUNNERS,
    "install-chart": _CHARTS,
    "offline-logs": "logs are files in the data folder of the server",
    "rollback-release": _CHARTS,
    "runner": _RUNNERS,
    "set-helm-config": _CHARTS,
    "test-release": _CHARTS,
    "unassign": _PLATFORM,
    "uninstall": _RUNNERS,
    "upgrade": _RUNNERS,
}

import base64
import gzip
import json

import pytest

from headrace.integrations.clusters import ClusterRefused
from headrace.integrations.clusters.releases import Release

RECORD = {"name": "shop", "version": 1, "info": {}, "chart": {"metadata": {"name": "shop"}}}


def packed(text):
    return base64.b64encode(base64.b64encode(gzip.compress(text))).decode()


def test_the_same_revision_is_packed_to_the_same_bytes():
    release = Release.read(packed(json.dumps(RECORD).encode()))
    assert release.archive() == release.archive()
    assert release.updated_at is None


def test_what_unpacks_to_more_than_memory_should_hold_is_refused():
    with pytest.raises(ClusterRefused, match="is not read"):
        Release.read(packed(bytes(40_000_000)))

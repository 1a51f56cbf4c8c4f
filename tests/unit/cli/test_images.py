"""``get images``, ``tag``, ``untag`` and the commands of registries."""

IMAGE = {"_id": "1", "internalImageId": "sha256:abcdef0123456789", "imageDisplayName": "acme/app", "tags": []}
CREATE = ("create", "registry", "standard", "rr", "--username", "u", "--password", "p", "--domain", "d")


def test_images_are_chosen_by_the_server(server, codefresh):
    server.answers["GET /api/images"] = {"docs": []}
    codefresh("get", "images", "--label", "a=b", "--tag", "1", "2", "--sha", "s", "--branch", "main", "-a")
    [line] = server.lines
    assert line.startswith("GET /api/images?limit=25&offset=0&")
    assert "imageRepo" not in line
    for part in ("metadata%5Ba%5D=b", "tag=1&tag=2", "sha=s", "branch=main"):
        assert part in line


def test_an_image_is_chosen_by_its_short_id(server, codefresh):
    server.answers["GET /api/images"] = {"docs": [IMAGE]}
    assert "acme/app" in codefresh("get", "images", "abcdef012345")[1]
    assert "no available resources" in codefresh("get", "images", "000000000000")[1]


def test_an_image_gets_and_loses_tags(server, codefresh):
    server.answers |= {"POST /api/images/i/tag/1.0": {}, "DELETE /api/images/i/tag/1.0": {}}
    assert codefresh("tag", "i", "1.0", "--registry", "r") == (0, "Image 'i' was tagged: 1.0\n", "")
    assert codefresh("untag", "i", "1.0") == (0, "Image 'i' was untagged: 1.0\n", "")
    assert server.lines == ["POST /api/images/i/tag/1.0?registry=r", "DELETE /api/images/i/tag/1.0"]


def test_a_registry_is_tried_then_created(server, codefresh):
    server.answers |= {"POST /api/registries/test": {}, "POST /api/registries": {}}
    assert codefresh(*CREATE) == (0, "Registry: rr created\n", "")
    body = {"username": "u", "password": "p", "domain": "d", "name": "rr", "behindFirewall": False}
    assert server.bodies("POST /api/registries") == [{**body, "provider": "other"}]
    assert server.bodies("POST /api/registries/test") == [{**body, "provider": "other"}]


def test_a_registry_behind_a_firewall_is_not_tried(server, codefresh):
    server.answers["POST /api/registries"] = {}
    assert codefresh(*CREATE, "--behind-firewall")[0] == 0
    assert server.lines == ["POST /api/registries"]


def test_a_registry_is_deleted(server, codefresh):
    server.answers["DELETE /api/registries/5"] = {}
    assert codefresh("delete", "registry", "5") == (0, "Registry '5' deleted.\n", "")

"""Compose documents: what is taken over, what earns a note, what is refused."""

import pytest

from headrace.pipeline.compose import CompositionRefused, Mount, read_composition


def read(services, **options):
    document = {"version": "3", "services": services}
    return read_composition(document, **({"variables": {}, "volume": "vol"} | options))


def one(body, **options):
    found = read({"db": {"image": "postgres"} | body}, **options)
    return found.services[0]


def refusal(services, **options):
    with pytest.raises(CompositionRefused) as refused:
        read(services, **options)
    return str(refused.value)


def test_services_may_stand_alone_without_a_document_around_them():
    found = read_composition({"db": {"image": "postgres"}}, variables={}, volume="vol")
    assert [service.image for service in found.services] == ["postgres"]


def test_services_start_after_those_that_they_depend_on():
    body = {"image": "a", "depends_on": {"db": {"condition": "service_healthy"}}}
    found = read({"web": body, "db": {"image": "b", "links": ["log"]}, "log": {"image": "c"}})
    assert [service.name for service in found.services] == ["log", "db", "web"]
    assert found.notes == (
        "service 'web': condition 'service_healthy' on 'db' is passed over; only the order is kept",
    )


def test_a_circle_is_refused():
    services = {"a": {"image": "x", "depends_on": ["b"]}, "b": {"image": "x", "depends_on": ["a"]}}
    assert refusal(services) == "services depend on each other in a circle: a, b"


@pytest.mark.parametrize(
    ("written", "words"),
    [("sh -c 'echo a b'", ("sh", "-c", "echo a b")), (["echo", 1], ("echo", "1"))],
)
def test_a_command_is_words(written, words):
    assert one({"command": written}).cmd == words


@pytest.mark.parametrize(
    "written", [{"A": 1, "B": True, "C": None}, ["A=1", "B=true", "C"]], ids=["map", "list"]
)
def test_an_environment_is_a_map_or_a_list(written):
    assert one({"environment": written}).environment == {"A": "1", "B": "true", "C": None}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$A-${A}", "1-1"),
        ("$$A", "$A"),
        ("${B:-x}${E:-y}${E-z}", "xy"),
        ("${A:+set}${B:+set}", "set"),
        ("$B", ""),
    ],
)
def test_variables_of_compose_are_filled_in(text, filled):
    assert one({"user": text}, variables={"A": "1", "E": ""}).user == filled


def test_a_needed_variable_that_is_missing_is_told():
    assert refusal({"db": {"image": "${TAG:?which one}"}}).startswith("variable 'TAG' is needed: which one")


@pytest.mark.parametrize(
    ("written", "mount"),
    [
        ("vol:/x", Mount(target="/x", shared="")),
        ("vol/sub:/x:rw", Mount(target="/x", shared="sub")),
        ("./data:/x", Mount(target="/x", shared="repo/data")),
        ("/codefresh/volume/a:/x", Mount(target="/x", shared="a")),
        ("kept:/x", Mount(target="/x", name="kept")),
        ("/x", Mount(target="/x")),
        ({"type": "volume", "source": "kept", "target": "/x"}, Mount(target="/x", name="kept")),
    ],
)
def test_volumes_are_those_of_the_build_and_of_the_composition(written, mount):
    assert one({"volumes": [written]}, folder="repo").mounts == (mount,)


@pytest.mark.parametrize("source", ["/var/run/docker.sock", "../../.."])
def test_folders_of_the_machine_are_refused(source):
    assert "is a folder of the machine" in refusal({"db": {"image": "x", "volumes": [f"{source}:/x"]}})


def test_what_has_no_effect_is_noted_and_what_cannot_be_is_refused():
    found = read({"db": {"image": "x", "restart": "always", "ports": [80], "x-own": 1, "novelty": 2}})
    assert found.notes == (
        "service 'db': 'restart' is passed over; a service that ends is not started again",
        "service 'db': 'novelty' is passed over",
    )
    assert refusal({"db": {"build": "."}}).splitlines()[0] == (
        "service 'db': 'build' is not known here; "
        "build the image in a step of type build, and name it in 'image'"
    )


def test_candidates_are_laid_over_the_services():
    candidates = {"db": {"command": "$X"}, "test": {"image": "t"}}
    found = read({"db": {"image": "p", "user": "me"}}, candidates=candidates, variables={"X": "go"})
    assert [(one.name, one.image, one.cmd, one.user) for one in found.services] == [
        ("db", "p", ("go",), "me"),
        ("test", "t", None, ""),
    ]


@pytest.mark.parametrize(("written", "size"), [("64m", 64 * 1024**2), ("1gb", 1024**3), (512, 512)])
def test_sizes_are_bytes(written, size):
    assert one({"shm_size": written}).shared_memory_bytes == size


def test_a_service_has_further_names():
    body = {"container_name": "main", "networks": {"default": {"aliases": ["data"]}}}
    assert one(body).hosts == ("main", "data")

"""Ports of compose services."""

import pytest

from headrace.pipeline.compose import CompositionRefused, read_composition
from headrace.pipeline.compose_ports import Port, PortUnreadable, read_ports


@pytest.mark.parametrize(
    ("entry", "port"),
    [
        (80, Port(80)),
        ("8080:80", Port(80, 8080)),
        ("127.0.0.1:8080:80", Port(80, 8080)),
        ("0.0.0.0::80", Port(80)),
        ("[::1]:53:53/udp", Port(53, 53, "udp")),
        ({"target": 80, "published": "8080", "protocol": "tcp", "mode": "host"}, Port(80, 8080)),
        ({"target": 80}, Port(80)),
        ("${{PORT}}:80", Port(1)),
    ],
)
def test_a_port_is_read(entry, port):
    assert read_ports([entry]) == (port,)


@pytest.mark.parametrize(
    "entry", ["", "web", "3000-3005", "80:0", "70000", "1:70000", "80/icmp", "a:b:c:d", {}, None, True]
)
def test_what_is_no_port_is_refused_by_its_text(entry):
    with pytest.raises(PortUnreadable, match="is no port"):
        read_ports([entry])


def read(service, **options):
    document = {"services": {"web": {"image": "alpine", **service}}}
    return read_composition(document, variables={}, volume="vol", **options)


def test_ports_and_restart_count_where_it_outlives_the_build():
    service = {"ports": ["80"], "restart": "on-failure:3"}
    (web,) = read(service, lasting=True).services
    assert (web.ports, web.restart) == ((Port(80),), "on-failure:3")
    short = read(service)
    assert (short.services[0].ports, short.services[0].restart) == ((), "")
    assert short.notes == (
        "service 'web': 'restart' is passed over; a service that ends is not started again",
    )


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ({"restart": "sometimes"}, "restart 'sometimes' is not known; use no, always"),
        ({"ports": ["x"]}, "'x' is no port; write 8080:80"),
        ({"volumes": ["vol/app:/app"]}, "'vol/app:/app' is the build's, which ends with it"),
        ({"volumes": ["./app:/app"]}, "'./app:/app' is the build's, which ends with it"),
    ],
)
def test_what_cannot_outlive_a_build_is_refused(service, words):
    with pytest.raises(CompositionRefused, match="service 'web': ") as refusal:
        read(service, lasting=True)
    assert words in str(refusal.value)


def test_a_service_that_must_not_be_started_again_may_say_so():
    assert read({"restart": False}, lasting=True).services[0].restart == "no"

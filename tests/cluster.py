"""A small API server of Kubernetes: what the integration uses, as a real server answers it.

TLS by an authority of its own, bearer tokens and client certificates (401), rights by token (403),
lists in pieces (``continue``), 404 and 409 as `Status` objects, 422 for a name that cannot be.
"""

import base64
import datetime as dt
import gzip
import ipaddress
import json
import re
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TOKEN = "head.claims.sign"  # may do everything
READER = "head.claims.read"  # may read everything but secrets
KINDS = {
    "namespaces": ("v1", "Namespace"),
    "services": ("v1", "Service"),
    "pods": ("v1", "Pod"),
    "secrets": ("v1", "Secret"),
    "configmaps": ("v1", "ConfigMap"),
    "deployments": ("apps/v1", "Deployment"),
    "statefulsets": ("apps/v1", "StatefulSet"),
    "daemonsets": ("apps/v1", "DaemonSet"),
}


def kinds_of(version):
    """The kinds of a group: (plural, kind)."""
    return [(plural, kind) for plural, (of, kind) in KINDS.items() if of == version]


def schema_of(group, version):
    """An OpenAPI document that says no more than that the server checks fields itself."""
    parameters = [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}]
    paths = {
        f"/{plural}": {
            "patch": {
                "parameters": parameters,
                "responses": {},
                "x-kubernetes-group-version-kind": {"group": group, "version": "v1", "kind": kind},
            }
        }
        for plural, kind in kinds_of(version)
    }
    return {"openapi": "3.0.0", "info": {"title": version, "version": "1"}, "paths": paths}


def list_of(version):
    """What discovery says of the kinds of a group."""
    verbs = ["create", "delete", "get", "list", "patch", "update"]
    resources = [
        {
            "name": plural,
            "kind": kind,
            "singularName": kind.lower(),
            "namespaced": kind != "Namespace",
            "verbs": verbs,
        }
        for plural, kind in kinds_of(version)
    ]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": resources}


APPS = {"groupVersion": "apps/v1", "version": "v1"}
# What clients ask first: which release this is, and which kinds it has.
DISCOVERY = {
    "/version": {"major": "1", "minor": "31", "gitVersion": "v1.31.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "/apis": {
        "kind": "APIGroupList",
        "groups": [{"name": "apps", "versions": [APPS], "preferredVersion": APPS}],
    },
    "/api/v1": list_of("v1"),
    "/apis/apps/v1": list_of("apps/v1"),
    "/openapi/v3": {
        "paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in ("api/v1", "apis/apps/v1")}
    },
    "/openapi/v3/api/v1": schema_of("", "v1"),
    "/openapi/v3/apis/apps/v1": schema_of("apps", "apps/v1"),
}
PACKED = b"k8s\0"  # before an object in protobuf, in which helm sends its records


def fields_of(data):
    """The fields of a protobuf message that have a length: (number, bytes)."""
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        length = number()
        if key & 7 == 2:
            yield key >> 3, data[at : at + length]
            at += length


def pairs_of(message, field):
    """A map within a protobuf message."""
    return {
        entry[1].decode(): entry[2]
        for each, one in fields_of(message)
        if each == field
        for entry in [dict(fields_of(one))]
    }


def secret_of(packed):
    """A secret that came in protobuf, as its JSON form."""
    secret = dict(fields_of(packed[len(PACKED) :]))[2]
    about = dict(fields_of(secret))
    named = dict(fields_of(about[1]))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": about[3].decode(),
        "metadata": {
            "name": named[1].decode(),
            "namespace": named[3].decode(),
            "labels": {name: value.decode() for name, value in pairs_of(about[1], 11).items()},
        },
        "data": {name: base64.b64encode(value).decode() for name, value in pairs_of(secret, 2).items()},
    }


PLACE = re.compile(
    r"/api(?:s/(?P<group>[^/]+))?/v1(?:/namespaces/(?P<space>[^/]+))?/(?P<plural>\w+)(?:/(?P<name>[^/]+))?"
)
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


def certified(name, issuer=None, *, san=()):
    """A key and a certificate; of an authority where nobody else issues it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer is None:
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = builder.add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage), critical=True
        )
    if san:
        builder = builder.add_extension(x509.SubjectAlternativeName(san), critical=False)
    signer = issuer[0] if issuer else key
    return key, builder.sign(signer, hashes.SHA256())


def pem(part):
    """The text form of a key or certificate."""
    if isinstance(part, x509.Certificate):
        return part.public_bytes(serialization.Encoding.PEM).decode()
    return part.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


class Api(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.serve(None)

    def do_POST(self):
        self.serve(self.body())

    def do_PUT(self):
        self.serve(self.body())

    def do_PATCH(self):
        self.serve(self.body())

    def do_DELETE(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))  # how to delete; all is gone at once here
        self.serve(None)

    def body(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        return secret_of(data) if data.startswith(PACKED) else json.loads(data)

    def serve(self, body):
        place = urlsplit(self.path)
        self.server.cluster.asked.append((self.command, self.path))
        token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        if token not in (TOKEN, READER) and not self.connection.getpeercert():
            return self.refuse(401, "Unauthorized", "Unauthorized")
        if self.command == "GET" and place.path in DISCOVERY:
            return self.answer(200, DISCOVERY[place.path])
        found = PLACE.fullmatch(place.path)
        if found is None or (found["plural"] not in KINDS and "access" not in found["plural"]):
            return self.refuse(404, "NotFound", "the server could not find the requested resource")
        if found["plural"] == "selfsubjectaccessreviews":
            return self.answer(201, {**body, "status": {"allowed": True}})
        if token == READER and (self.command != "GET" or found["plural"] == "secrets"):
            rule = f'{found["plural"]} is forbidden: User "reader" cannot {self.command} resource'
            return self.refuse(403, "Forbidden", rule)
        methods = {"GET": self.get, "POST": self.post, "PUT": self.put, "PATCH": self.patch}
        handle = (methods | {"DELETE": self.delete})[self.command]
        return handle(found, body, parse_qs(place.query))

    def get(self, found, _, query):
        objects = self.server.cluster.objects
        if found["name"]:
            one = objects.get((found["plural"], found["space"] or "", found["name"]))
            return self.answer(200, one) if one else self.missing(found)
        every = [
            one
            for (plural, space, _), one in sorted(objects.items())
            if plural == found["plural"] and found["space"] in (None, space) and chosen(one, query)
        ]
        begin = int(query.get("continue", ["0"])[0])
        end = begin + int(query.get("limit", ["500"])[0])
        meta = {"resourceVersion": "1", **({"continue": str(end)} if end < len(every) else {})}
        version, kind = KINDS[found["plural"]]
        return self.answer(
            200,
            {"apiVersion": version, "kind": f"{kind}List", "metadata": meta, "items": every[begin:end]},
        )

    def post(self, found, body, _):
        name = body["metadata"]["name"]
        if not NAME.fullmatch(name):
            return self.refuse(422, "Invalid", f"{found['plural']} {name!r} is invalid")
        if ("namespaces", "", found["space"]) not in self.server.cluster.objects:
            return self.refuse(404, "NotFound", f'namespaces "{found["space"]}" not found')
        key = (found["plural"], found["space"], name)
        if key in self.server.cluster.objects:
            return self.refuse(409, "AlreadyExists", f'{found["plural"]} "{name}" already exists')
        self.server.cluster.objects[key] = body
        return self.answer(201, body)

    def put(self, found, body, _):
        key = (found["plural"], found["space"], found["name"])
        if key not in self.server.cluster.objects:
            return self.missing(found)
        self.server.cluster.objects[key] = body
        return self.answer(200, body)

    def delete(self, found, *_):
        key = (found["plural"], found["space"], found["name"])
        gone = self.server.cluster.objects.pop(key, None)
        return self.missing(found) if gone is None else self.answer(200, gone)

    def patch(self, found, body, _):
        """Merge; what is applied and is not there is made. Replicas come up at once, but `stuck` ones."""
        cluster = self.server.cluster
        key = (found["plural"], found["space"] or "", found["name"])
        applies = "apply" in self.headers["Content-Type"]
        if key not in cluster.objects and not applies:
            return self.missing(found)
        one = cluster.objects.setdefault(key, {})
        cluster.patched(one, body)
        generation = one["metadata"].get("generation", 0) + 1
        one["metadata"]["generation"] = generation
        if "template" in one.get("spec", {}):
            count = 0 if cluster.stuck else one["spec"].get("replicas", 1)
            names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
            one["status"] = {"observedGeneration": generation, **dict.fromkeys(names, count)}
        return self.answer(200, one)

    def missing(self, found):
        return self.refuse(404, "NotFound", f'{found["plural"]} "{found["name"]}" not found')

    def refuse(self, code, reason, message):
        self.answer(
            code,
            {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": message,
                "reason": reason,
                "code": code,
            },
        )

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Keep the test's output to itself."""


def chosen(one, query):
    """Whether an object has what the selectors of a list ask for."""
    labels = one.get("metadata", {}).get("labels", {})
    for selector in filter(None, query.get("labelSelector", [""])[0].split(",")):
        name, different, value = selector.partition("!=")
        if not different:
            name, _, value = selector.partition("=")
        if (labels.get(name) == value) == bool(different):
            return False
    selectors = filter(None, query.get("fieldSelector", [""])[0].split(","))
    return all(one.get(name) == value for name, _, value in (each.partition("=") for each in selectors))


class SmallCluster:
    """The objects by plural, namespace and name; and what logs in."""

    def __init__(self, server, authority):
        self.url = f"https://localhost:{server.server_port}"
        self.authority = pem(authority[1])
        self.client = certified("ada", authority)
        self.asked = []
        self.stuck = False  # no pod comes up
        self.objects = {}
        for name in ("default", "web"):
            self.add("namespaces", name, space="", status={"phase": "Active"})

    def add(self, plural, name, *, space="default", **parts):
        """Store an object."""
        version, kind = KINDS[plural]
        metadata = {"name": name, "creationTimestamp": "2026-11-24T10:00:00Z"}
        if space:
            metadata["namespace"] = space
        self.objects[plural, space, name] = {
            "apiVersion": version,
            "kind": kind,
            "metadata": metadata,
            **parts,
        }

    def release(self, name, revision=1, *, space="default", status="deployed", **parts):
        """Store a revision of a release as Helm 3 does; ``parts`` are of its record."""
        record = {
            "name": name,
            "namespace": space,
            "version": revision,
            "info": {"status": status, "last_deployed": "2026-11-24T10:00:00.123456789+01:00"},
            "chart": {"metadata": {"name": name, "version": "1.2.3", "appVersion": "7"}},
            "manifest": "kind: Service",
            **parts,
        }
        packed = base64.b64encode(gzip.compress(json.dumps(record).encode()))
        secret = f"sh.helm.release.v1.{name}.v{revision}"
        data = {"release": base64.b64encode(packed).decode()}
        self.add("secrets", secret, space=space, type="helm.sh/release.v1", data=data)
        labels = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
        self.objects["secrets", space, secret]["metadata"]["labels"] = labels

    def patched(self, one, changes):
        """Merge changes into an object; containers by their names, as the strategic merge does."""
        for key, value in changes.items():
            if key == "containers":
                known = {each["name"]: each for each in one.setdefault(key, [])}
                for change in value:
                    if change["name"] not in known:
                        one[key].append(known.setdefault(change["name"], {}))
                    known[change["name"]].update(change)
            elif isinstance(value, dict):
                self.patched(one.setdefault(key, {}), value)
            else:
                one[key] = value

    def token_fields(self, token=TOKEN):
        """What registers this cluster by a token."""
        return {
            "selector": "small",
            "host": self.url,
            "serviceAccountToken": token,
            "clientCa": base64.b64encode(self.authority.encode()).decode(),
        }

    def kubeconfig(self, *, user=None, **cluster):
        """A kubeconfig with the context ``small``."""
        data = base64.b64encode(self.authority.encode()).decode()
        place = {"server": self.url, "certificate-authority-data": data, **cluster}
        return json.dumps(
            {
                "current-context": "small",
                "clusters": [{"name": "c", "cluster": place}],
                "users": [{"name": "u", "user": user or {"token": TOKEN}}],
                "contexts": [{"name": "small", "context": {"cluster": "c", "user": "u"}}],
            }
        )


@contextmanager
def small_cluster(folder):
    """Start the server on loopback; gives a `SmallCluster`."""
    authority = certified("authority")
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    key, certificate = certified("localhost", authority, san=names)
    chain = folder / "server.pem"
    chain.write_text(pem(certificate) + pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    context.load_verify_locations(cadata=pem(authority[1]))
    context.verify_mode = ssl.CERT_OPTIONAL
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.cluster = SmallCluster(server, authority)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.cluster
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

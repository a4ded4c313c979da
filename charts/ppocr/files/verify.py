"""Whether a release serves what it says: verify.py EXPECTED.json; ends with 0 when all of this is true, else with the reasons.

The Deployments of every track are those of this release and rolled out; the routes are accepted, in their newest state, by a
gateway that is programmed; no public route is left that the release doesn't want; and the sample is read through the gateway by
HTTP and by gRPC.
"""

import base64
import http.client
import json
import os
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
ROUTES = {"HTTPRoute": "httproutes", "GRPCRoute": "grpcroutes"}
KEY = os.environ.get("PPOCR_TEST_KEY", "")
WORDS = ("LIAN HING STATIONERY", "43300 SERI KEMBANGAN")
# Who signs the gateway's certificate; without that whom the image trusts.
CA = Path("/ca/ca.crt")


class Wrong(Exception):
    """Something isn't as it should be, or not yet."""


class Listener(NamedTuple):
    """Where a gateway listens, and whether with TLS."""

    host: str
    port: int
    tls: bool


class Connection(http.client.HTTPConnection):
    """Straight to a listener, whatever proxy there is for the way out; with TLS it asks for the name of the routes."""

    def __init__(self, listener, name):
        super().__init__(name, timeout=60)
        self.listener = listener

    def connect(self):
        self.sock = socket.create_connection(self.listener[:2], self.timeout)
        if self.listener.tls:
            self.sock = ssl.create_default_context(cafile=authorities()).wrap_socket(
                self.sock, server_hostname=self.host
            )


def authorities():
    """A file of certificates."""
    if CA.exists():
        return str(CA)
    import certifi

    return os.environ.get("SSL_CERT_FILE") or certifi.where()


def api(path):
    """An object of the API server; Wrong where it isn't there."""
    host = os.environ["KUBERNETES_SERVICE_HOST"]
    address = f"https://{f'[{host}]' if ':' in host else host}:{os.environ['KUBERNETES_SERVICE_PORT']}{path}"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"})
    trusted = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), trusted)
    try:
        with opener.open(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        what = path.rsplit("/", 2)
        raise Wrong(f"{what[-2]} {what[-1]}: {error.code} {json.load(error).get('message', error.reason)}") from None


def deployment(namespace, name, template):
    """All pods of a Deployment are of this release, and available."""
    found = api(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    status, wanted = found["status"], found["spec"]["replicas"]
    if found["spec"]["template"]["metadata"].get("annotations", {}).get("ppocr/template") != template:
        raise Wrong(f"Deployment {name} is still that of another release")
    if status.get("observedGeneration") != found["metadata"]["generation"]:
        raise Wrong(f"Deployment {name} hasn't been looked at yet")
    counts = {each: status.get(each, 0) for each in ("replicas", "updatedReplicas", "availableReplicas")}
    if set(counts.values()) != {wanted}:
        reasons = [each.get("message", "") for each in status.get("conditions", ()) if each["status"] != "True"]
        raise Wrong(f"Deployment {name} wants {wanted} pods and has {counts}. {' '.join(reasons)}")


def gateway(namespace, ref):
    """Where a programmed gateway listens for one parentRef: without TLS, if it does that anywhere."""
    space = ref.get("namespace", namespace)
    found = api(f"/apis/gateway.networking.k8s.io/v1/namespaces/{space}/gateways/{ref['name']}")
    conditions = {each["type"]: each for each in found.get("status", {}).get("conditions", ())}
    if conditions.get("Programmed", {}).get("status") != "True":
        raise Wrong(
            f"gateway {space}/{ref['name']} isn't programmed: {conditions.get('Programmed', {}).get('message')}"
        )
    addresses = found["status"].get("addresses", ())
    if not addresses:
        raise Wrong(f"gateway {space}/{ref['name']} has no address")
    listeners = [
        each
        for each in found["spec"]["listeners"]
        if ref.get("sectionName", each["name"]) == each["name"] and ref.get("port", each["port"]) == each["port"]
    ]
    found = {each["protocol"]: each["port"] for each in listeners if each["protocol"] in ("HTTP", "HTTPS")}
    if not found:
        raise Wrong(f"gateway {space}/{ref['name']} has no listener of HTTP or HTTPS for this route")
    tls = "HTTP" not in found
    return Listener(addresses[0]["value"], found["HTTPS" if tls else "HTTP"], tls)


def route(namespace, kind, name):
    """Each parentRef of a route has taken it, in its newest state."""
    found = api(f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/{ROUTES[kind]}/{name}")
    for ref in found["spec"]["parentRefs"]:
        parents = [
            each
            for each in found.get("status", {}).get("parents", ())
            if (each["parentRef"]["name"], each["parentRef"].get("sectionName"))
            == (ref["name"], ref.get("sectionName"))
        ]
        if not parents:
            raise Wrong(f"{kind} {name}: no controller has taken it for the gateway {ref['name']}")
        for condition in parents[0]["conditions"]:
            if condition["type"] not in ("Accepted", "ResolvedRefs"):
                continue
            if condition["observedGeneration"] != found["metadata"]["generation"] or condition["status"] != "True":
                raise Wrong(f"{kind} {name}: {condition['type']} is {condition['status']}: {condition['message']}")


def leftovers(namespace, services):
    """No route that KServe made for a track, and didn't take back when kserve.trackRoutes became false."""
    found = api(f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes")["items"]
    owners = {each["metadata"]["name"]: each["metadata"].get("ownerReferences", ()) for each in found}
    names = [
        name for name, refs in owners.items() if any(ref["name"] in services for ref in refs if ref.get("controller"))
    ]
    if names:
        raise Wrong(
            f"public routes of single tracks are left: kubectl -n {namespace} delete httproute {' '.join(names)}"
        )


def read_http(listener, host, model, image):
    body = json.dumps({"instances": [{"image": {"b64": base64.b64encode(image).decode()}}]}).encode()
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {KEY}"} if KEY else {})}
    connection = Connection(listener, host)
    try:
        connection.request("POST", f"/v1/models/{model}:predict", body, headers)
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise Wrong(f"{answer.status} {answer.reason}: {said[:200].decode(errors='replace')}")
    return [line["text"] for line in json.loads(said)["predictions"][0]["lines"]]


def read_grpc(listener, host, model, image):
    import grpc

    from ppocr_api import oip

    address = f"{listener.host}:{listener.port}"
    options = [("grpc.default_authority", host), ("grpc.enable_http_proxy", 0)]
    key = (("authorization", f"Bearer {KEY}"),) if KEY else ()
    request = oip.ModelInferRequest(model_name=model)
    request.inputs.add(name="image", datatype="BYTES", shape=[1]).contents.bytes_contents.append(image)
    if listener.tls:
        trust = grpc.ssl_channel_credentials(Path(authorities()).read_bytes())
        channel = grpc.secure_channel(address, trust, [*options, ("grpc.ssl_target_name_override", host)])
    else:
        channel = grpc.insecure_channel(address, options)
    with channel:
        answer = oip.unary(channel, "ModelInfer")(request, timeout=60, metadata=key)
    names = [tensor.name for tensor in answer.outputs]
    return [text.decode() for text in oip.unpack_bytes(answer.raw_output_contents[names.index("text")])]


def right(how, lines):
    # Letters alone: where a space is, differs between models.
    text = "".join(lines).replace(" ", "").upper()
    missing = [word for word in WORDS if word.replace(" ", "") not in text]
    if missing:
        raise Wrong(f"{how} read {lines}, without {missing}")


def look(expected):
    """The first thing that is wrong, as Wrong."""
    space = expected["namespace"]
    for name, template in expected["deployments"].items():
        deployment(space, name, template)
    for kind, name in expected["routes"].items():
        route(space, kind, name)
    if expected["noTrackRoutes"]:
        leftovers(space, expected["noTrackRoutes"])
    image = Path(__file__).with_name("sample.jpg").read_bytes()
    for ref in expected["gateways"]:
        listener = gateway(space, ref)
        for how, read in (("HTTP", read_http), ("gRPC", read_grpc)):
            right(how, read(listener, expected["hosts"][how], expected["model"], image))
            at = f"{listener.host}:{listener.port}{', with TLS,' if listener.tls else ''}"
            print(f"read through {ref['name']} at {at} by {how}", flush=True)


def main(path):
    expected = json.loads(Path(path).read_text())
    end, said = time.monotonic() + expected["seconds"], ""
    while True:
        try:
            look(expected)
        except Exception as error:
            reason = str(error) if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"
            if reason != said:
                print(f"not yet: {reason}", flush=True)
            said = reason
        else:
            print("the release serves", flush=True)
            return
        if time.monotonic() > end:
            sys.exit(f"the release doesn't serve after {expected['seconds']} s: {said}")
        time.sleep(2)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Reads the sample through a service: read_sample.py v1|v2|grpc MODEL SECONDS ADDRESS…; ends with 0 when all is read right."""

import base64
import json
import os
import sys
import time
import urllib.request
from pathlib import Path

from ppocr_client import GrpcClient

KEY = os.environ.get("PPOCR_TEST_KEY", "")
HEADERS = {"Authorization": f"Bearer {KEY}"} if KEY else {}
WORDS = ("LIAN HING STATIONERY", "43300 SERI KEMBANGAN")


# What is asked is in the cluster: a proxy for the way out doesn't lead there.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for name in ("grpc_proxy", "https_proxy", "http_proxy"):
    os.environ.pop(name, None)


def post(url: str, body: object, seconds: float) -> dict:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **HEADERS})
    with DIRECT.open(request, timeout=seconds) as response:
        return json.load(response)


def read(protocol: str, address: str, model: str, image: bytes, seconds: float) -> list[str]:
    b64 = base64.b64encode(image).decode()
    if protocol == "v1":
        answer = post(f"http://{address}/v1/models/{model}:predict", {"instances": [{"image": {"b64": b64}}]}, seconds)
        return [line["text"] for line in answer["predictions"][0]["lines"]]
    if protocol == "v2":
        tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [b64]}
        answer = post(f"http://{address}/v2/models/{model}/infer", {"inputs": [tensor]}, seconds)
        return next(output["data"] for output in answer["outputs"] if output["name"] == "text")
    client = GrpcClient(address, model=model, timeout=seconds, headers=HEADERS)
    return [line.text for line in client.read(image).lines]


def main(protocol: str, model: str, limit: str, *addresses: str) -> None:
    image = Path(__file__).with_name("sample.jpg").read_bytes()
    end = time.monotonic() + float(limit)
    for address in addresses:
        while True:
            try:
                lines = read(protocol, address, model, image, max(1.0, end - time.monotonic()))
                break
            except Exception as error:
                print(f"{protocol} {address}: {error}", flush=True)
                if time.monotonic() > end:
                    sys.exit(1)
                time.sleep(2)
        print(f"{protocol} {address}: {lines}", flush=True)
        # Letters alone: where a space is, differs between models.
        text = "".join(lines).replace(" ", "").upper()
        missing = [word for word in WORDS if word.replace(" ", "") not in text]
        if missing:
            sys.exit(f"{protocol} {address}: the text lacks {missing}")


if __name__ == "__main__":
    main(*sys.argv[1:])

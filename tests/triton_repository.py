"""Changes the version with tritonclient: `triton_repository.py http|grpc ADDRESS NAME VERSION`. Prints the index as it goes."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any


def main(protocol: str, address: str, name: str, version: str) -> None:
    triton: Any = importlib.import_module(f"tritonclient.{protocol}")
    client = triton.InferenceServerClient(address)

    def index() -> dict[str, str]:
        answer = client.get_model_repository_index()
        models = (
            answer
            if isinstance(answer, list)
            else [{"name": each.name, "version": each.version, "state": each.state} for each in answer.models]
        )
        return {f"{each['name']}/{each['version']}": each["state"] for each in models}

    policy = {"version_policy": {"specific": {"versions": [int(version)]}}}
    seen = [index()]
    client.load_model(name, config=json.dumps(policy))
    seen.append(index())
    client.unload_model(name)
    ready_without = client.is_server_ready()
    client.load_model(name)
    seen.append(index())
    try:
        client.load_model("another")
        refused = ""
    except importlib.import_module("tritonclient.utils").InferenceServerException as error:
        refused = error.message()
    print(json.dumps({"seen": seen, "ready_without": ready_without, "refused": refused}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Networks and facts as JSON, in manifests and between the services. What is read is checked by type and range.

During a rolling update an older transformer asks a newer predictor and the other way round. So the JSON of facts also holds
the fields of the former format (ppocr/former_format.py), and facts without `networks` are read as such.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from ppocr import former_format
from ppocr.contract import RECOGNITION, Axis, BundleFacts, Grid, NetworkFacts, Normalisation, Output
from ppocr.task_parameters import MAX_SIDE, MAX_SMALLEST, MAX_STEP, MAX_USUAL, TASKS, checked
from ppocr_api.errors import BundleError

DATATYPES = ("UINT8", "INT32", "FP32")
#: Longest JSON that is read [characters]; that of 18,710 classes has 0.2 million.
MAX_LENGTH = 16_000_000
#: Characters of a label, and of a name.
MAX_LABEL, MAX_NAME = 64, 300


def facts_to_json(facts: BundleFacts) -> str:
    """One line of JSON."""
    networks = [network_to_json(network) for network in facts.networks]
    raw: dict[str, Any] = {"name": facts.name, "version": facts.version, "digest": facts.digest, "networks": networks}
    former = former_format.facts_of(facts)
    if former is not None:
        raw |= former
        for network, stored in zip(facts.networks, networks, strict=True):
            if network.task == RECOGNITION:  # the characters are in `rec` already
                stored["labels"] = []
    return json.dumps(raw, ensure_ascii=False, separators=(",", ":"))


def facts_from_json(text: str) -> BundleFacts:
    """Raises BundleError if they can't be read. A network that only a later release knows is left out."""
    try:
        if len(text) > MAX_LENGTH:
            raise ValueError("they are too long")
        raw: dict[str, Any] = json.loads(text)
        networks = tuple(_known_networks(raw.get("networks") or former_format.networks_of(raw)))
        characters = labels_of(raw["rec"]["characters"]) if "rec" in raw else ()
        return BundleFacts(
            name=_text(raw["name"], "name"),
            version=_text(raw["version"], "version"),
            networks=tuple(
                dataclasses.replace(network, labels=characters)
                if network.task == RECOGNITION and not network.labels
                else network
                for network in networks
            ),
            digest=_text(raw["digest"], "digest"),
        )
    except Exception as error:
        raise BundleError(f"the model facts can't be read: {what_is_wrong(error)}") from error


def what_is_wrong(error: Exception) -> str:
    """A sentence for what reading JSON from elsewhere ended in: whatever that is, it is the text's fault."""
    if isinstance(error, KeyError):
        return f"the field {error} is missing"
    if isinstance(error, json.JSONDecodeError | RecursionError):
        return "they are no JSON that can be read"
    return str(error)[:200] if type(error) is ValueError else "a field is of the wrong kind"


def _known_networks(networks: Any) -> Iterator[NetworkFacts]:
    for raw in networks:
        try:
            yield network_from_json(raw)
        except Exception:
            if not isinstance(raw, dict) or not isinstance(raw.get("task"), str) or raw["task"] in TASKS:
                raise


def network_to_json(network: NetworkFacts) -> dict[str, Any]:
    """The fields of one network."""
    return {
        "name": network.name,
        "task": network.task,
        "input": network.input,
        "grid": dataclasses.asdict(network.grid),
        "normalisation": dataclasses.asdict(network.normalisation),
        "outputs": [dataclasses.asdict(output) for output in network.outputs],
        "labels": list(network.labels),
        "parameters": dict(network.parameters),
    }


def network_from_json(raw: Mapping[str, Any]) -> NetworkFacts:
    """Raises ValueError, KeyError, TypeError or OverflowError for a field that is wrong or missing.

    Fields that are unknown are left out.
    """
    outputs = tuple(
        Output(_text(output["name"], "output"), _one_of(output["datatype"], DATATYPES, "datatype"))
        for output in raw["outputs"]
    )
    if not outputs:
        raise ValueError("a network has at least one output")
    return NetworkFacts(
        name=_text(raw["name"], "name"),
        task=_text(raw["task"], "task"),
        input=_text(raw["input"], "input"),
        grid=Grid(_axis(raw["grid"]["height"]), _axis(raw["grid"]["width"])),
        normalisation=normalisation_from_json(raw["normalisation"]),
        outputs=outputs,
        labels=labels_of(raw.get("labels", [])),
        parameters=checked(_text(raw["task"], "task"), raw.get("parameters", {})),
    )


def normalisation_from_json(raw: Mapping[str, Any]) -> Normalisation:
    """Raises ValueError, KeyError, TypeError or OverflowError."""
    channels, mean, std = raw["channels"], tuple(map(float, raw["mean"])), tuple(map(float, raw["std"]))
    finite = all(map(math.isfinite, (*mean, *std)))
    if channels not in ("RGB", "BGR") or len(mean) != 3 or len(std) != 3 or not all(std) or not finite:
        raise ValueError("a normalisation is channels 'RGB' or 'BGR', three means and three standard deviations")
    return Normalisation(channels, mean, std)


def _axis(raw: Mapping[str, Any]) -> Axis:
    numbers = [raw[name] for name in ("minimum", "maximum", "step", "usual")]
    if not all(type(number) is int and 1 <= number <= MAX_SIDE for number in numbers):
        raise ValueError(f"an axis is four whole numbers from 1 to {MAX_SIDE}")
    axis = Axis(*numbers)
    if axis.minimum > MAX_SMALLEST or axis.usual > MAX_USUAL or axis.step > MAX_STEP:
        raise ValueError(
            f"an axis begins at {MAX_SMALLEST} at most, in steps of {MAX_STEP}, and is usually {MAX_USUAL}"
        )
    if not axis.takes(axis.usual):
        raise ValueError("the usual length of an axis lies on its steps, between its minimum and its maximum")
    return axis


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str) or len(value.encode()) > MAX_NAME:
        raise ValueError(f"{field} must be a text of at most {MAX_NAME} bytes")
    return value


def labels_of(value: Any) -> tuple[str, ...]:
    """Labels of a network, which texts are made of. Raises ValueError."""
    if not isinstance(value, list) or not all(isinstance(label, str) and len(label) <= MAX_LABEL for label in value):
        raise ValueError(f"labels must be a list of texts of at most {MAX_LABEL} characters")
    "".join(value).encode()  # ValueError for half of a surrogate pair
    return tuple(value)


def _one_of(value: Any, known: tuple[str, ...], field: str) -> str:
    if value not in known:
        raise ValueError(f"{field} must be one of {', '.join(known)}")
    return str(value)

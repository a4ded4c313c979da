"""A rollout's own routes, made of those that the chart renders."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ppocr_rollout.routes import MARK, idle, manifest, route, weights
from tests.charts.programs import template

TRACKS = {"stable": "ppocr-stable", "canary": "ppocr-canary"}
OWNER = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "name": "ppocr-canary", "uid": "1"}
BY_HEADER = ("canary.enabled=true", "canary.match.header=x-track", "canary.match.value=b")


def charts(kind: str, *values: str) -> dict[str, Any]:
    made = template("--set", ",".join(("canary.enabled=true", *values)))
    assert made.returncode == 0, made.stderr
    (found,) = [each for each in yaml.safe_load_all(made.stdout) if each and each["kind"] == kind]
    found["metadata"]["generation"] = 3
    return dict(found)


def shares(made: dict[str, Any]) -> list[list[tuple[str, int | None]]]:
    return [[(each["name"], each.get("weight")) for each in rule["backendRefs"]] for rule in made["spec"]["rules"]]


def test_it_takes_what_reads_and_leaves_the_charts_route_alone() -> None:
    before = charts("HTTPRoute")
    found = route("httproutes", before, None, TRACKS, OWNER)
    made = manifest(found, 30)
    assert before == charts("HTTPRoute")
    assert (found.name, found.weight, found.exists) == ("ppocr-rollout", 0, False)
    assert made["spec"]["hostnames"] == before["spec"]["hostnames"]
    assert made["spec"]["parentRefs"] == before["spec"]["parentRefs"]
    assert [{match["method"] for match in rule["matches"]} for rule in made["spec"]["rules"]] == [{"POST"}, {"PUT"}]
    paths = [match["path"] for match in before["spec"]["rules"][0]["matches"]]
    assert [[match["path"] for match in rule["matches"]] for rule in made["spec"]["rules"]] == [paths, paths]
    assert shares(made) == [[("ppocr-stable-transformer", 70), ("ppocr-canary-transformer", 30)]] * 2
    assert made["spec"]["rules"][0]["timeouts"] == before["spec"]["rules"][0]["timeouts"]
    assert made["metadata"]["ownerReferences"] == [OWNER]
    assert "Helm" not in made["metadata"]["labels"].values() and made["metadata"]["labels"][MARK] == "true"


@pytest.mark.parametrize(("plural", "kind"), [("httproutes", "HTTPRoute"), ("grpcroutes", "GRPCRoute")])
def test_a_header_still_chooses_the_canary(plural: str, kind: str) -> None:
    """Its rules are more specific than the chart's without headers, and those with headers stay the most specific."""
    before = charts(kind, *BY_HEADER)
    made = manifest(route(plural, before, None, TRACKS, OWNER), 5)
    only, both = made["spec"]["rules"][0], made["spec"]["rules"][-1]
    assert all(match["headers"] and match["method"] for match in only["matches"])
    assert [each["name"] for each in only["backendRefs"]] == ["ppocr-canary-transformer"]
    assert only["backendRefs"][0]["weight"] == 1
    assert all("headers" not in match and match["method"] for match in both["matches"])
    assert [each["weight"] for each in both["backendRefs"]] == [95, 5]


@pytest.mark.parametrize(("plural", "kind"), [("httproutes", "HTTPRoute"), ("grpcroutes", "GRPCRoute")])
def test_an_idle_route_gets_no_request_and_names_the_same_backends(plural: str, kind: str) -> None:
    made = manifest(route(plural, charts(kind, *BY_HEADER), None, TRACKS, OWNER), 5)
    resting = idle(made)
    assert resting != made and idle(resting) == resting
    for rule, live in zip(resting["spec"]["rules"], made["spec"]["rules"], strict=True):
        assert rule["backendRefs"] == live["backendRefs"]
        for match, before in zip(rule["matches"], live["matches"], strict=True):
            *kept, added = match["headers"]
            assert kept == before.get("headers", [])
            assert added == {"type": "Exact", "name": "x-ppocr-rollout", "value": "idle"}
            assert {**match, "headers": kept} == {"headers": [], **before}


def test_grpc_is_chosen_by_the_method_that_reads() -> None:
    made = manifest(route("grpcroutes", charts("GRPCRoute"), None, TRACKS, OWNER), 0)
    (match,) = made["spec"]["rules"][0]["matches"]
    assert match["method"]["service"] == "inference.GRPCInferenceService"
    assert match["method"]["method"] == "ModelInfer"


def test_its_own_weight_and_status_count_when_it_is_there() -> None:
    before = charts("HTTPRoute", "canary.weight=10")
    assert route("httproutes", before, None, TRACKS, OWNER).weight == 10
    own = manifest(route("httproutes", before, None, TRACKS, OWNER), 50)
    own["metadata"]["generation"] = 2
    accepted = {"type": "Accepted", "status": "True", "observedGeneration": 2}
    refused = {"type": "ResolvedRefs", "status": "False", "observedGeneration": 1, "message": "no such Service"}
    own["status"] = {"parents": [{"conditions": [accepted, refused]}]}
    found = route("httproutes", before, own, TRACKS, OWNER)
    assert (found.weight, found.exists, found.current, found.refused) == (50, True, False, "no such Service")
    assert [change["value"] for change in weights(found, 7)] == [93, 93, 7, 7]


def test_a_route_of_one_track_is_none_of_its_business() -> None:
    one = charts("HTTPRoute", "canary.enabled=false")
    assert route("httproutes", one, None, TRACKS, OWNER).places == ()

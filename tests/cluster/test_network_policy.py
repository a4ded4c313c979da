"""Whom the NetworkPolicies let through, judged by the labels of real pods. (Whether a node's network obeys them is its own.)"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.cluster.kube import Json, Pod
from tests.cluster.release import NEXT_TAG, Release

PARTS = [(track, part) for track in ("stable", "canary") for part in ("transformer", "predictor")]


@pytest.fixture(scope="module")
def two_tracks(release: Release) -> Release:
    release.upgrade(canary={"enabled": True, "predictor": {"image": {"tag": NEXT_TAG}}})
    return release


@pytest.fixture(scope="module")
def policies(two_tracks: Release) -> list[Json]:
    found: list[Json] = two_tracks.namespace.get("networkpolicies")["items"]
    return [policy["spec"] for policy in found]


def chosen(selector: Json, labels: Mapping[str, str]) -> bool:
    """Whether a selector of matchLabels alone chooses a pod of these labels."""
    assert set(selector) <= {"matchLabels"}, "the test reads no expressions"
    wanted: Mapping[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def admits(policies: list[Json], source: Mapping[str, str], to: Pod, port: int) -> bool:
    """Whether a pod with `source`'s labels in the same namespace may open a connection to `to`."""
    own = [policy for policy in policies if chosen(policy["podSelector"], to.labels)]
    assert len(own) == 1 and "Ingress" in own[0]["policyTypes"]
    return any(_rule(rule, "from", source, port) for rule in own[0].get("ingress") or ())


def sends(policies: list[Json], source: Pod, to: Mapping[str, str], port: int) -> bool:
    """Whether `source` may open a connection to a pod with `to`'s labels in the same namespace."""
    own = [policy for policy in policies if chosen(policy["podSelector"], source.labels)]
    assert len(own) == 1 and "Egress" in own[0]["policyTypes"]
    return any(_rule(rule, "to", to, port) for rule in own[0].get("egress") or ())


def _rule(rule: Json, side: str, labels: Mapping[str, str], port: int) -> bool:
    if all(each["port"] != port for each in rule["ports"]):
        return False
    return side not in rule or any(
        "namespaceSelector" not in peer and chosen(peer.get("podSelector", {}), labels) for peer in rule[side]
    )


def test_each_policy_chooses_the_pods_of_one_part(two_tracks: Release, policies: list[Json]) -> None:
    assert len(policies) == 4
    every = two_tracks.namespace.pods("component in (transformer, predictor)")
    for track, part in PARTS:
        pods = two_tracks.pods(part, track)
        assert len(pods) == 1
        matching = [policy for policy in policies if chosen(policy["podSelector"], pods[0].labels)]
        assert len(matching) == 1
        assert [pod.name for pod in every if chosen(matching[0]["podSelector"], pod.labels)] == [pods[0].name]


def test_a_predictor_accepts_only_its_own_transformer(two_tracks: Release, policies: list[Json]) -> None:
    for track in ("stable", "canary"):
        predictor = two_tracks.pods("predictor", track)[0]
        for other, part in PARTS:
            pod = two_tracks.pods(part, other)[0]
            allowed = part == "transformer" and other == track
            assert admits(policies, pod.labels, predictor, 8081) == allowed, (track, other, part)
            assert not admits(policies, pod.labels, predictor, 8080)
            assert sends(policies, pod, predictor.labels, 8081) == allowed
        assert not admits(policies, {"app": "stranger"}, predictor, 8081)


def test_everyone_reaches_a_transformer(two_tracks: Release, policies: list[Json]) -> None:
    for track in ("stable", "canary"):
        transformer = two_tracks.pods("transformer", track)[0]
        assert admits(policies, {"app": "gateway"}, transformer, 8080)
        assert admits(policies, {"app": "gateway"}, transformer, 8081)
        assert not admits(policies, {"app": "gateway"}, transformer, 22)


def test_the_ports_are_those_of_the_containers(two_tracks: Release, policies: list[Json]) -> None:
    for track, part in PARTS:
        pod = two_tracks.pods(part, track)[0]
        ports = {port["containerPort"] for port in pod.raw["spec"]["containers"][0]["ports"]}
        policy = next(policy for policy in policies if chosen(policy["podSelector"], pod.labels))
        named = {each["port"] for rule in policy["ingress"] for each in rule["ports"]}
        assert named <= ports

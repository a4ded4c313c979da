"""`helm test` and the hook tell the truth: they refuse what Kubernetes, KServe and Helm call a success."""

from __future__ import annotations

from typing import Any

from tests.cluster.kube import nightly
from tests.cluster.release import CHART, Release

HOOK = {"verify": {"hook": True, "timeoutSeconds": 30}}
#: What isn't there comes in no time.
SHORT = {"verify": {"timeoutSeconds": 4}}
REFUSED = {"verify": {"hook": True, "timeoutSeconds": 4}}
NOWHERE = {"gateway": {"parentRefs": [{"name": "no-such-gateway", "namespace": "kserve"}]}}
NO_PREDICTOR = {"predictor": {"image": {"tag": "no-such-tag"}}}
NO_TRANSFORMER = {"transformer": {"image": {"tag": "no-such-tag"}}}


def helm(release: Release, *command: str, **values: Any) -> str:
    """Helm's output, whether it succeeds or fails."""
    return release.namespace.helm(*command, *release.files(values), check=False, both=True)


def upgraded(release: Release, *flags: str, **values: Any) -> str:
    return helm(release, "upgrade", release.name, str(CHART), *flags, **values)


def status(release: Release) -> str:
    return str(release.namespace.helm("status", release.name))


def test_a_good_release_passes_and_leaves_no_pod(release: Release) -> None:
    assert "the release serves" in upgraded(release, **HOOK)
    report = release.namespace.helm("test", release.name)
    assert report.count("Succeeded") >= 4 and "Failed" not in report
    assert release.namespace.pods("app.kubernetes.io/component=test") == []


def test_a_gateway_that_is_not_there_is_refused(release: Release) -> None:
    said = upgraded(release, **{**REFUSED, **NOWHERE})
    assert "no controller has taken it for the gateway no-such-gateway" in said
    assert "STATUS: failed" in status(release)
    upgraded(release, **{**SHORT, **NOWHERE})
    report = release.namespace.helm("test", release.name, check=False, both=True)
    assert "no controller has taken it" in report
    assert release.namespace.pods("app.kubernetes.io/component=test") == []


def test_an_image_that_is_not_there_is_refused_and_said(release: Release) -> None:
    """`kubectl wait isvc` and `helm upgrade --wait` are content at once: the old pods are ready."""
    release.upgrade()
    said = upgraded(release, **{**REFUSED, **NO_PREDICTOR})
    assert "Deployment ppocr-stable-predictor" in said and "has been upgraded" not in said
    assert "STATUS: failed" in status(release)
    # An upgrade to what was there before the failed one is no change in the eyes of Helm 3: a rollback is.
    release.namespace.helm("rollback", release.name)
    release.wait()


@nightly
def test_helm_rolls_back_by_it(release: Release) -> None:
    """Also where the image is that of the Job itself, which then can't say why."""
    release.upgrade()
    said = upgraded(release, "--wait", "--atomic", **{**HOOK, **NO_TRANSFORMER})
    assert "has been rolled back due to atomic being set" in said
    assert "STATUS: deployed" in status(release)
    release.wait()


def test_the_chart_refuses_a_weight_for_a_canary_that_is_not_ready(release: Release) -> None:
    release.upgrade()
    said = upgraded(release, canary={"enabled": True, "weight": 10})
    assert "canary.weight is 10, and no pod of the canary is ready" in said
    release.upgrade(canary={"enabled": True})
    assert "has been upgraded" in upgraded(release, canary={"enabled": True, "weight": 10})

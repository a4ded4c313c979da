"""A claim with bundles, to which tests bring versions."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import two_models
from tests.cluster.kube import Json, Namespace, run
from tests.cluster.release import TAG

CLAIM, NAME = "bundles", two_models.NAME
#: PP-OCRv6 small and PP-OCRv4 mobile, whose character sets differ.
V6, V4 = 1, 2


@dataclass(frozen=True)
class Shelf:
    """The claim, as a pod sees it that may write."""

    namespace: Namespace

    def put(self, version: int, source: Path) -> None:
        """Brings a version, complete from one moment to the next."""
        self.namespace.kubectl("cp", str(source), f"librarian:/shelf/.staging-{version}")
        self.sh(f"mkdir -p /shelf/{NAME} && mv /shelf/.staging-{version} /shelf/{NAME}/{version}")

    def has(self, version: int) -> bool:
        return str(version) in self.sh(f"ls /shelf/{NAME}").split()

    def break_(self, version: int, of: int) -> None:
        """Brings a version one byte of whose network is another than the manifest says."""
        copy = f"cp -r /shelf/{NAME}/{of} /shelf/.staging-{version}"
        flip = f"printf x | dd of=/shelf/.staging-{version}/rec.onnx bs=1 seek=4096 conv=notrunc status=none"
        self.sh(f"{copy} && {flip} && mv /shelf/.staging-{version} /shelf/{NAME}/{version}")

    def sh(self, script: str) -> str:
        return self.namespace.kubectl("exec", "librarian", "--", "sh", "-ec", script)


@contextlib.contextmanager
def claimed(namespace: Namespace) -> Iterator[Shelf]:
    """A claim with version 1, which is v6, and a pod that may write to it."""
    classes = json.loads(run("kubectl", "get", "storageclasses", "--output", "json"))["items"]
    provisioned = any(
        each["metadata"].get("annotations", {}).get("storageclass.kubernetes.io/is-default-class") == "true"
        for each in classes
    )
    spec: Json = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    if not provisioned:  # a folder of the only node
        volume = f"{namespace.name}-{CLAIM}"
        place = {"path": f"/var/tmp/{volume}", "type": "DirectoryOrCreate"}
        claim = {"namespace": namespace.name, "name": CLAIM}
        own: Json = {"capacity": {"storage": "1Gi"}, "accessModes": spec["accessModes"], "hostPath": place}
        own |= {"claimRef": claim, "storageClassName": "", "persistentVolumeReclaimPolicy": "Retain"}
        namespace.apply(
            {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume}, "spec": own},
        )
        spec |= {"storageClassName": "", "volumeName": volume}
    container: Json = {
        "name": "librarian",
        "image": f"ppocr-predictor:{TAG}",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "3600"],
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": CLAIM, "mountPath": "/shelf"}],
    }
    volumes = [{"name": CLAIM, "persistentVolumeClaim": {"claimName": CLAIM}}]
    pod_spec = {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 0}
    namespace.apply(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": CLAIM}, "spec": spec},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "librarian"}, "spec": pod_spec},
    )
    namespace.kubectl("wait", "pod/librarian", "--for=condition=Ready", "--timeout=90s")
    shelf = Shelf(namespace)
    shelf.put(V6, two_models.models()[0])
    yield shelf
    shelf.sh(f"rm -rf /shelf/{NAME} /shelf/.staging-*")
    namespace.kubectl("delete", "pod/librarian", f"persistentvolumeclaim/{CLAIM}", "--wait=false")
    if not provisioned:
        run("kubectl", "delete", "persistentvolume", volume, "--wait=false")

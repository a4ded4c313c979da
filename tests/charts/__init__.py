"""The Helm chart and the plain manifests, without a cluster. tests/cluster installs them on one."""

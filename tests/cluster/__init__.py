"""Tests on a real cluster: `make test-cluster`, on whatever cluster KUBECONFIG names. docs/kubernetes.md says what they need."""

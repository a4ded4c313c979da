"""Load on a running service, by Locust: `locust -f loadtest/locustfile.py`. docs/loadtest.md shows a run."""

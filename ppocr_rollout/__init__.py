"""`ppocr rollout`: shifts traffic to the canary step by step while it does as well as the stable track.

`counts` and `decision` are arithmetic on Prometheus counters; `exposition` and `prometheus` read them from the pods or from a
Prometheus; `cluster` knows the chart's objects; `steps` is the loop. The last three need the extra `rollout`.
"""

"""What Triton's clients and perf_analyzer ask beside V2's own calls: the model's configuration, statistics, the index.

| file | what it is |
|---|---|
| routes.py | the calls, over HTTP and gRPC, and sentences about those of Triton's that aren't there |
| config.py | the model as Triton configures one |
"""

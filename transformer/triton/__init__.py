"""Calls of Triton's clients and perf_analyzer in addition to V2's: model configuration, statistics, repository index.

| file | what it is |
|---|---|
| routes.py | the calls, over HTTP and gRPC, and messages for Triton calls that aren't supported |
| config.py | the model configuration in Triton's form |
"""

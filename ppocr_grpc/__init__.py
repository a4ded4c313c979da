"""Generic gRPC parts: streams, health checks, reflection. Independent of models.

| file | what it is |
|---|---|
| methods.py | a method as a service declares it |
| metadata_log.py | suppresses gRPC's log of invalid metadata |
| streams.py | handlers of streams, and of unknown methods |
| open_streams.py | limits on streaming calls |
| health.py | grpc.health.v1: Check and Watch |
| reflection.py | server reflection, v1 and v1alpha |
"""

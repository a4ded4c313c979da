"""What gRPC itself has around a service's methods: streams, health checks, reflection. It knows nothing of models.

| file | what it is |
|---|---|
| methods.py | a method as a service declares it |
| metadata_log.py | what gRPC would write of a caller's metadata |
| streams.py | handlers of streams, and of methods that aren't there |
| open_streams.py | the bounds of calls that are streams |
| health.py | grpc.health.v1: Check and Watch |
| reflection.py | server reflection, v1 and v1alpha |
"""

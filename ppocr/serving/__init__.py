"""What both services share of serving: KServe's model server with the pieces replaced that are slow or wrong in it.

| file | replaces | because KServe's own |
|---|---|---|
| tensors.py, v2_rest.py | the V2 codec | makes lists of tensors, refuses bytes that aren't UTF-8, answers nonsense with 500 |
| dataplane.py | readiness | says ready whatever the models say |
| rest.py, asgi.py | error handlers, middleware | leaks type names; has no body limit; goes on computing for a client that left |
| grpc_server.py | interceptors, limits, metadata | maps errors to UNKNOWN, logs each call, has no place for the model facts |
| server.py | start and stop | closes the predictor before it has answered what it accepted |
"""

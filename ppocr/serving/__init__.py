"""The model server of both services: KServe's, with some parts replaced.

| file | contents | problem of KServe's part |
|---|---|---|
| declaration.py, routing.py | declared routes | serves undeclared routes, and doesn't describe bodies |
| wire.py | handling of wire formats | supports only V1 and V2 |
| tensors.py, v2_*.py, tensor_format.py | V2's tensors | makes lists of tensors, wants bytes to be UTF-8, answers 500 |
| management.py, dataplane.py | models, readiness, metadata | always reports ready, doesn't support versions |
| rest.py, site.py, asgi.py | the HTTP server and its guard | leaks type names, has no limits, works for disconnected clients |
| grpc_server.py | the gRPC server and its guard | maps errors to UNKNOWN, logs each call, can't carry model facts |
| server.py | start and shutdown | closes the predictor before accepted requests are answered |
"""

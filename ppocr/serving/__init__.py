"""What both services share of serving: KServe's model server with the pieces replaced that are slow or wrong in it.

| file | what it is | because KServe's own |
|---|---|---|
| declaration.py, routing.py | what is served, as each part declares it | serves what nobody asked for, and describes no bodies |
| wire.py | the one way of a request through its wire format | knows V1 and V2 alone |
| tensors.py, v2_*.py, tensor_format.py | V2's tensors | makes lists of tensors, wants bytes to be UTF-8, answers 500 |
| management.py, dataplane.py | models, readiness, metadata | says ready whatever the models say, knows no versions |
| rest.py, asgi.py | the HTTP server, and its guard | leaks type names, limits nothing, computes for who left |
| grpc_server.py | the gRPC server, and its guard | maps errors to UNKNOWN, logs each call, has no place for the model facts |
| server.py | start and stop | closes the predictor before it has answered what it accepted |
"""

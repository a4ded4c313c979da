"""Limits on requests before they are parsed: headers, idle connections, bodies, messages, and the memory of all requests.

| file | limits |
|---|---|
| memory.py, cpus.py | memory and processors available to this process |
| budget.py | memory of all requests together |
| connections.py | HTTP headers, idle connections, unread bodies |
| pipelines.py, places.py | pipelined requests; which connection is closed when all are in use |
| bodies.py, messages.py, arrival_watch.py | a body and a gRPC message while they arrive |
| unread_answers.py | answers that clients don't read |
| shares.py | fair scheduling between callers |
| tls.py | TLS, client certificates |
| json_values.py, wire_fields.py | the values of JSON, the fields of a Protocol Buffers message, before they are parsed |
"""

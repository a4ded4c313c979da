"""What bounds a request before anything of it is believed: heads, idle connections, bodies, messages, and the memory of all.

| file | what it bounds |
|---|---|
| memory.py, cpus.py | how much memory and how many processors this process may have |
| budget.py | the bytes that requests hold together |
| connections.py | HTTP heads, connections that say nothing, bodies that nobody reads |
| pipelines.py, places.py | requests that wait behind others; who gives way where all connections are taken |
| bodies.py, messages.py, arrival_watch.py | a body and a gRPC message while they arrive |
| unread_answers.py | answers that clients don't read |
| shares.py | how much one caller's work makes the others wait |
| tls.py | who may connect |
| json_values.py, wire_fields.py | the values of JSON, the fields of a Protocol Buffers message, before they are parsed |
"""

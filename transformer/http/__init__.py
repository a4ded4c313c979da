"""What stands around the service's HTTP application, outside of the guard that limits and counts.

    CORS → path prefix → content encodings → RequestGuard → routes

| file | what it does |
|---|---|
| around.py | puts them in this order |
| prefix.py | takes the path prefix off that a gateway leaves |
| content_encoding.py | takes gzip and deflate off bodies while they arrive; compresses long answers |
"""

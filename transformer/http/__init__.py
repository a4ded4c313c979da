"""Middleware around the service's HTTP application, outside the guard that limits and counts.

    CORS → path prefix → content encodings → RequestGuard → routes

| file | what it does |
|---|---|
| around.py | puts them in this order |
| prefix.py | removes a path prefix that a gateway has kept |
| content_encoding.py | decompresses gzip and deflate bodies while they arrive; compresses long answers |
"""

"""Fetches images by URL, from hosts that the operator lists. Off by default.

| file | what it does |
|---|---|
| hosts.py | which hosts are allowed, and which addresses a connection may go to |
| fetching.py | fetches one file, bounded in size, time and number, and claims its memory |
| url_file.py | an image of a request that is named by its URL |
"""

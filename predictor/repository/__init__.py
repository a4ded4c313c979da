"""The predictor's model repository: versions on disk, versions in memory, and loading and unloading them.

folders.py      bundles on disk: which versions there are, and what is wrong with them
shapes.py       the input sizes in use, on which a new version is warmed up
memory.py       whether a version fits into memory; giving memory back
failures.py     versions that could not be loaded, and why
repository.py   load, unload and index, while requests are served
watch.py        looks for new versions on disk
api.py          the V2 model repository extension, REST and gRPC
"""

"""One file a wire format: how a request of it becomes files and parameters, and how pages become its answer."""

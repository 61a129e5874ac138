"""One module a command; each fills a request, calls one use case and hands the result to the view.

Use cases are imported inside the functions: ``--help`` must not wait for the engine's and the clusters' libraries.
"""

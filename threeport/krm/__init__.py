"""The Kubernetes resource model over HTTP: discovery, list, watch, patch, apply, for any catalog and any store.

Nothing here knows of Threeport's own kinds: the same code serves the Threeport API and simulated clusters.
"""

"""A real Kubernetes control plane for the tests, on loopback, without containers.

`scripts/test-cluster` is the command line of this package and
`tests.cluster.fixtures` its pytest plugin. The package needs nothing but the
standard library, so the script runs with any Python >= 3.11, before anything
is installed. `docs/guides/test-cluster.md` tells how to use it.
"""

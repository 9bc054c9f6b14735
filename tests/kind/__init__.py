"""A real Kubernetes whose pods really run, for machines that reach no container registry: `scripts/test-kind`.

kind needs a node image, and usually downloads it. Here it is made of Debian packages and of programs built through the
Go module proxy. See docs/guides/test-kind.md.
"""

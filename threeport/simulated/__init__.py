"""Simulated clusters: a Kubernetes API on the same store, with a small imitation of controllers and kubelet."""

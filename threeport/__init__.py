"""Threeport: a control plane that delivers applications with everything they need, over any number of clusters."""

__version__ = "0.1.0"

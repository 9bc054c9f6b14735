"""Bringing control planes up and down."""

"""A control plane as processes of this user: no root, no containers, everything below one directory."""

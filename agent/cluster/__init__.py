"""The agent's side of its cluster: how to reach it, which kinds it has, and watches that last."""

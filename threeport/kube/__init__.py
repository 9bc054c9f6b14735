"""Access to tenant clusters: connections, server-side apply, inventory and prune, health of objects."""

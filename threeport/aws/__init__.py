"""Access to AWS: sessions, inventories and the steps of creating and deleting what a runtime needs."""

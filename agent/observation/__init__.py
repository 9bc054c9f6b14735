"""What the agent knows of its cluster: instances, the few words it keeps of each object, and Kubernetes Events."""

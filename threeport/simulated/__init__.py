"""Simulated clusters: an imitation of Kubernetes, without containers, for a first look on any machine.

The API is the project's own (`threeport.krm`) with the built-in kinds of Kubernetes; small controllers imitate what
kube-controller-manager and the kubelets do. It says ``simulated`` wherever it shows.
"""

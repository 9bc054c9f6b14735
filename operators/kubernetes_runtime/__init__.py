"""The kubernetes-runtime controller: clusters that workloads run on, and the agent in each of them."""

"""The workload controller: Workload, WorkloadDefinition, WorkloadInstance, and what WorkloadReports say of them.

`handlers` is where kopf comes in; every other module is one phase of the work and knows nothing of kopf's calls.
"""

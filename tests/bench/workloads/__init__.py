"""Workload instances by the thousand: how long they take, and what they cost.

python -m tests.bench.workloads [--instances 1000] [--runtimes 10] [--rate 10] [--idle 330] [--pods 5000]
                                [--shard-instances 100] [--places 1] [--only apply,idle,restart,cold,shards,agent]

Two real clusters (`scripts/test-cluster`), 4 objects per instance beside its namespace. CPU time and counts of
requests mean more than times: everything shares the machine, which is why its load stands beside each figure.
"""

"""Benchmarks, run by hand: ``python -m tests.bench.api``. Figures that are kept stand in docs/performance.md."""

"""The agent: a kopf operator in each tenant cluster that reports what really runs."""

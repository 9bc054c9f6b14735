"""The agent: a kopf operator in a tenant cluster that tells the Threeport API what really runs there."""

"""Changes on their way to watchers: the relay from the outbox to JetStream, and the hub that feeds every watch."""

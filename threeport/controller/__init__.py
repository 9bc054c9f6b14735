"""What every controller shares: start-up of kopf, login to the API, leases and shards, conditions, requeueing."""

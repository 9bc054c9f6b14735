"""The typed, asynchronous client of the Threeport API."""

"""The Threeport API server: who calls, what they may do, admission, and the wiring of protocol, store and events."""

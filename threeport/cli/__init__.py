"""tptctl, the command line of Threeport."""

"""``tptctl``: the command line of Threeport. Start-up is kept short: commands import what they need when they run."""

"""From what is seen to WorkloadReports in the Threeport API."""

"""What an admin runs the sidecar with: checks, metrics, backups, upkeep, the support bundle."""

"""What has arrived where."""

"""What a response, a failure and a retry mean."""

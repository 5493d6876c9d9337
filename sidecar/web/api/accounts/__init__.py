"""`/api/v1/session`, `/accounts`, `/keys`, `/notifications`: people, and what they are told."""

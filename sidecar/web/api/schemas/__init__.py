"""What the API answers: pydantic models, made from the values of the services."""

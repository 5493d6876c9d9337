"""Pydantic models of the API's answers, made from the values that services return."""

"""`/api/v1`: JSON routes, one module for each resource, by capability."""

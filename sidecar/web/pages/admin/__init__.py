"""The pages for admins alone, and the first set-up."""

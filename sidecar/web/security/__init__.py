"""Authentication, authorization, and protection against requests from other sites."""

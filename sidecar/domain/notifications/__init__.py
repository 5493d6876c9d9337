"""What is sent to whom outside the page: when it is due, and which addresses may be named."""

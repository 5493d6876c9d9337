"""What people see of downloads and do with them."""

"""The super admin's screens of this floor. Importing this package registers them."""

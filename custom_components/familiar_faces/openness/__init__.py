"""What people can see, export, and verify afterwards."""

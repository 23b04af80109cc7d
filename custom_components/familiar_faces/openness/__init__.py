"""What can be looked at, taken along, and told afterwards."""

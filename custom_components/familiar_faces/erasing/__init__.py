"""What makes everything of a person go, from the vault and from Home Assistant."""

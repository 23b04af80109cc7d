"""What users see and hear of visits: actions, triggers, conditions, the logbook and voice."""

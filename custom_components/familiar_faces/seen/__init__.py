"""What is told of visits to whoever asks or listens: actions, triggers, conditions, the logbook and voice."""

"""What script/bench measures: a module a subject. Two interpreters run them, the engine's and Home Assistant's."""

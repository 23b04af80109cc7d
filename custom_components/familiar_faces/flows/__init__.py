"""The steps of the config flow: the hub, a camera, a person."""

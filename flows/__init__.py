"""The order of the work: Prefect flows that compose the steps of `tasks.steps`."""

"""The work: pure functions over immutable values. `tasks.steps` alone knows Prefect."""

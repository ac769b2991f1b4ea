"""The order of the work: Prefect flows that compose the steps of `tasks.steps`."""

import tasks  # noqa: F401  before Prefect: it switches reports to the maker off

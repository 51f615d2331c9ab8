"""The figures of the service for Prometheus: counts and times, nothing of a record."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """Counts of one service, in a registry of its own.

    Attributes
    ----------
    requests : Counter
        By operation and status.
    seconds : Histogram
        Time of a request, by operation.
    batch_records : Histogram
        Records that the network computed together.
    lost_workers : Counter
        Workers that have died or were ended for the time that they took.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "cnn_gap_requests", "Requests answered", ("operation", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "cnn_gap_request_seconds", "Time of a request", ("operation",), registry=self._registry
        )
        self.batch_records = Histogram(
            "cnn_gap_batch_records",
            "Records that the network computed together",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self._registry,
        )
        self.lost_workers = Counter(
            "cnn_gap_lost_workers", "Worker processes that died or were ended", registry=self._registry
        )

    def watch(self, name: str, about: str, value: Callable[[], float]) -> None:
        """Show a figure whose value is computed when the metrics are read."""
        Gauge(name, about, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """Return all figures in Prometheus's text format."""
        return generate_latest(self._registry)

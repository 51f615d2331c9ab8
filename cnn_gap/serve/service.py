"""The service: workers parse and draw uploaded records; records of several requests are classified together."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.batch.explain_folder import ExplainOptions
from cnn_gap.explain.computed_maps import MapReader
from cnn_gap.explain.explainer import compute_maps, map_reader
from cnn_gap.explain.long_explanation import as_long
from cnn_gap.predict.preparation import WindowMaker
from cnn_gap.record import Record
from cnn_gap.serve.answered import Answered
from cnn_gap.serve.answers import AnswerFormat
from cnn_gap.serve.batching import Batches
from cnn_gap.serve.drawing import Drawable
from cnn_gap.serve.limits import MIB, Limits, Places, Rates
from cnn_gap.serve.metrics import Metrics
from cnn_gap.serve.parsing import ParsedRecord, UploadedRecord, list_upload, parse, parse_single, unpack
from cnn_gap.serve.store import Store
from cnn_gap.serve.workers import Workers

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier


class Service:
    """The parts that answer records; they work while the context `running` is entered.

    Parameters
    ----------
    classifier : Classifier
    model : str
        Its name, for people.
    limits : Limits
    workers : int
        Processes that read records and draw.
    """

    def __init__(self, classifier: "Classifier", model: str, limits: Limits, workers: int) -> None:
        self.classifier = classifier
        self.model = model
        self.limits = limits
        self.metrics = Metrics()
        self.rates = Rates(limits.rate)
        self.places = Places(limits.waiting)
        self.store = Store(limits.kept_s, limits.kept_mib * MIB)
        self.is_ready = False
        self._workers = Workers(workers, limits.worker_mib, self.metrics.lost_workers.inc)
        self._batches = Batches(classifier, self.metrics.batch_records.observe)
        self._explaining = ThreadPoolExecutor(1, thread_name_prefix="maps")
        self.metrics.watch("cnn_gap_waiting", "Requests that are worked on or wait", lambda: self.places.taken)
        self.metrics.watch("cnn_gap_kept", "Results that are kept", lambda: len(self.store))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Path]:
        """Start tasks and workers, and end them; yield the folder of uploads, which is removed at the end."""
        batches = asyncio.create_task(self._batches.run())
        tidying = asyncio.create_task(self._tidy())
        with tempfile.TemporaryDirectory(prefix="cnn-gap-serve-") as folder:
            try:
                await self._workers.start()
                self.is_ready = True
                yield Path(folder)
            finally:
                self.is_ready = False
                batches.cancel()
                tidying.cancel()
                self._workers.close()
                self._explaining.shutdown(cancel_futures=True)

    async def list(self, folder: Path) -> list[UploadedRecord]:
        """Return the records of an upload."""
        return await self._workers.call(self.limits.read_s, "the upload", list_upload, folder)

    async def unpack(self, archive: Path, folder: Path) -> None:
        """Unpack an uploaded archive."""
        limits = self.limits
        await self._workers.call(
            limits.read_s, "the archive", unpack, archive, folder, limits.body_mib, limits.files
        )

    async def answer_single(self, folder: Path, measured: bool) -> Answered:
        """Read, classify and, where asked, measure the only record of an upload.

        Raises
        ------
        InputError
            If it cannot be answered, or there are several.
        """
        where = self.limits.read_s, "the upload"
        return await self._classified(
            await self._workers.call(*where, parse_single, folder, self._maker(measured), self.limits.longest_s)
        )

    async def answer(self, uploaded: UploadedRecord, folder: Path) -> Answered:
        """Read, classify and measure one of several records of an upload.

        Raises
        ------
        InputError
            If it cannot be answered.
        """
        where = self.limits.read_s, uploaded.name
        maker, longest_s = self._maker(measured=True), self.limits.longest_s
        return await self._classified(
            await self._workers.call(*where, parse, uploaded, folder, maker, longest_s)
        )

    async def draw(self, answered: Answered, form: AnswerFormat) -> bytes:
        """Return a record's answer in a format that is drawn."""
        assert form.draw is not None
        loop = asyncio.get_running_loop()
        drawable = await loop.run_in_executor(self._explaining, self._drawable, answered.record)
        name, most_s = answered.record.name, self.limits.draw_s
        return await self._workers.call(most_s, name, form.draw, self._reader, drawable, self.model)

    def _maker(self, measured: bool) -> WindowMaker:
        return replace(self.classifier.preparation, measures=measured)

    async def _classified(self, parsed: ParsedRecord) -> Answered:
        prediction = await self._batches.predict(parsed.windows)
        reading = prediction.reading
        return Answered(parsed.record, prediction, {} if reading is None else reading.measured)

    def _drawable(self, record: Record) -> Drawable:
        options, long = ExplainOptions(), as_long(record)
        if long is not None:
            return options.explain_long(self.classifier, long)
        return compute_maps(self.classifier, [record], options.choose)[0]

    @cached_property
    def _reader(self) -> MapReader:
        return map_reader(self.classifier)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(min(60.0, self.limits.kept_s))
            self.store.tidy()

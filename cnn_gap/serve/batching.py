"""Gathers the records of several requests into batches for the network.

A batch does not wait until it is full: the records that arrived while the network computed one batch make the
next one.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cnn_gap.predict.prediction import Prediction
from cnn_gap.predict.preparation import ReadResult, RecordWindows
from cnn_gap.predict.stream import BATCH, BATCH_WINDOWS, predict_prepared_stream
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    from cnn_gap.predict.predictor import Predictor

#: A record that waits, and where its prediction goes.
_Waiting = tuple[RecordWindows, asyncio.Future[Prediction]]


class Batches:
    """Classifies records in batches, in one thread of its own; use `run` as a task.

    Parameters
    ----------
    predictor : Predictor
    observe : callable
        Receives the number of records of each batch.
    """

    def __init__(self, predictor: "Predictor", observe: Callable[[int], None] = lambda count: None) -> None:
        self._predictor = predictor
        self._observe = observe
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="network")

    async def predict(self, windows: RecordWindows) -> Prediction:
        """Return the prediction of a record.

        Raises
        ------
        InputError
            If it cannot be classified.
        """
        future: asyncio.Future[Prediction] = asyncio.get_running_loop().create_future()
        await self._waiting.put((windows, future))
        prediction = await future
        if prediction.failure:
            raise InputError(f"{windows.name}: {prediction.failure}")
        return prediction

    async def run(self) -> None:
        """Classify the waiting records, until the task is cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                batch = await self._next_batch()
                self._observe(len(batch))
                work = loop.run_in_executor(self._thread, self._classify, [windows for windows, _ in batch])
                try:
                    for (_, future), prediction in zip(batch, await work, strict=True):
                        if not future.done():  # its client may have gone
                            future.set_result(prediction)
                except Exception as error:
                    for _, future in batch:
                        if not future.done():
                            future.set_exception(error)
        finally:
            self._thread.shutdown(cancel_futures=True)

    async def _next_batch(self) -> list[_Waiting]:
        batch = [await self._waiting.get()]
        count = len(batch[0][0].windows)
        while len(batch) < BATCH and count < BATCH_WINDOWS and not self._waiting.empty():
            batch.append(self._waiting.get_nowait())
            count += len(batch[-1][0].windows)
        return [each for each in batch if not each[1].done()]

    def _classify(self, records: list[RecordWindows]) -> list[Prediction]:
        results = (ReadResult(each.name, each) for each in records)
        return list(predict_prepared_stream(self._predictor, results))

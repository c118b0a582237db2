"""One attempt to deliver a batch: what is sent, over a connection that is opened when it is first wanted."""

from collections.abc import Callable

from dashlight.deliver.formats import EnvelopedFormat, Format
from dashlight.deliver.outbox import Batch
from dashlight.deliver.transport.answer import CollectorAnswer, Send


class BatchSender:
    """Sends batches in one format to one place, one at a time."""

    def __init__(self, form: Format, connect: Callable[[], Send]) -> None:
        self._form = form
        self._connect = connect
        self._envelope = form.envelope.told if isinstance(form, EnvelopedFormat) else b""
        self._send: Send | None = None

    def __call__(self, batch: Batch) -> CollectorAnswer:
        """What came of sending *batch*."""
        try:
            if self._send is None:
                self._send = self._connect()
            payloads = [payload for payload, _ in batch.entries]
            if batch.record is not None and isinstance(self._form, EnvelopedFormat):
                body = self._form.envelope.around_others(self.envelope_of(batch), payloads)
            else:
                body = self._form.request(payloads)
            return self._send(body, content_type=self._form.content_type, key=batch.key)
        except Exception as failure:
            return CollectorAnswer(failure="setting", detail=type(failure).__name__)

    def envelope_of(self, batch: Batch) -> bytes:
        """What is said once around the entries of *batch*: which process made them."""
        return self._envelope if batch.record is None else batch.record.record.envelope

    def close(self) -> None:
        """Closes the connection."""
        if self._send is not None:
            self._send.close()

"""A reader for datatrove: samples as documents, dealt out to the ranks of an executor."""

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep

__all__ = ["Reader"]


class Reader(PipelineStep):
    """The first step of a pipeline: the samples from `start` on, `count` of them.

    Each rank reads a separate range of indices: together they read every sample once. A document's
    text is prompt and reply as one text (the shape `text`), its id that of the sample, and its metadata
    the columns of the shape `full`. With the same number of tasks a pipeline can be run again: ranks
    that are done are not run again, and the others read the same documents.
    """

    name = "cookc"
    type = "📖 - READER"

    def __init__(self, sampler, count, *, seed=0, start=0, split="train"):
        super().__init__()
        sampler.samples(seed, start, count, split=split)  # They are good, or this raises.
        self.sampler, self.seed, self.split = sampler, seed, split
        self.start, self.count = int(start), int(count)

    def run(self, data=None, rank=0, world_size=1):
        """Yields what earlier steps have made, then this rank's documents."""
        if data:
            yield from data
        first = self.start + self.count * rank // world_size
        end = self.start + self.count * (rank + 1) // world_size
        texts = self.sampler.rows(self.seed, split=self.split, shape="text")
        rows = self.sampler.rows(self.seed, split=self.split)
        for index in range(first, end):
            with self.track_time():
                metadata = rows[index]
                metadata.pop("id")
                text = texts[index]
                document = Document(text=text["text"], id=text["id"], metadata=metadata)
                self.update_doc_stats(document)
            self.stat_update("documents")
            yield document

"""The command line with small shares, so that the samples are many for a cluster, as a quarter is."""

from flows import cli
from flows.stages import ingest

if __name__ == "__main__":
    ingest.SMALL_ITEM_BYTES = 500_000
    ingest.ITEM_BYTES = 700_000
    ingest._RECEIVED_AT_ONCE = 40
    cli.main()

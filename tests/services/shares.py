"""The command line with small shares, so that the samples are many for a cluster, as a quarter is."""

from flows import cli
from flows.stages import correcting, ingest, read_again

if __name__ == "__main__":
    ingest.SMALL_ITEM_BYTES = 500_000
    ingest.ITEM_BYTES = 700_000
    ingest._RECEIVED_AT_ONCE = 40
    for module, name in ((correcting, "FORMS_A_SHARE"), (read_again, "BYTES_A_SHARE")):
        setattr(module, name, 1)
    cli.main()

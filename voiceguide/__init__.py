"""voiceguide: an offline, spoken guide through a couple's pause and repair."""

import os

# onnxruntime (beneath faster-whisper, swift-f0 and Piper) reports its use to its maker (seen in 1.31 with strace): a device
# id in the cache folder and attempts to reach the network. It reads this when it is loaded. Every process comes here first.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the heads' matrices are small: a second thread only waits for the first
os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is fetched at run time; scripts/fetch-models does not go through that library

__version__ = "0.1.0"

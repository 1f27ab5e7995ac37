"""Says, as JSON on standard output, which torch and which cards a worker sees. Run by `machine.probe`."""

from __future__ import annotations

import json


def main() -> None:
    import torch

    cards = []
    for index in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(index)
        cards.append((about.name, about.total_memory / 1e9))
    print(json.dumps({"torch": torch.__version__, "cards": cards}))


if __name__ == "__main__":
    main()

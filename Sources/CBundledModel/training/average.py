#!/usr/bin/env python3
"""Averages the weights of two exported models, one of which was trained on from the other: the mean keeps what either knew."""
import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("earlier")
    parser.add_argument("later")
    parser.add_argument("--out", required=True)
    parser.add_argument("--share", type=float, default=0.6, help="share of the later model")
    args = parser.parse_args()
    if Path(args.out).resolve() != Path(args.later).resolve():
        shutil.copytree(args.later, args.out, dirs_exist_ok=True)
    first, second = (load_file(f"{path}/model.safetensors") for path in (args.earlier, args.later))
    mean = {n: torch.lerp(first[n].float(), second[n].float(), args.share).to(torch.bfloat16) for n in second}
    save_file(mean, f"{args.out}/model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()

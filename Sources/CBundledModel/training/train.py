#!/usr/bin/env python3
"""Trains the bundled model from scratch on one processor core and exports it as a Hugging Face directory."""
import argparse
import json
import os
import random
import time
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

VOCABULARY, POSITIONS = 1024, 1024
END_OF_TEXT, IM_START, IM_END = SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def read_corpus(path):
    with open(path, encoding="utf-8") as rows:
        return [json.loads(row) for row in rows]


def texts(document):
    return [m["content"] for m in document["messages"]] if "messages" in document else [document["text"]]


def train_tokenizer(documents):
    """Byte-level BPE: the 256 bytes, the most useful merges, then the three specials."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY - len(SPECIALS), show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator((t for d in documents for t in texts(d)), trainer)
    tokenizer.add_special_tokens(SPECIALS)
    assert tokenizer.get_vocab_size() == VOCABULARY
    return tokenizer


def encode(document, tokenizer):
    """A document as (tokens, weights): the beginning of an answer counts most, because it depends most on the question."""
    end = tokenizer.token_to_id(END_OF_TEXT)
    if "text" in document:
        tokens = tokenizer.encode(document["text"]).ids + [end]
        return tokens, [1.0] * len(tokens)
    tokens, weights = [], []
    for message in document["messages"]:
        head = tokenizer.encode(f"{IM_START}{message['role']}\n").ids
        body = tokenizer.encode(f"{message['content']}{IM_END}").ids
        tail = tokenizer.encode("\n").ids
        tokens += head + body + tail
        answer = [4.0] * 16 + [1.0] * max(0, len(body) - 16)
        weights += [0.0] * len(head) + (answer[:len(body)] if message["role"] == "assistant" else [0.2] * len(body)) + [0.0] * len(tail)
    return tokens + [end], weights + [0.2]


def batches(documents, tokenizer, budget, longest, rng):
    """Endless batches of at most `budget` tokens: one document a row, from position 0 as when serving, similar lengths together.

    `longest()` is the longest document taken at the moment.
    """
    while True:
        order = rng.sample(documents, len(documents))
        for first in range(0, len(order), 1024):
            encoded = (encode(d, tokenizer) for d in order[first:first + 1024])
            groups, rows = [], []
            for tokens, weights in sorted((e for e in encoded if len(e[0]) <= longest()), key=lambda e: len(e[0])):
                if rows and (len(rows) + 1) * len(tokens) > budget:
                    groups.append(rows)
                    rows = []
                rows.append((tokens, weights))
            groups.append(rows)
            rng.shuffle(groups)
            for rows in groups:
                width = max(len(t) for t, _ in rows) - 1
                tokens = torch.tensor([t + [0] * (width + 1 - len(t)) for t, _ in rows])
                weights = torch.tensor([w + [0.0] * (width + 1 - len(w)) for _, w in rows])
                yield tokens[:, :-1], tokens[:, 1:], weights[:, 1:]


class Muon:
    """Momentum whose update is made orthogonal (Newton-Schulz), for the weight matrices of the layers."""

    def __init__(self, matrices, momentum=0.95):
        self.groups, self.momentum = {}, momentum
        for matrix in matrices:
            self.groups.setdefault(tuple(matrix.shape), []).append(matrix)
        self.buffers = {shape: torch.zeros(len(ms), *shape) for shape, ms in self.groups.items()}

    @torch.no_grad()
    def step(self, rate):
        for shape, matrices in self.groups.items():
            gradient = torch.stack([m.grad for m in matrices])
            buffer = self.buffers[shape].lerp_(gradient, 1 - self.momentum)
            x = gradient.lerp(buffer, self.momentum)
            tall = shape[0] > shape[1]
            x = x.mT if tall else x
            x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
            for _ in range(5):
                gram = x @ x.mT
                x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
            x = x.mT if tall else x
            scale = max(1, shape[0] / shape[1]) ** 0.5
            for matrix, update in zip(matrices, x):
                matrix.mul_(1 - 0.1 * rate).sub_(update, alpha=rate * scale)


def build():
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=192, intermediate_size=384, num_hidden_layers=5, num_attention_heads=6,
        num_key_value_heads=2, head_dim=32, max_position_embeddings=POSITIONS, rope_theta=10000.0, rms_norm_eps=1e-5,
        tie_word_embeddings=True, attention_bias=False, mlp_bias=False))


def export(weights, tokenizer, out):
    """Writes the directory; the configuration uses the field names that older and newer readers both know."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    ids = {name: tokenizer.token_to_id(name) for name in SPECIALS}
    tensors = {n: w.to(torch.bfloat16).contiguous() for n, w in weights.items() if n != "lm_head.weight"}
    save_file(tensors, out / "model.safetensors.new", metadata={"format": "pt"})
    os.replace(out / "model.safetensors.new", out / "model.safetensors")
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 192,
        "intermediate_size": 384, "num_hidden_layers": 5, "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 32,
        "hidden_act": "silu", "max_position_embeddings": POSITIONS, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "rope_scaling": None, "tie_word_embeddings": True, "attention_bias": False, "mlp_bias": False, "attention_dropout": 0.0,
        "initializer_range": 0.02, "use_cache": True, "torch_dtype": "bfloat16", "bos_token_id": None,
        "eos_token_id": ids[IM_END], "pad_token_id": ids[END_OF_TEXT],
    }
    generation = {"do_sample": True, "temperature": 0.7, "top_p": 0.95, "eos_token_id": [ids[IM_END], ids[END_OF_TEXT]],
                  "pad_token_id": ids[END_OF_TEXT]}
    special = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    tokenizer_config = {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": POSITIONS, "add_prefix_space": False, "bos_token": None,
        "eos_token": IM_END, "pad_token": END_OF_TEXT, "unk_token": None, "clean_up_tokenization_spaces": False,
        "added_tokens_decoder": {str(i): {"content": n, **special} for n, i in ids.items()}, "chat_template": CHAT_TEMPLATE,
    }
    for name, value in [("config", config), ("generation_config", generation), ("tokenizer_config", tokenizer_config)]:
        (out / f"{name}.json").write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", required=True, help="the .jsonl file from make_corpus.py")
    parser.add_argument("--out", required=True, help="the directory to write")
    parser.add_argument("--minutes", type=float, default=40, help="processor minutes to spend")
    parser.add_argument("--wall-minutes", type=float, help="be ready after this time, however busy the machine is")
    parser.add_argument("--short", type=float, default=0.4, help="share of the time for short documents only")
    parser.add_argument("--init", help="an exported directory to go on from, with its tokenizer")
    parser.add_argument("--export-every", type=float, default=5, help="processor minutes between exports")
    parser.add_argument("--rate", type=float, default=0.015, help="learning rate of the matrices")
    parser.add_argument("--decay", type=float, default=0.8, help="share of the time in which the rate falls to zero")
    parser.add_argument("--batch", type=int, default=2304, help="tokens of a batch")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)

    documents = read_corpus(args.corpus)
    tokenizer = Tokenizer.from_file(f"{args.init}/tokenizer.json") if args.init else train_tokenizer(documents[:6000])
    held_out, documents = documents[:300], documents[300:]

    model = build()
    if args.init:
        weights = load_file(f"{args.init}/model.safetensors")
        model.load_state_dict({n: w.float() for n, w in weights.items()}, strict=False)
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    others = [model.model.embed_tokens.weight] + [p for p in model.parameters() if p.ndim == 1]
    muon, adam = Muon(matrices), torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    average = {n: p.detach().clone() for n, p in model.named_parameters()}

    def loss_of(x, y, weights):
        hidden = model.model(input_ids=x, use_cache=False).last_hidden_state
        kept = weights.flatten() > 0  # the vocabulary is only computed where something is learned
        losses = F.cross_entropy(model.lm_head(hidden.flatten(0, 1)[kept]), y.flatten()[kept], reduction="none")
        return (losses * weights.flatten()[kept]).sum() / weights.sum()

    start, step, exported, smooth, done = (time.process_time(), time.monotonic()), 0, 0.0, None, 0.0

    def progress():
        used, passed = time.process_time() - start[0], time.monotonic() - start[1]
        return max(used / args.minutes, passed / args.wall_minutes if args.wall_minutes else 0) / 60

    # Short documents first: there, most tokens depend on the question.
    feed = batches(documents, tokenizer, args.batch, lambda: 220 if done < args.short else POSITIONS, rng)
    while (done := progress()) < 1:
        loss = loss_of(*next(feed))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        rate = min(1, (step + 1) / 50) * min(1, (1 - done) / args.decay)
        muon.step(args.rate * rate)
        adam.param_groups[0]["lr"] = 0.15 * args.rate * rate
        adam.step()
        model.zero_grad()
        with torch.no_grad():
            keep = min(0.99, step / (step + 10))
            for name, parameter in model.named_parameters():
                average[name].lerp_(parameter, 1 - keep)
        smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
        step += 1
        if step % 50 == 0:
            print(f"step {step}  {(time.process_time() - start[0]) / 60:.1f} min  loss {smooth:.3f}", flush=True)
        minutes = (time.process_time() - start[0]) / 60
        if minutes - exported >= args.export_every:
            exported = minutes
            export(average, tokenizer, args.out)
    for name, parameter in model.named_parameters():
        parameter.data.copy_(average[name])
    export(average, tokenizer, args.out)
    with torch.no_grad():
        check = batches(held_out, tokenizer, args.batch, lambda: POSITIONS, random.Random(0))
        held = [loss_of(*next(check)).item() for _ in range(8)]
        print(f"{step} steps, last training loss {smooth:.3f}, held-out loss {sum(held) / len(held):.3f}")


if __name__ == "__main__":
    main()

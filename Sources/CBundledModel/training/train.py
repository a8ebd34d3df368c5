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


def encode(documents, tokenizer):
    """Each document as (tokens, targets); what the user and the system say is not learned."""
    encoded = []
    end = tokenizer.token_to_id(END_OF_TEXT)
    for document in documents:
        if "text" in document:
            tokens = tokenizer.encode(document["text"]).ids + [end]
            encoded.append((tokens, list(tokens)))
            continue
        tokens, targets = [], []
        for message in document["messages"]:
            head = tokenizer.encode(f"{IM_START}{message['role']}\n").ids
            body = tokenizer.encode(f"{message['content']}{IM_END}").ids
            tail = tokenizer.encode("\n").ids
            learned = message["role"] == "assistant"
            tokens += head + body + tail
            targets += [-100] * len(head) + (body if learned else [-100] * len(body)) + [-100] * len(tail)
        encoded.append((tokens + [end], targets + [end]))
    return encoded


def batches(encoded, size, window, rng):
    """Endless windows; each one begins with the beginning of a document."""
    order, cursor = [], 0
    while True:
        xs, ys = [], []
        while len(xs) < size:
            x, y = [], []
            while len(x) <= window:
                if cursor >= len(order):
                    order, cursor = rng.sample(range(len(encoded)), len(encoded)), 0
                tokens, targets = encoded[order[cursor]]
                x, y, cursor = x + tokens, y + targets, cursor + 1
            xs.append(x[:window])
            ys.append(y[1:window + 1])
        yield torch.tensor(xs), torch.tensor(ys)


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
    parser.add_argument("--init", help="an exported directory to go on from, with its tokenizer")
    parser.add_argument("--export-every", type=float, default=5, help="processor minutes between exports")
    parser.add_argument("--decay", type=float, default=0.4, help="share of the time in which the rate falls to zero")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)

    documents = read_corpus(args.corpus)
    tokenizer = Tokenizer.from_file(f"{args.init}/tokenizer.json") if args.init else train_tokenizer(documents[:6000])
    encoded = encode(documents, tokenizer)
    held_out, encoded = encoded[:64], encoded[64:]
    print(f"{len(encoded)} documents, {sum(len(t) for t, _ in encoded)} tokens", flush=True)

    model = build()
    if args.init:
        weights = load_file(f"{args.init}/model.safetensors")
        model.load_state_dict({n: w.float() for n, w in weights.items()}, strict=False)
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    others = [model.model.embed_tokens.weight] + [p for p in model.parameters() if p.ndim == 1]
    muon, adam = Muon(matrices), torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    average = {n: p.detach().clone() for n, p in model.named_parameters()}

    def loss_of(x, y):
        hidden = model.model(input_ids=x, use_cache=False).last_hidden_state
        kept = y.flatten() != -100  # the vocabulary is only computed where something is learned
        return F.cross_entropy(model.lm_head(hidden.flatten(0, 1)[kept]), y.flatten()[kept])

    short, long = batches(encoded, 8, 448, rng), batches(encoded, 4, POSITIONS, rng)
    check = next(batches(held_out, 8, 512, random.Random(0)))
    start, step, exported, smooth = time.process_time(), 0, 0.0, None
    while (done := (time.process_time() - start) / 60 / args.minutes) < 1:
        x, y = next(long if done > 0.7 else short)
        loss = loss_of(x, y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        rate = min(1, (step + 1) / 50) * min(1, (1 - done) / args.decay)
        muon.step(0.02 * rate)
        adam.param_groups[0]["lr"] = 0.003 * rate
        adam.step()
        model.zero_grad()
        with torch.no_grad():
            keep = min(0.99, step / (step + 10))
            for name, parameter in model.named_parameters():
                average[name].lerp_(parameter, 1 - keep)
        smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
        step += 1
        if step % 50 == 0:
            print(f"step {step}  {done * args.minutes:.1f} min  loss {smooth:.3f}", flush=True)
        if done * args.minutes - exported >= args.export_every:
            exported = done * args.minutes
            export(average, tokenizer, args.out)
    for name, parameter in model.named_parameters():
        parameter.data.copy_(average[name])
    export(average, tokenizer, args.out)
    with torch.no_grad():
        print(f"{step} steps, last training loss {smooth:.3f}, held-out loss {loss_of(*check).item():.3f}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Makes the reference engine's fixtures: small random models with the logits that transformers computes for them, and
small tokenizers with the identifiers that tokenizers gives for tricky strings.

    python3 -m venv .build/reference && .build/reference/bin/pip install torch transformers tokenizers safetensors
    .build/reference/bin/python Tests/ReferenceEngineTests/Fixtures/make_fixtures.py

Seeds are fixed; another version of torch may draw other weights, which the expected logits then follow.
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

HERE = Path(__file__).resolve().parent
MODELS = HERE / "models"
TOKENIZERS = HERE / "tokenizers"

SPLIT_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPLIT_QWEN2 = SPLIT_LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")

TEXT = """The scheduler looks at every query's objective, and at what each worker could still promise. It's simple:
a query that can't be served in time shouldn't be started, and one that's started shouldn't be stopped.
They've measured 12345 steps; we'll see 678 more. I'm sure he'd agree, and they're done.
    indented code:
        for index in 0..<10 { print(index) }

Größe, naïve café, Ελληνικά, русский текст, 日本語のテキスト, 한국어, العربية, हिन्दी. 👩‍👩‍👧 🇩🇪 🙂
""" * 3

TRICKY = [
    "",
    " ",
    "  ",
    "\n",
    "Hello world",
    " Hello  world ",
    "   three leading and three trailing   ",
    "tabs\tand\t\ttabs \t mixed",
    "line\nline\r\nline\n\n\nline \n line",
    "trailing newline\n",
    "spaces then newline   \n   and more",
    "It's we're I'll he'd they've I'm don't",
    "IT'S WE'RE I'LL HE'D THEY'VE I'M DON'T",
    "'s't'x ''s 'S 'LL \u017f '\u017f",
    "1 12 123 1234 12345 123456 3.14159 1,000,000",
    "abc123def ½ ² Ⅷ ٣٤٥ 一二三",
    "naïve café Größe re\u0301sume\u0301 \u212b",
    "日本語のテキスト, 한국어 العربية हिन्दी",
    "👩‍👩‍👧‍👦 🇩🇪 🙂🙂 ✨",
    "a\u00a0b\u2003c\u3000d\u200be",
    "!!! ??? ... --- (a) [b] {c} <d> @e #f $g %h ^i &j *k",
    "  !\n\n!! \n",
    "x\u0000y\u007fz",
    "foo.bar_baz-qux/quux\\corge",
    "<|im_start|>user\nHi<|im_end|>\n",
    "before<|endoftext|>after <|endoftext|>",
    "<|im_start|<|im_start|>",
    "<tool_call>{}</tool_call>",
    "for index in 0..<10 {\n        print(index)\n}",
]


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def byte_level_tokenizer(kind, vocabulary, specials, ordinary=()):
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind == "llama3"))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind in ("gpt2", "smollm"))
    if kind in ("gpt2", "bytes"):
        tokenizer.pre_tokenizer = byte_level
    elif kind == "smollm":
        digits = pre_tokenizers.Digits(individual_digits=True)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level])
    else:
        pattern = SPLIT_LLAMA3 if kind == "llama3" else SPLIT_QWEN2
        split = pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    if kind == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.add_special_tokens(list(specials))
    if ordinary:
        tokenizer.add_tokens(list(ordinary))
    if kind == "llama3":
        begin = "<|begin_of_text|>"
        template = processors.TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, tokenizer.token_to_id(begin))]
        )
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    return tokenizer


CHATML = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
LLAMA3 = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]


def make_tokenizers():
    kinds = {
        "gpt2": byte_level_tokenizer("gpt2", 500, ["<|endoftext|>"]),
        "llama3": byte_level_tokenizer("llama3", 500, LLAMA3 + ["<|endoftext|>"]),
        "qwen2": byte_level_tokenizer("qwen2", 500, CHATML, ["<tool_call>", "</tool_call>"]),
        "smollm": byte_level_tokenizer("smollm", 400, CHATML),
        "bytes": byte_level_tokenizer("bytes", 256, CHATML),
    }
    for name, tokenizer in kinds.items():
        directory = TOKENIZERS / name
        directory.mkdir(parents=True)
        tokenizer.save(str(directory / "tokenizer.json"), pretty=False)
        cases = [
            {
                "text": text,
                "ids": tokenizer.encode(text, add_special_tokens=False).ids,
                "withPrefix": tokenizer.encode(text, add_special_tokens=True).ids,
            }
            for text in TRICKY
        ]
        write_json(directory / "cases.json", cases)


def save_model(name, model, dtype, shards=1, patch_config=None, context=24):
    directory = MODELS / name
    directory.mkdir(parents=True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(dtype).float())
    model.eval()
    config = json.loads(model.config.to_json_string(use_diff=False))
    keep = [
        "architectures", "model_type", "hidden_act", "vocab_size", "hidden_size", "intermediate_size",
        "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "max_position_embeddings",
        "rms_norm_eps", "rope_theta", "rope_scaling", "rope_parameters", "tie_word_embeddings", "attention_bias",
        "mlp_bias", "bos_token_id", "eos_token_id", "sliding_window", "use_sliding_window",
    ]
    config = {key: config[key] for key in keep if config.get(key) is not None}
    config["architectures"] = [type(model).__name__]
    if patch_config:
        patch_config(config)
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")

    tensors = {key: value.to(dtype).contiguous() for key, value in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        tensors.pop("lm_head.weight", None)
    if shards == 1:
        save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    else:
        weight_map = {}
        for shard in range(shards):
            file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
            part = {key: value for index, (key, value) in enumerate(tensors.items()) if index % shards == shard}
            save_file(part, directory / file, metadata={"format": "pt"})
            weight_map.update({key: file for key in part})
        write_json(directory / "model.safetensors.index.json", {"metadata": {}, "weight_map": weight_map})
    shutil.copy(TOKENIZERS / "bytes" / "tokenizer.json", directory / "tokenizer.json")

    generator = torch.Generator().manual_seed(7)
    ids = torch.randint(0, model.config.vocab_size, (1, context), generator=generator)
    with torch.no_grad():
        logits = model(ids).logits[0].float()
    rows = sorted({0, 1, context // 2, context - 1})
    expected = {
        "tokens": ids[0].tolist(),
        "rows": [{"position": row, "logits": [round(v, 6) for v in logits[row].tolist()]} for row in rows],
    }
    write_json(directory / "expected.json", expected)


def llama(**overrides):
    settings = dict(
        vocab_size=272, hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=4, max_position_embeddings=512, rms_norm_eps=1e-5, tie_word_embeddings=False,
        bos_token_id=256, eos_token_id=258, initializer_range=0.3, attn_implementation="eager",
    )
    settings.update(overrides)
    return LlamaForCausalLM(LlamaConfig(**settings))


def old_rope_names(config):
    """Writes the rotary fields the way transformers 4 did."""
    parameters = dict(config.pop("rope_parameters"))
    config["rope_theta"] = parameters.pop("rope_theta")
    config["rope_scaling"] = parameters if parameters.get("rope_type", "default") != "default" else None


def make_models():
    torch.manual_seed(1)
    save_model("llama-mha-tied", llama(tie_word_embeddings=True), torch.float32, patch_config=old_rope_names)
    save_model("llama-gqa", llama(num_key_value_heads=2), torch.float32)
    save_model("llama-f16", llama(num_key_value_heads=1), torch.float16)
    save_model("llama-bf16", llama(num_key_value_heads=2, hidden_size=40, num_attention_heads=4, head_dim=10),
               torch.bfloat16)
    save_model("llama-sharded", llama(num_key_value_heads=2, attention_bias=True, mlp_bias=True), torch.float32,
               shards=3)
    save_model("llama-head-dim", llama(head_dim=16, num_key_value_heads=2), torch.float32)
    scaling = {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32, "rope_theta": 500.0,
    }
    save_model("llama3-rope", llama(head_dim=16, rope_parameters=scaling), torch.float32, context=150)
    save_model("llama3-rope-old", llama(head_dim=16, rope_parameters=scaling), torch.float32, context=100,
               patch_config=old_rope_names)
    qwen = Qwen2ForCausalLM(Qwen2Config(
        vocab_size=272, hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=True, initializer_range=0.3,
        bos_token_id=256, eos_token_id=[256, 258], attn_implementation="eager",
    ))
    with torch.no_grad():
        for name, parameter in qwen.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.5)
    save_model("qwen2", qwen, torch.bfloat16)


def main():
    for directory in (MODELS, TOKENIZERS):
        shutil.rmtree(directory, ignore_errors=True)
    make_tokenizers()
    make_models()
    total = sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file())
    print(f"{total / 1e6:.2f} MB of fixtures")


if __name__ == "__main__":
    main()

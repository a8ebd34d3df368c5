"""Writes one random Llama twice, with the same 32-bit weights: as Hugging Face has it and as llama.cpp does.

    random_llama.py DIRECTORY

DIRECTORY/config.json and model.safetensors for Aladdin, DIRECTORY/model.gguf for llama.cpp; 500 MB each. Needs numpy and gguf.
"""

import json
import struct
import sys
from pathlib import Path

import gguf
import numpy

VOCABULARY, HIDDEN, INNER, LAYERS, HEADS, KEY_HEADS, CONTEXT = 32_000, 1536, 4096, 3, 24, 8, 2048
HEAD = HIDDEN // HEADS
EPSILON, THETA = 1e-5, 10_000.0


def tensors():
    """Pairs of a name in Hugging Face's form and an array."""
    random = numpy.random.default_rng(1)

    def matrix(rows, columns):
        return random.standard_normal((rows, columns), numpy.float32) * numpy.float32(0.05)

    yield "model.embed_tokens.weight", matrix(VOCABULARY, HIDDEN)
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        yield prefix + "input_layernorm.weight", numpy.ones(HIDDEN, numpy.float32)
        yield prefix + "self_attn.q_proj.weight", matrix(HEADS * HEAD, HIDDEN)
        yield prefix + "self_attn.k_proj.weight", matrix(KEY_HEADS * HEAD, HIDDEN)
        yield prefix + "self_attn.v_proj.weight", matrix(KEY_HEADS * HEAD, HIDDEN)
        yield prefix + "self_attn.o_proj.weight", matrix(HIDDEN, HEADS * HEAD)
        yield prefix + "post_attention_layernorm.weight", numpy.ones(HIDDEN, numpy.float32)
        yield prefix + "mlp.gate_proj.weight", matrix(INNER, HIDDEN)
        yield prefix + "mlp.up_proj.weight", matrix(INNER, HIDDEN)
        yield prefix + "mlp.down_proj.weight", matrix(HIDDEN, INNER)
    yield "model.norm.weight", numpy.ones(HIDDEN, numpy.float32)


def write_safetensors(place, model):
    header, offset = {}, 0
    for name, array in model:
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(place / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, array in model:
            array.tofile(file)
    configuration = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN, "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_HEADS, "max_position_embeddings": CONTEXT, "rms_norm_eps": EPSILON,
        "rope_theta": THETA, "tie_word_embeddings": True, "torch_dtype": "float32",
    }
    (place / "config.json").write_text(json.dumps(configuration, indent=1))


NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def gguf_name(name):
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, part = name.removesuffix(".weight").split(".", 3)
    return f"blk.{layer}.{NAMES[part]}.weight"


def interleaved(array, heads):
    """Rows of queries and keys as llama.cpp rotates them: neighbours, where Hugging Face pairs halves."""
    return array.reshape(heads, 2, array.shape[0] // heads // 2, array.shape[1]).swapaxes(1, 2).reshape(array.shape)


def write_gguf(place, model):
    writer = gguf.GGUFWriter(str(place / "model.gguf"), "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(THETA)
    writer.add_vocab_size(VOCABULARY)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("no_vocab")
    for name, array in model:
        if "q_proj" in name:
            array = interleaved(array, HEADS)
        if "k_proj" in name:
            array = interleaved(array, KEY_HEADS)
        writer.add_tensor(gguf_name(name), numpy.ascontiguousarray(array))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


place = Path(sys.argv[1])
place.mkdir(parents=True, exist_ok=True)
model = list(tensors())
write_safetensors(place, model)
write_gguf(place, model)

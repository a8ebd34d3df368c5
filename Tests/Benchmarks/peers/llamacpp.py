"""Times llama.cpp at a prompt and an answer, as a line of JSON: `llamacpp.py MODEL.gguf PROMPT ANSWER THREADS`.

The prompt and greedy sampling are those of `ReferenceEngineBench --model`; the KV cache has 32 bits as well. Needs llama-cpp-python.
"""

import ctypes
import json
import sys
import time

import llama_cpp as llama
import numpy

path, prompt, answer, threads = sys.argv[1], *map(int, sys.argv[2:5])


@llama.llama_log_callback
def silence(level, text, data):
    del level, text, data


llama.llama_log_set(silence, ctypes.c_void_p(0))
llama.llama_backend_init()
model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
if not model:
    sys.exit("llama.cpp can't load the model")
parameters = llama.llama_context_default_params()
parameters.n_ctx = prompt + answer + 8
parameters.n_batch = parameters.n_ubatch = prompt
parameters.n_threads = parameters.n_threads_batch = threads
parameters.type_k = parameters.type_v = 0  # 32 bits
context = llama.llama_init_from_model(model, parameters)
vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))


def forward(tokens):
    """Returns the likeliest token after these."""
    array = (llama.llama_token * len(tokens))(*tokens)
    if llama.llama_decode(context, llama.llama_batch_get_one(array, len(tokens))) != 0:
        sys.exit("llama.cpp can't decode")
    logits = llama.llama_get_logits_ith(context, -1)
    return int(numpy.argmax(numpy.ctypeslib.as_array(logits, shape=(vocabulary,))))


def run(count):
    llama.llama_memory_clear(llama.llama_get_memory(context), True)
    begin = time.monotonic()
    tokens = [forward([(index + 1) * 7919 % vocabulary for index in range(prompt)])]
    first = time.monotonic()
    for _ in range(count):
        tokens.append(forward([tokens[-1]]))
    return prompt / (first - begin), count / (time.monotonic() - first), tokens


run(1)
prefill, decode, tokens = run(answer)
print(json.dumps({"prefill_per_s": prefill, "decode_per_s": decode, "tokens": tokens}))

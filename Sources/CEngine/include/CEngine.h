// The interface between a worker and an engine in a shared library: `aladdin worker --engine plugin:LIBRARY`.
//
// A plug-in is one shared library that exports one function, `aladdin_engine_plugin`, which returns a table of six more.
// The worker speaks with the broker and decides what each step computes; the plug-in computes it. docs/workers.md walks
// through writing one, docs/examples/engine.c is one of 90 lines.
//
// Life of an engine: open, describe once, then any number of admit, step and release, then close.
// Life of a sequence: admit; steps that prefill its prompt in one or more chunks, of which the last yields a token; steps
// that decode it, a token each; release, whatever its state (finished, cancelled, failed). A step may list it as preempted:
// drop its KV cache, keep its tokens; it will be prefilled again, prompt and output so far together.
//
// Memory. Nobody frees what the other allocated. What the worker passes is valid during the call; copy what you keep. What
// an output points to stays yours and must stay as it is until the next call; what a description points to, until close.
//
// Threads. All calls come from one thread of the worker, never two at once, open and close included. The plug-in may have
// threads of its own. Every engine that open made is apart from the others; there may be several in one process, each with
// a thread of its own. The library is never unloaded.
//
// Failing. Functions that can fail return a code, ALADDIN_OK or another of the list, and write words into `error`:
// ALADDIN_ERROR_SIZE bytes of the worker's, zeroed before the call, to be filled with zero-terminated UTF-8 such as
// snprintf makes. Clients and logs see these words: never put prompts or outputs into them. Nothing may be thrown through
// a function, and nothing may end the process unless it has to: a plug-in that crashes takes its worker with it, and
// one that does not come back from a step is expelled by the broker (--engine-timeout-s). In both cases the broker runs
// the queries elsewhere.
//
// Growing. A later minor form of this version adds members at the end of structs that begin with `size`, and
// nothing else: `size` is what the side that made the struct knew. Read no member beyond it; write none either. Structs
// without `size` stay as they are within the version. What cannot be said so is another version.
#ifndef ALADDIN_ENGINE_H
#define ALADDIN_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ALADDIN_ENGINE_VERSION 1u
#define ALADDIN_ERROR_SIZE 256

// What a function says about how it went.
enum {
    ALADDIN_OK = 0,
    ALADDIN_INVALID = 1,         // the request is wrong: its query ends with these words and is not tried elsewhere
    ALADDIN_PROMPT_TOO_LONG = 2, // the same, for its length
    ALADDIN_UNSUPPORTED = 3,     // the request asks for what this engine cannot do; the same
    ALADDIN_OUT_OF_MEMORY = 4,   // no room: the query is tried elsewhere
    ALADDIN_FAILED = 5,          // the engine failed: the query, or all of the step, is tried elsewhere
};

// UTF-8. What the worker passes has a zero byte after its end, too; what the plug-in passes need not.
typedef struct aladdin_text {
    const char *bytes; // may be NULL if size is 0
    size_t size;       // without the zero byte
} aladdin_text;

// One --plugin-option KEY=VALUE, in the order of the command line; both are zero-terminated.
typedef struct aladdin_option {
    const char *key;
    const char *value;
} aladdin_option;

// What the worker was started with.
typedef struct aladdin_open_parameters {
    uint32_t size;               // of this struct, as the worker knows it
    uint32_t option_count;
    const aladdin_option *options;
    const char *model_directory; // --model, absolute; NULL if it was not given
    const char *model_name;      // --model-name; NULL: the plug-in chooses
    uint64_t kv_capacity_tokens; // --kv-capacity-tokens; 0: the plug-in chooses
} aladdin_open_parameters;

// Bits of aladdin_description.flags.
enum {
    // A query that began on another worker goes on here from its output so far (aladdin_request.resumed).
    // Say so only if an engine of this kind would have gone on with the same tokens.
    ALADDIN_RESUMES = 1u << 0,
    // The worker makes tokens of prompts and text of tokens, by tokenizer.json and config.json in --model. Requests come
    // as ALADDIN_INPUT_TOKENS without stop strings, the text of outputs is ignored, and end tokens, stop strings and
    // max_tokens end a sequence by themselves: it is released without the plug-in having said anything.
    ALADDIN_TEXT_BY_WORKER = 1u << 1,
};

// What the engine is and can hold: constant over its life. All bytes are zero before the call but `size`.
typedef struct aladdin_description {
    uint32_t size;               // of this struct, as the worker knows it
    uint32_t flags;
    const char *model;           // as clients write it; zero-terminated; needed
    const char *device;          // as tables show it; NULL for none
    uint32_t gpus;               // 0 counts as 1
    uint32_t context_length;     // longest prompt and output together, in tokens; needed
    uint64_t kv_capacity_tokens; // tokens of all sequences together that are resident at once; needed
    uint32_t kv_block_tokens;    // memory is counted in blocks of so many tokens, whole blocks for each sequence; 0: 16
    uint32_t max_sequences;      // resident at once; twice as many may be admitted, the rest waiting; 0: 64
    uint32_t max_batched_tokens; // prompt tokens in one step with --batching prefill-priority; 0: chunk_tokens
    uint32_t chunk_tokens;       // tokens in one step with --batching chunked; 0: 512. Bounds how long a step takes
    uint32_t reserved[2];        // leave as they are
    // A first guess of the time of a step, in milliseconds; all 0 if there is none. The scheduler learns better ones.
    double prefill_constant_ms;      // any step with prompt tokens
    double prefill_token_ms;         // each prompt token
    double decode_constant_ms;       // any step: reading the weights
    double decode_sequence_ms;       // each decoding sequence
    double decode_context_token_ms;  // each token of their contexts: reading the KV cache
} aladdin_description;

// What a request's prompt is.
enum {
    ALADDIN_INPUT_TEXT = 1,   // text
    ALADDIN_INPUT_CHAT = 2,   // messages
    ALADDIN_INPUT_TOKENS = 3, // tokens
};

// One turn of a conversation.
typedef struct aladdin_message {
    aladdin_text role; // system, user or assistant
    aladdin_text content;
} aladdin_message;

// One query. A member that does not belong to its kind of input is 0.
typedef struct aladdin_request {
    uint32_t size;          // of this struct, as the worker knows it
    uint32_t input;         // ALADDIN_INPUT_…
    uint64_t sequence;      // its name in all further calls: from 1, never used again
    aladdin_text text;
    const aladdin_message *messages;
    size_t message_count;
    const int32_t *tokens;
    size_t token_count;
    const int32_t *resumed; // tokens of output that another worker made; only with ALADDIN_RESUMES. They are part of what is
    size_t resumed_count;   // prefilled, after the prompt; the next token's index is resumed_count
    uint32_t max_tokens;    // output tokens in all, resumed ones included; at least 1
    uint32_t top_k;         // 0: all
    double temperature;     // 0: the most likely token
    double top_p;           // 1: all
    uint64_t seed;          // to draw with: the same on every worker for the same query
    const aladdin_text *stops; // strings that end the answer before they appear in it
    size_t stop_count;
} aladdin_request;

// Part of a prompt: positions start to end - 1 of the prompt followed by the output so far.
typedef struct aladdin_chunk {
    uint64_t sequence;
    uint32_t start;           // what lies before is in the KV cache
    uint32_t end;
    uint32_t completes_prompt; // 1: this is the last chunk, and yields a token
    uint32_t reserved;
} aladdin_chunk;

// What one step computes. No sequence is in it twice.
typedef struct aladdin_step {
    uint32_t size;             // of this struct, as the worker knows it
    uint32_t reserved;
    const uint64_t *preempted; // sequences whose KV cache is taken back before the step
    size_t preempted_count;
    const uint64_t *decodes;   // sequences that decode a token
    size_t decode_count;
    const aladdin_chunk *chunks;
    size_t chunk_count;
} aladdin_step;

// How a sequence ends, told with its last token.
enum {
    ALADDIN_GOES_ON = 0,
    ALADDIN_STOP = 1,   // the model ended it, or a stop string appeared
    ALADDIN_LENGTH = 2, // max_tokens or context_length is reached
};

// One token of one sequence.
typedef struct aladdin_output {
    uint64_t sequence;
    int32_t token;     // at least 0
    int32_t finish;    // ALADDIN_GOES_ON, ALADDIN_STOP or ALADDIN_LENGTH
    aladdin_text text; // what became certain with this token: whole characters only, so it may be empty
} aladdin_output;

// An engine; what is in it is the plug-in's business.
typedef struct aladdin_engine aladdin_engine;

// The plug-in's functions. None may be NULL.
typedef struct aladdin_engine_api {
    uint32_t version; // ALADDIN_ENGINE_VERSION of the header that the plug-in was compiled with
    uint32_t size;    // sizeof(aladdin_engine_api) there

    // Makes an engine: loads the model, takes the memory. May take minutes.
    int32_t (*open)(const aladdin_open_parameters *parameters, aladdin_engine **engine, char *error);

    // Describes it. Called once, after open.
    void (*describe)(aladdin_engine *engine, aladdin_description *description);

    // Takes in a sequence and counts the tokens of its prompt, resumed ones left out. No KV memory is used yet. Nothing is
    // remembered of a request that failed, and no release follows.
    int32_t (*admit)(aladdin_engine *engine, const aladdin_request *request, int64_t *prompt_tokens, char *error);

    // Computes a step: exactly one output, in any order, for each sequence of `decodes` and each chunk that completes its
    // prompt. `outputs` has room for so many. On failure every sequence of the step is released.
    int32_t (*step)(
        aladdin_engine *engine, const aladdin_step *step, aladdin_output *outputs, int64_t *output_count, char *error
    );

    // Forgets a sequence. Called once for each that was admitted.
    void (*release)(aladdin_engine *engine, uint64_t sequence);

    // Frees the engine. Sequences may be left in it.
    void (*close)(aladdin_engine *engine);
} aladdin_engine_api;

// The one symbol that a plug-in exports. `worker_version` is the newest version that the worker speaks; a plug-in that speaks
// several returns the table of that one, others return the one they have, and the worker says what is wrong with it.
// The table stays where it is for the life of the process; NULL says that this plug-in cannot work here at all.
#ifdef __GNUC__
__attribute__((visibility("default")))
#endif
const aladdin_engine_api *aladdin_engine_plugin(uint32_t worker_version);

#ifdef __cplusplus
}
#endif
#endif

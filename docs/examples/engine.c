// An engine in a shared library: it answers every prompt with the numbers that follow its length, "4 5 6 …".
//
//     cc -O2 -shared -fPIC -ISources/CEngine/include -o build/libcounter.so docs/examples/engine.c
//     aladdin worker --engine plugin:build/libcounter.so --plugin-option last=20
#include "CEngine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sequence {
    uint64_t name; // 0 for a free place
    uint32_t next, limit, made;
};

struct aladdin_engine {
    char model[64];
    uint32_t last; // numbers end here
    struct sequence places[64]; // twice max_sequences: so many may be admitted
    char texts[64][16];         // of the last step
};

static struct sequence *find(aladdin_engine *engine, uint64_t name) {
    for (int i = 0; i < 64; i++)
        if (engine->places[i].name == name) return &engine->places[i];
    return NULL;
}

static int32_t open_engine(const aladdin_open_parameters *parameters, aladdin_engine **engine, char *error) {
    *engine = calloc(1, sizeof **engine);
    if (!*engine) return ALADDIN_OUT_OF_MEMORY;
    (*engine)->last = 1000;
    const char *name = parameters->model_name ? parameters->model_name : "counter";
    snprintf((*engine)->model, sizeof(*engine)->model, "%s", name);
    for (uint32_t i = 0; i < parameters->option_count; i++) {
        if (strcmp(parameters->options[i].key, "last") == 0) {
            (*engine)->last = (uint32_t)atoi(parameters->options[i].value);
        } else {
            snprintf(error, ALADDIN_ERROR_SIZE, "there is no option %s; there is: last", parameters->options[i].key);
            return free(*engine), ALADDIN_INVALID;
        }
    }
    return ALADDIN_OK;
}

static void describe(aladdin_engine *engine, aladdin_description *description) {
    description->flags = ALADDIN_RESUMES; // the answer follows from the prompt, on any worker
    description->model = engine->model;
    description->context_length = 1024;
    description->kv_capacity_tokens = 32 * 1024;
    description->max_sequences = 32;
}

static int32_t admit(aladdin_engine *engine, const aladdin_request *request, int64_t *prompt_tokens, char *error) {
    size_t length = request->input == ALADDIN_INPUT_TEXT ? request->text.size : request->token_count; // a byte, a token
    for (size_t i = 0; i < request->message_count; i++) length += request->messages[i].content.size;
    if (length == 0 || length > 512) {
        snprintf(error, ALADDIN_ERROR_SIZE, "the prompt has %zu bytes; 1 to 512 can be counted", length);
        return length ? ALADDIN_PROMPT_TOO_LONG : ALADDIN_INVALID;
    }
    struct sequence *place = find(engine, 0);
    if (!place) return ALADDIN_OUT_OF_MEMORY;
    uint32_t made = (uint32_t)request->resumed_count;
    *place = (struct sequence){request->sequence, (uint32_t)length + made, request->max_tokens, made};
    *prompt_tokens = (int64_t)length;
    return ALADDIN_OK;
}

static aladdin_output next_number(aladdin_engine *engine, uint64_t name) {
    struct sequence *sequence = find(engine, name);
    char *text = engine->texts[sequence - engine->places];
    int size = snprintf(text, 16, sequence->made ? " %u" : "%u", sequence->next);
    aladdin_output output = {.sequence = name, .token = (int32_t)sequence->next, .text = {text, (size_t)size}};
    sequence->made++;
    if (sequence->next++ >= engine->last) output.finish = ALADDIN_STOP;
    else if (sequence->made >= sequence->limit) output.finish = ALADDIN_LENGTH;
    return output;
}

static int32_t step(
    aladdin_engine *engine, const aladdin_step *step, aladdin_output *outputs, int64_t *output_count, char *error
) {
    (void)error; // a real engine computes step->chunks and step->decodes as one batch, and says here if it cannot
    for (size_t i = 0; i < step->decode_count; i++) outputs[(*output_count)++] = next_number(engine, step->decodes[i]);
    for (size_t i = 0; i < step->chunk_count; i++)
        if (step->chunks[i].completes_prompt)
            outputs[(*output_count)++] = next_number(engine, step->chunks[i].sequence);
    return ALADDIN_OK;
}

static void release(aladdin_engine *engine, uint64_t name) { find(engine, name)->name = 0; }
static void close_engine(aladdin_engine *engine) { free(engine); }

const aladdin_engine_api *aladdin_engine_plugin(uint32_t worker_version) {
    (void)worker_version; // this one speaks one version only
    static const aladdin_engine_api api = {
        ALADDIN_ENGINE_VERSION, sizeof api, open_engine, describe, admit, step, release, close_engine,
    };
    return &api;
}

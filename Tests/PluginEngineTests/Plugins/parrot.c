// An engine that repeats the last message word by word, as docs/examples/worker.py does: two kinds of workers, one model.
#include "CEngine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sequence {
    uint64_t name; // 0 for a free place
    char *prompt;
    size_t offset; // of the next word
    uint32_t words, limit, made;
};

struct aladdin_engine {
    uint32_t step_ms;
    struct sequence places[16];
};

static struct sequence *find(aladdin_engine *engine, uint64_t name) {
    for (int i = 0; i < 16; i++)
        if (engine->places[i].name == name) return &engine->places[i];
    return NULL;
}

// A word with the white space before it; empty where none is left.
static aladdin_text word(const char *prompt, size_t offset) {
    size_t end = offset;
    while (isspace((unsigned char)prompt[end])) end++;
    if (!prompt[end]) return (aladdin_text){prompt + end, 0};
    while (prompt[end] && !isspace((unsigned char)prompt[end])) end++;
    return (aladdin_text){prompt + offset, end - offset};
}

static int32_t open_engine(const aladdin_open_parameters *parameters, aladdin_engine **engine, char *error) {
    (void)error;
    *engine = calloc(1, sizeof **engine);
    if (!*engine) return ALADDIN_OUT_OF_MEMORY;
    // The only option: --plugin-option step-ms=N
    if (parameters->option_count) (*engine)->step_ms = (uint32_t)atoi(parameters->options[0].value);
    return ALADDIN_OK;
}

static void describe(aladdin_engine *engine, aladdin_description *description) {
    (void)engine;
    description->flags = ALADDIN_RESUMES;
    description->model = "parrot";
    description->context_length = 4096;
    description->kv_capacity_tokens = 32 * 1024;
    description->max_sequences = 8;
}

static int32_t admit(aladdin_engine *engine, const aladdin_request *request, int64_t *prompt_tokens, char *error) {
    aladdin_text text = request->message_count ? request->messages[request->message_count - 1].content : request->text;
    struct sequence *place = find(engine, 0);
    if (!place) return ALADDIN_OUT_OF_MEMORY;
    struct sequence new = {.name = request->sequence, .prompt = strndup(text.bytes, text.size)};
    for (aladdin_text next; (next = word(new.prompt, new.offset)).size; new.offset += next.size) new.words++;
    if (!new.words) {
        snprintf(error, ALADDIN_ERROR_SIZE, "there is no word to repeat");
        return free(new.prompt), ALADDIN_INVALID;
    }
    new.limit = request->max_tokens;
    new.offset = 0;
    for (; new.made < request->resumed_count; new.made++) new.offset += word(new.prompt, new.offset).size;
    *place = new;
    *prompt_tokens = new.words;
    return ALADDIN_OK;
}

static aladdin_output say(aladdin_engine *engine, uint64_t name) {
    struct sequence *sequence = find(engine, name);
    aladdin_text next = word(sequence->prompt, sequence->offset);
    aladdin_output output = {.sequence = name, .token = (int32_t)sequence->made++, .text = next};
    sequence->offset += next.size;
    if (sequence->made >= sequence->words) output.finish = ALADDIN_STOP;
    else if (sequence->made >= sequence->limit) output.finish = ALADDIN_LENGTH;
    return output;
}

static int32_t step(
    aladdin_engine *engine, const aladdin_step *step, aladdin_output *outputs, int64_t *output_count, char *error
) {
    (void)error;
    usleep(1000 * engine->step_ms);
    for (size_t i = 0; i < step->decode_count; i++) outputs[(*output_count)++] = say(engine, step->decodes[i]);
    for (size_t i = 0; i < step->chunk_count; i++)
        if (step->chunks[i].completes_prompt)
            outputs[(*output_count)++] = say(engine, step->chunks[i].sequence);
    return ALADDIN_OK;
}

static void release(aladdin_engine *engine, uint64_t name) {
    struct sequence *sequence = find(engine, name);
    free(sequence->prompt);
    *sequence = (struct sequence){0};
}

static void close_engine(aladdin_engine *engine) { free(engine); }

const aladdin_engine_api *aladdin_engine_plugin(uint32_t worker_version) {
    (void)worker_version;
    static const aladdin_engine_api api = {
        ALADDIN_ENGINE_VERSION, sizeof api, open_engine, describe, admit, step, release, close_engine,
    };
    return &api;
}

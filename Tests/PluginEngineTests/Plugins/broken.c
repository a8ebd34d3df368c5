// A plug-in that breaks its promises: -DFAULT_… says which, or --plugin-option fault=… for those of a running engine.
#include "CEngine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef FAULT_NO_SYMBOL
int something_else(void) { return 0; }
#else

struct aladdin_engine {
    char fault[32];
    int made, after; // tokens; the fault comes after so many
    char log[256];   // what was passed to open
};

static int32_t open_engine(const aladdin_open_parameters *parameters, aladdin_engine **engine, char *error) {
    *engine = calloc(1, sizeof **engine);
    for (uint32_t i = 0; i < parameters->option_count; i++) {
        const aladdin_option *option = &parameters->options[i];
        if (!strcmp(option->key, "fault")) snprintf((*engine)->fault, sizeof(*engine)->fault, "%s", option->value);
        if (!strcmp(option->key, "after")) (*engine)->after = atoi(option->value);
    }
    const char *fault = (*engine)->fault;
    if (!strcmp(fault, "open")) return snprintf(error, ALADDIN_ERROR_SIZE, "no such\ndevice"), ALADDIN_FAILED;
    if (!strcmp(fault, "open-silently")) return ALADDIN_OUT_OF_MEMORY;
    if (!strcmp(fault, "endless-words")) return memset(error, 'x', ALADDIN_ERROR_SIZE), ALADDIN_FAILED;
    if (!strcmp(fault, "no-engine")) *engine = NULL;
    snprintf(
        *engine ? (*engine)->log : (char[256]){0}, 256, "%s|%s|%llu|%u",
        parameters->model_directory ? parameters->model_directory : "-",
        parameters->model_name ? parameters->model_name : "-", (unsigned long long)parameters->kv_capacity_tokens,
        parameters->option_count
    );
    return ALADDIN_OK;
}

static void describe(aladdin_engine *engine, aladdin_description *description) {
    int is_wrong = !strcmp(engine->fault, "description");
    description->model = !strcmp(engine->fault, "no-model") ? NULL : "broken";
    description->device = engine->log;
    description->context_length = is_wrong ? 0 : 4096;
    description->kv_capacity_tokens = is_wrong ? 3 : 65536;
    description->decode_constant_ms = is_wrong ? -1 : 0.5;
    description->max_sequences = 8;
    if (!strcmp(engine->fault, "text-by-worker")) description->flags = ALADDIN_TEXT_BY_WORKER;
}

static int contains(const aladdin_request *request, const char *word) {
    if (request->text.bytes && strstr(request->text.bytes, word)) return 1;
    for (size_t i = 0; i < request->message_count; i++)
        if (strstr(request->messages[i].content.bytes, word)) return 1;
    return 0;
}

static int32_t admit(aladdin_engine *engine, const aladdin_request *request, int64_t *prompt_tokens, char *error) {
    const char *fault = engine->fault;
    if (contains(request, "CRASH")) abort();
    if (!strcmp(fault, "refuse")) return snprintf(error, ALADDIN_ERROR_SIZE, "not this one"), ALADDIN_INVALID;
    if (!strcmp(fault, "strange-code")) return 17;
    *prompt_tokens = request->token_count ? (int64_t)request->token_count : 4;
    if (!strcmp(fault, "negative-prompt")) *prompt_tokens = -3;
    return ALADDIN_OK;
}

static void break_promise(aladdin_engine *engine, aladdin_output *outputs, int64_t *count) {
    const char *fault = engine->fault;
    if (!strcmp(fault, "twice") && *count < 2) return; // the next time
    if (!strcmp(fault, "unknown-sequence")) outputs[0].sequence = 4711;
    if (!strcmp(fault, "twice")) outputs[1].sequence = outputs[0].sequence;
    if (!strcmp(fault, "too-few")) *count -= 1;
    if (!strcmp(fault, "negative-count")) *count = -1;
    if (!strcmp(fault, "negative-token")) outputs[0].token = -5;
    if (!strcmp(fault, "bad-text")) outputs[0].text = (aladdin_text){"\xC3", 1};
    if (!strcmp(fault, "no-text")) outputs[0].text = (aladdin_text){NULL, 12};
    if (!strcmp(fault, "strange-end")) outputs[0].finish = 9;
    if (!strcmp(fault, "segfault")) *(volatile int *)(intptr_t)(engine->after > 1000000) = 1;
    if (!strcmp(fault, "abort")) abort();
    if (!strcmp(fault, "hang")) for (;;) pause();
    engine->fault[0] = 0; // once
}

static int32_t step(
    aladdin_engine *engine, const aladdin_step *step, aladdin_output *outputs, int64_t *count, char *error
) {
    if (!strcmp(engine->fault, "step")) return snprintf(error, ALADDIN_ERROR_SIZE, "the fan is off"), ALADDIN_FAILED;
    for (size_t i = 0; i < step->decode_count; i++) outputs[(*count)++].sequence = step->decodes[i];
    for (size_t i = 0; i < step->chunk_count; i++)
        if (step->chunks[i].completes_prompt) outputs[(*count)++].sequence = step->chunks[i].sequence;
    for (int64_t i = 0; i < *count; i++) {
        outputs[i].token = 7;
        outputs[i].text = (aladdin_text){"x", 1};
    }
    if (*count && engine->made++ >= engine->after) break_promise(engine, outputs, count);
    usleep(2000);
    return ALADDIN_OK;
}

static void release(aladdin_engine *engine, uint64_t sequence) { (void)engine, (void)sequence; }
static void close_engine(aladdin_engine *engine) { free(engine); }

const aladdin_engine_api *aladdin_engine_plugin(uint32_t worker_version) {
    (void)worker_version;
    static aladdin_engine_api api = {
        ALADDIN_ENGINE_VERSION, sizeof api, open_engine, describe, admit, step, release, close_engine,
    };
#ifdef FAULT_NULL_TABLE
    return NULL;
#endif
#ifdef FAULT_OTHER_VERSION
    api.version = 9;
#endif
#ifdef FAULT_SMALL_TABLE
    api.size = 24;
#endif
#ifdef FAULT_MISSING_FUNCTIONS
    api.step = NULL, api.release = NULL;
#endif
    return &api;
}
#endif
